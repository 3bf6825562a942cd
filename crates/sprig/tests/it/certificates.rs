//! Certificates have the fields that Helm's have.

use std::sync::Arc;

use golang::Timestamp;
use gotemplate::{CallError, Context, Limits, Set, Type, Value, World};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::recording::{Fixed, eval};

fn field(value: &Value, name: &str) -> String {
    match value {
        Value::Host(host) => match host.field(name) {
            Some(Value::String(text)) => text.to_text().into_owned(),
            other => panic!("{name}: {other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    golang::base64::decode(&body).expect("base64")
}

fn call(world: &Fixed, name: &str, mut args: Vec<Value>) -> Value {
    let function = sprig::functions().get(name).expect("a function");
    let mut host = ();
    let set = Arc::<Set>::default();
    let mut context = Context::new(&set, world, &mut host, Limits::default());
    match (function.body)(&mut context, &mut args) {
        Ok(value) => value,
        Err(error) => panic!("{name}: {error:?}"),
    }
}

#[test]
fn an_authority_signs_a_server() {
    let world = Fixed::default();
    let authority = call(&world, "genCA", vec!["ca-é".into(), Value::int(365)]);
    let server = call(
        &world,
        "genSignedCert",
        vec![
            "web".into(),
            Value::list([Value::from("10.0.0.1"), Value::from("::1")]),
            Value::list([Value::from("web.app.svc"), Value::from("web")]),
            Value::int(10),
            authority.clone(),
        ],
    );
    assert_eq!(authority.type_name(), "sprig.certificate");
    assert!(!format!("{authority:?}").contains("PRIVATE KEY"));
    for value in [&authority, &server] {
        let key = field(value, "Key");
        assert!(
            key.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"),
            "{key}"
        );
        assert!(key.ends_with("-----END RSA PRIVATE KEY-----\n"), "{key}");
    }

    let ca_der = der(&field(&authority, "Cert"));
    let (_, ca) = X509Certificate::from_der(&ca_der).expect("a certificate");
    let server_der = der(&field(&server, "Cert"));
    let (_, leaf) = X509Certificate::from_der(&server_der).expect("a certificate");
    leaf.verify_signature(Some(ca.public_key()))
        .expect("signed by the authority");
    ca.verify_signature(None).expect("signed by itself");
    assert!(ca.is_ca() && !leaf.is_ca());
    let extensions = |certificate: &X509Certificate<'_>| {
        let mut extensions: Vec<String> = certificate
            .extensions()
            .iter()
            .map(|extension| format!("{} {}", extension.oid, extension.critical))
            .collect();
        extensions.sort_unstable();
        extensions.join(", ")
    };
    // Identifier of the own key, use of the key, whether an authority, extended use.
    assert_eq!(
        extensions(&ca),
        "2.5.29.14 false, 2.5.29.15 true, 2.5.29.19 true, 2.5.29.37 false"
    );
    // Names, identifier of the authority's key.
    assert_eq!(
        extensions(&leaf),
        "2.5.29.15 true, 2.5.29.17 false, 2.5.29.19 true, 2.5.29.35 false, 2.5.29.37 false"
    );
    assert_eq!(ca.subject().to_string(), "CN=ca-é");
    assert_eq!(leaf.subject().to_string(), "CN=web");
    assert_eq!(leaf.issuer().as_raw(), ca.subject().as_raw());
    assert_eq!(leaf.validity().not_before.timestamp(), 1_700_000_000);
    assert_eq!(
        leaf.validity().not_after.timestamp(),
        1_700_000_000 + 10 * 86_400
    );
    let usage = leaf.key_usage().expect("valid").expect("a key usage").value;
    assert!(usage.digital_signature() && usage.key_encipherment() && !usage.key_cert_sign());
    let usage = ca.key_usage().expect("valid").expect("a key usage").value;
    assert!(usage.key_cert_sign());
    let extended = leaf.extended_key_usage().expect("valid").expect("a usage");
    assert!(extended.value.server_auth && extended.value.client_auth);
    let names = leaf
        .subject_alternative_name()
        .expect("valid")
        .expect("names");
    let ipv6 = std::net::Ipv6Addr::LOCALHOST.octets();
    assert_eq!(
        names.value.general_names,
        [
            GeneralName::DNSName("web.app.svc"),
            GeneralName::DNSName("web"),
            GeneralName::IPAddress(&[10, 0, 0, 1]),
            GeneralName::IPAddress(&ipv6),
        ]
    );
}

#[test]
fn keys_are_taken_in_every_form_and_given_back() {
    for call_of_key in [
        r#"genPrivateKey "ecdsa""#,
        r#"genPrivateKey "ed25519""#,
        r#"(genCA "ca" 1).Key"#,
    ] {
        let world = Fixed::default();
        let key = match eval(&sprig::functions(), &world, call_of_key) {
            Ok(Value::String(text)) => text,
            other => panic!("{call_of_key}: {other:?}"),
        };
        let args = vec!["ca".into(), Value::int(1), Value::String(key.clone())];
        let authority = call(&world, "genCAWithKey", args);
        assert_eq!(field(&authority, "Key"), key.to_text(), "{call_of_key}");
        let args = vec![
            "self".into(),
            Value::Nil,
            Value::Nil,
            Value::int(1),
            authority.clone(),
            Value::String(key),
        ];
        let server = call(&world, "genSignedCertWithKey", args);
        let ca_der = der(&field(&authority, "Cert"));
        let (_, ca) = X509Certificate::from_der(&ca_der).expect("a certificate");
        assert!(ca.is_ca(), "{call_of_key}");
        ca.verify_signature(None).expect("signed by itself");
        let server_der = der(&field(&server, "Cert"));
        let (_, leaf) = X509Certificate::from_der(&server_der).expect("a certificate");
        leaf.verify_signature(Some(ca.public_key()))
            .expect("signed by the authority");
        let encode = |name| golang::base64::encode(field(&server, name).as_bytes());
        let args = vec![encode("Cert").into(), encode("Key").into()];
        let same = call(&world, "buildCustomCert", args);
        assert_eq!(
            field(&same, "Cert"),
            field(&server, "Cert"),
            "{call_of_key}"
        );
    }
}

/// Calls of every function that makes keys or certificates.
const CALLS: [&str; 10] = [
    r#"genPrivateKey "ecdsa""#,
    r#"genPrivateKey "ed25519""#,
    r#"(genCA "ca" 1).Cert"#,
    r#"(genCA "ca" 1).Key"#,
    r#"(genSelfSignedCert "a" (list "10.0.0.1") (list "a.b") 1).Cert"#,
    r#"(genSignedCert "a" nil nil 1 (genCA "ca" 1)).Cert"#,
    r#"(genCAWithKey "ca" 1 (genPrivateKey "ecdsa")).Cert"#,
    r#"(genSelfSignedCertWithKey "a" nil nil 1 (genPrivateKey "ed25519")).Cert"#,
    r#"(genSignedCertWithKey "a" nil nil 1 (genCAWithKey "ca" 1 (genPrivateKey "ecdsa")) (genPrivateKey "ecdsa")).Cert"#,
    r#"derivePassword 1 "long" "p" "u" "s""#,
];

#[test]
fn equal_dice_give_equal_keys_and_certificates() {
    let text = |seed: u64, call: &str| {
        let world = Fixed::default();
        world.dice.set(seed);
        match eval(&sprig::functions(), &world, call) {
            Ok(Value::String(text)) => text.to_text().into_owned(),
            other => panic!("{call}: {other:?}"),
        }
    };
    for call in CALLS {
        let found = text(1, call);
        assert_eq!(found, text(1, call), "{call}");
        let is_derived = call.starts_with("derive");
        assert_eq!(found == text(2, call), is_derived, "{call}");
    }
}

/// The numbers of a key.
fn numbers(pem: &str) -> Vec<num_bigint::BigUint> {
    let der = der(pem);
    // A sequence of more than 255 bytes, of integers.
    assert_eq!(der[..2], [0x30, 0x82]);
    let mut rest = &der[4..];
    let mut found = Vec::new();
    while let [2, length, after @ ..] = rest {
        let (length, after) = match length {
            0x82 => (
                usize::from(after[0]) << 8 | usize::from(after[1]),
                &after[2..],
            ),
            0x81 => (usize::from(after[0]), &after[1..]),
            _ => (usize::from(*length), after),
        };
        found.push(num_bigint::BigUint::from_bytes_be(&after[..length]));
        rest = &after[length..];
    }
    assert!(rest.is_empty(), "{rest:?}");
    found
}

fn private_key(kind: &str) -> String {
    let call = format!("genPrivateKey {kind:?}");
    match eval(&sprig::functions(), &Fixed::default(), &call) {
        Ok(Value::String(text)) => text.to_text().into_owned(),
        other => panic!("{call}: {other:?}"),
    }
}

#[test]
fn rsa_keys_are_consistent() {
    let pem = private_key("rsa");
    assert!(
        pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"),
        "{pem}"
    );
    let found = numbers(&pem);
    let [version, n, e, d, p, q, dp, dq, inverse] = found.as_slice() else {
        panic!("{} numbers", found.len())
    };
    assert_eq!(
        (version.bits(), n.bits(), p.bits(), q.bits()),
        (0, 4096, 2048, 2048)
    );
    assert_eq!(*e, 65_537u32.into());
    assert_eq!(*n, p * q);
    let one = num_bigint::BigUint::from(1u32);
    assert_eq!((d * e) % (p - 1u32), one);
    assert_eq!((d * e) % (q - 1u32), one);
    assert_eq!((dp, dq), (&(d % (p - 1u32)), &(d % (q - 1u32))));
    assert_eq!(inverse * q % p, one);
    let message = num_bigint::BigUint::from(0x1234_5678u32);
    assert_eq!(message.modpow(e, n).modpow(d, n), message);
}

#[test]
fn dsa_keys_are_made_and_kept_but_sign_nothing() {
    let pem = private_key("dsa");
    assert!(
        pem.starts_with("-----BEGIN DSA PRIVATE KEY-----\n"),
        "{pem}"
    );
    let found = numbers(&pem);
    let [version, p, q, g, y, x] = found.as_slice() else {
        panic!("{} numbers", found.len())
    };
    assert_eq!((version.bits(), p.bits(), q.bits()), (0, 2048, 256));
    let one = num_bigint::BigUint::from(1u32);
    assert_eq!(p % q, one);
    assert_eq!(g.modpow(q, p), one);
    assert!(*g != one && x < q);
    assert_eq!(g.modpow(x, p), *y);

    let cases = [
        (
            r#"genCAWithKey "ca" 1 $k"#,
            "error creating certificate: x509: certificate private key does not implement \
             crypto.Signer",
        ),
        (
            r#"genSelfSignedCertWithKey "a" nil nil 1 $k"#,
            "error creating certificate: x509: certificate private key does not implement \
             crypto.Signer",
        ),
        (
            r#"genSignedCertWithKey "a" nil nil 1 (genCA "ca" 1) $k"#,
            "error creating certificate: x509: unsupported public key type: *dsa.PublicKey",
        ),
        (
            r#"genSignedCert "a" nil nil 1 (buildCustomCert ((genCA "ca" 1).Cert | b64enc) ($k | b64enc))"#,
            "error creating certificate: x509: certificate private key does not implement \
             crypto.Signer",
        ),
    ];
    for (call, wanted) in cases {
        let call = call.replace("$k", &format!("{pem:?}"));
        match eval(&sprig::functions(), &Fixed::default(), &call) {
            Err(CallError::Failed(text)) => assert_eq!(text, wanted),
            other => panic!("{call}: {other:?}"),
        }
    }
}

#[test]
fn a_world_without_chance_gives_no_keys() {
    struct Constant;
    impl World for Constant {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn random(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }
    let function = sprig::functions().get("genPrivateKey").expect("a function");
    let mut host = ();
    let set = Arc::<Set>::default();
    for kind in ["rsa", "ecdsa"] {
        let mut context = Context::new(&set, &Constant, &mut host, Limits::default());
        match (function.body)(&mut context, &mut [kind.into()]) {
            Err(CallError::Failed(text)) => assert_eq!(
                text, "failed to generate private key: no randomness",
                "{kind}"
            ),
            other => panic!("{kind}: {other:?}"),
        }
    }
}

#[test]
fn keys_are_counted() {
    for (kind, steps) in [
        ("rsa", sprig::STEPS_PER_LONG_KEY),
        ("dsa", sprig::STEPS_PER_LONG_KEY),
    ] {
        let function = sprig::functions().get("genPrivateKey").expect("a function");
        let (mut host, world) = ((), Fixed::default());
        let limits = Limits {
            steps: steps - 1,
            ..Limits::default()
        };
        let set = Arc::<Set>::default();
        let mut context = Context::new(&set, &world, &mut host, limits);
        match (function.body)(&mut context, &mut [kind.into()]) {
            Err(CallError::Limit(text)) => assert_eq!(
                text,
                format!(
                    "more than {} steps, of which a key or password takes {steps}",
                    steps - 1
                )
            ),
            other => panic!("{kind}: {other:?}"),
        }
    }
}

#[test]
fn only_certificates_are_taken_as_such() {
    let function = sprig::functions().get("genSignedCert").expect("a function");
    assert_eq!(function.params[4], Type::Named("sprig.certificate"));
}
