//! Certificates have the fields that Helm's have.

use std::sync::Arc;

use gotemplate::{Context, Limits, Set, Type, Value};
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
    assert_eq!(world.impure.get(), Some("genSignedCert"));
    assert_eq!(authority.type_name(), "sprig.certificate");
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

#[test]
fn only_certificates_are_taken_as_such() {
    let function = sprig::functions().get("genSignedCert").expect("a function");
    assert_eq!(function.params[4], Type::Named("sprig.certificate"));
}
