//! Certificates for servers and their authorities.

use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use golang::Timestamp;
use gotemplate::{
    CallError, Context, Field, Function, Functions, Host, Kind, Map, Str, Type, Value, World,
};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose, PublicKeyData as _, SanType,
    SerialNumber,
};

use super::keys::{self, PrivateKey, Signer};
use super::{Outcome, STEPS_PER_KEY, charge, pem};
use crate::take;

const CERTIFICATE: Type = Type::Named("sprig.certificate");

pub(super) fn add(functions: &mut Functions) {
    let mut add = |name, params, body| {
        let function = Function {
            params,
            variadic: None,
            body,
        };
        functions.insert(name, function);
    };
    use Type::{Int, List, String};
    add(
        "genPrivateKey",
        &[String],
        gen_private_key as gotemplate::Body,
    );
    add("buildCustomCert", &[String, String], build_custom_cert);
    add("genCA", &[String, Int], gen_ca);
    add("genCAWithKey", &[String, Int, String], gen_ca_with_key);
    add(
        "genSelfSignedCert",
        &[String, List, List, Int],
        gen_self_signed,
    );
    add(
        "genSelfSignedCertWithKey",
        &[String, List, List, Int, String],
        gen_self_signed_with_key,
    );
    add(
        "genSignedCert",
        &[String, List, List, Int, CERTIFICATE],
        gen_signed,
    );
    add(
        "genSignedCertWithKey",
        &[String, List, List, Int, CERTIFICATE, String],
        gen_signed_with_key,
    );
    // Certificates have a time and a number, whoever gives the key.
    functions.impure(&[
        "genPrivateKey",
        "genCA",
        "genCAWithKey",
        "genSelfSignedCert",
        "genSelfSignedCertWithKey",
        "genSignedCert",
        "genSignedCertWithKey",
    ]);
}

/// A certificate and its key, both as PEM.
#[derive(Clone, Default)]
struct Certificate {
    cert: Str,
    key: Str,
}

/// Without the key, so that no log has it.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Certificate");
        shown
            .field("cert", &self.cert.to_text())
            .finish_non_exhaustive()
    }
}

impl Host for Certificate {
    fn type_name(&self) -> &'static str {
        "sprig.certificate"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn fields(&self) -> Option<Vec<Field>> {
        Some(vec![
            Field::new("Cert", self.cert.clone()),
            Field::new("Key", self.key.clone()),
        ])
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::String(self.cert.clone())),
            "Key" => Some(Value::String(self.key.clone())),
            _ => None,
        }
    }

    fn json(&self) -> Option<Value> {
        let fields = ["Cert", "Key"].map(|name| (name, self.field(name).unwrap_or_default()));
        Some(Value::Map(Map::from_iter(fields)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl From<Certificate> for Value {
    fn from(certificate: Certificate) -> Self {
        Self::Host(Rc::new(certificate))
    }
}

fn gen_private_key(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let kind = take::text(args, 0);
    Ok(keys::generate(context, &kind.to_text())?.into())
}

fn build_custom_cert(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let decode = |index, what: &str| {
        let text = take::text(args, index);
        golang::base64::decode(&text.to_text())
            .ok_or_else(|| format!("unable to decode base64 {what}"))
    };
    let cert = decode(0, "certificate")?;
    let key = decode(1, "private key")?;
    parse_certificate(&cert, |_| ())?;
    PrivateKey::parse(&key).map_err(|error| format!("error parsing private key: {error}"))?;
    Ok(Certificate {
        cert: cert.into(),
        key: key.into(),
    }
    .into())
}

/// Reads the first PEM block as a certificate.
fn parse_certificate<T>(
    text: &[u8],
    take: impl FnOnce(&x509_parser::certificate::X509Certificate<'_>) -> T,
) -> Result<(T, Vec<u8>), String> {
    let block = pem::decode(text).ok_or("unable to decode certificate")?;
    let taken = match x509_parser::parse_x509_certificate(&block.der) {
        Ok((_, certificate)) => take(&certificate),
        Err(_) => {
            let text = "error parsing certificate: decodedCert.Bytes: x509: malformed certificate";
            return Err(text.into());
        }
    };
    Ok((taken, block.der))
}

fn gen_ca(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let key = new_key(context)?;
    let name = take::text(args, 0);
    let mut params = params(context.world, &name, &[], &[], take::int(args, 1))?;
    make_authority(&mut params);
    sign(&params, &key, None)
}

fn gen_ca_with_key(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let key = given_key(context, args, 2)?;
    let name = take::text(args, 0);
    let mut params = params(context.world, &name, &[], &[], take::int(args, 1))?;
    make_authority(&mut params);
    sign(&params, &key, None)
}

fn gen_self_signed(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let key = new_key(context)?;
    sign(&server_params(context.world, args)?, &key, None)
}

fn gen_self_signed_with_key(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let key = given_key(context, args, 4)?;
    sign(&server_params(context.world, args)?, &key, None)
}

fn gen_signed(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let key = new_key(context)?;
    signed(context, args, &key)
}

fn gen_signed_with_key(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let key = given_key(context, args, 5)?;
    signed(context, args, &key)
}

fn signed(context: &Context<'_>, args: &[Value], key: &PrivateKey) -> Outcome {
    let authority = match take::any(args, 4) {
        Value::Host(host) => host.as_any().downcast_ref::<Certificate>().cloned(),
        _ => None,
    }
    .unwrap_or_default();
    let authority = Authority::parse(&authority)?;
    sign(&server_params(context.world, args)?, key, Some(&authority))
}

fn new_key(context: &mut Context<'_>) -> Result<PrivateKey, CallError> {
    charge(context, STEPS_PER_KEY)?;
    PrivateKey::generate(context.world)
}

fn given_key(
    context: &mut Context<'_>,
    args: &[Value],
    index: usize,
) -> Result<PrivateKey, CallError> {
    // Signing takes a hundredth of making a key.
    charge(context, STEPS_PER_KEY / 100)?;
    let key = PrivateKey::parse(take::text(args, index).as_bytes());
    Ok(key.map_err(|error| format!("parsing private key: {error}"))?)
}

fn server_params(world: &dyn World, args: &[Value]) -> Result<CertificateParams, CallError> {
    let name = take::text(args, 0);
    let (addresses, names) = (take::items(args, 1), take::items(args, 2));
    params(world, &name, addresses, names, take::int(args, 3))
}

/// Object identifier of the extension that says whether a certificate may sign others.
const BASIC_CONSTRAINTS: &[u64] = &[2, 5, 29, 19];

/// Latest time a certificate can name.
const LATEST: i64 = 253_402_300_799;

fn params(
    world: &dyn World,
    name: &Str,
    addresses: &[Value],
    names: &[Value],
    days: i64,
) -> Result<CertificateParams, CallError> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = Vec::with_capacity(addresses.len() + names.len());
    let mut parsed = Vec::new();
    for address in addresses {
        let Value::String(text) = address else {
            let text = format!("error parsing ip: {} is not a string", shown(address));
            return Err(text.into());
        };
        let text = text.to_text();
        let address: IpAddr = text
            .parse()
            .map_err(|_| format!("error parsing ip: {text}"))?;
        parsed.push(SanType::IpAddress(address.to_canonical()));
    }
    for name in names {
        let Value::String(text) = name else {
            let text = format!(
                "error processing alternate dns name: {} is not a string",
                shown(name)
            );
            return Err(text.into());
        };
        let text = text.to_text();
        let name = text.as_ref().try_into().map_err(|_| {
            let quoted = golang::strconv::quote(&text);
            format!("error creating certificate: x509: {quoted} cannot be encoded as an IA5String")
        })?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    params.subject_alt_names.append(&mut parsed);

    let mut serial = [0; 16];
    world.random(&mut serial);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    // rcgen's type for times is not its own to name.
    let date_time = |time: Timestamp| {
        let (year, month, day, hour, minute, second) = time.civil();
        let date = rcgen::date_time_ymd(year, month as u8, day as u8);
        date + Duration::from_secs((hour * 3600 + minute * 60 + second).into())
    };
    let now = world.now();
    params.not_before = date_time(now);
    // 106,751 days are as many as a Go duration holds.
    let length = days.wrapping_mul(86_400 * 1_000_000_000);
    let end = now.plus(golang::Duration(length));
    if end.unix() >= LATEST {
        let text = "error creating certificate: x509: cannot represent time as GeneralizedTime";
        return Err(text.into());
    }
    params.not_after = date_time(end);

    params.distinguished_name = DistinguishedName::new();
    if !name.is_empty() {
        let text = name.to_text().into_owned();
        let value = match text.as_str().try_into() {
            Ok(printable) => DnValue::PrintableString(printable),
            Err(_) => DnValue::Utf8String(text),
        };
        params.distinguished_name.push(DnType::CommonName, value);
    }
    // Go says so, without a key identifier.
    let mut no_authority = CustomExtension::from_oid_content(BASIC_CONSTRAINTS, vec![0x30, 0]);
    no_authority.set_criticality(true);
    params.custom_extensions = vec![no_authority];
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(params)
}

fn make_authority(params: &mut CertificateParams) {
    params.custom_extensions.clear();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
}

/// A value as `%v` prints it, near enough for an error.
fn shown(value: &Value) -> String {
    match value {
        Value::Nil => "<nil>".into(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value, _) => value.to_string(),
        Value::Uint(value, _) => value.to_string(),
        Value::Float(value) => golang::strconv::format_float_g(*value),
        _ => value.type_name().into(),
    }
}

/// Who signs: a certificate that was given.
struct Authority {
    der: Vec<u8>,
    signer: Signer,
    has_key_identifier: bool,
}

impl Authority {
    fn parse(certificate: &Certificate) -> Result<Self, CallError> {
        let text = certificate.cert.as_bytes();
        let ((public, has_key_identifier), der) = parse_certificate(text, |certificate| {
            let public = certificate.public_key().subject_public_key.data.to_vec();
            let identifier = certificate.iter_extensions().any(|extension| {
                extension.oid == x509_parser::oid_registry::OID_X509_EXT_SUBJECT_KEY_IDENTIFIER
            });
            (public, identifier)
        })
        .map_err(|error| error.replace("decodedCert.", "decodedSignerCert."))?;
        let key = PrivateKey::parse(certificate.key.as_bytes())
            .map_err(|error| format!("error parsing private key: {error}"))?;
        let signer = key.signer.ok_or(NO_SIGNER)?;
        if signer.der_bytes() != public {
            let text = "error creating certificate: x509: provided PrivateKey doesn't match \
                        parent's PublicKey";
            return Err(text.into());
        }
        Ok(Self {
            der,
            signer,
            has_key_identifier,
        })
    }
}

/// What is said of a key that signs nothing, and of one that cannot be signed.
const NO_SIGNER: &str =
    "error creating certificate: x509: certificate private key does not implement crypto.Signer";
const NO_PUBLIC_KEY: &str =
    "error creating certificate: x509: unsupported public key type: *dsa.PublicKey";

fn sign(params: &CertificateParams, key: &PrivateKey, authority: Option<&Authority>) -> Outcome {
    let failed = |error: rcgen::Error| format!("error creating certificate: {error}");
    let certificate = match authority {
        None => {
            let signer = key.signer.as_ref().ok_or(NO_SIGNER)?;
            params.self_signed(signer).map_err(failed)?
        }
        Some(authority) => {
            let der = authority.der.as_slice().into();
            let issuer = Issuer::from_ca_cert_der(&der, &authority.signer).map_err(failed)?;
            let mut params = params.clone();
            params.use_authority_key_identifier_extension = authority.has_key_identifier;
            let public = key.signer.as_ref().ok_or(NO_PUBLIC_KEY)?;
            params.signed_by(public, &issuer).map_err(failed)?
        }
    };
    Ok(Certificate {
        cert: pem::encode("CERTIFICATE", certificate.der()).into(),
        key: key.pem.as_str().into(),
    }
    .into())
}
