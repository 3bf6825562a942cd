//! What is random has the right form, comes from the world, and is noted.

use gotemplate::{CallError, Value};

use crate::recording::{Fixed, eval};

fn text(world: &Fixed, call: &str) -> String {
    match eval(&sprig::functions(), world, call) {
        Ok(Value::String(text)) => text.to_text().into_owned(),
        other => panic!("{call}: {other:?}"),
    }
}

#[test]
fn texts_have_the_wanted_length_and_letters() {
    for (function, letters) in [
        ("randAlphaNum", "azAZ09"),
        ("randAlpha", "azAZ"),
        ("randNumeric", "09"),
        ("randAscii", " ~"),
    ] {
        let ranges: Vec<char> = letters.chars().collect();
        let allowed = |c| {
            ranges
                .chunks(2)
                .any(|range| (range[0]..=range[1]).contains(&c))
        };
        let world = Fixed::default();
        let found = text(&world, &format!("{function} 300"));
        assert_eq!(found.len(), 300, "{function}");
        assert!(found.chars().all(allowed), "{function}: {found}");
        assert_eq!(*world.impure.borrow(), [function]);
        assert_eq!(found, text(&Fixed::default(), &format!("{function} 300")));
    }
}

#[test]
fn identifiers_are_of_version_four() {
    let found = text(&Fixed::default(), "uuidv4");
    let parts: Vec<usize> = found.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{found}");
    assert_eq!(&found[14..15], "4", "{found}");
    assert!("89ab".contains(&found[19..20]), "{found}");
}

#[test]
fn shuffling_keeps_the_letters() {
    let mut found: Vec<char> = text(&Fixed::default(), r#"shuffle "abcdefé""#)
        .chars()
        .collect();
    found.sort_unstable();
    assert_eq!(found, ['a', 'b', 'c', 'd', 'e', 'f', 'é']);
}

#[test]
fn numbers_are_within_their_bounds() {
    let world = Fixed::default();
    for _ in 0..100 {
        match eval(&sprig::functions(), &world, "randInt -3 4") {
            Ok(Value::Int(-3..4, _)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_encrypted_is_decrypted() {
    for plain in ["a", "0123456789abcdef", "0123456789abcdef0"] {
        let call = format!(r#"decryptAES "secret" (encryptAES "secret" "{plain}")"#);
        assert_eq!(text(&Fixed::default(), &call), plain);
    }
}

#[test]
fn passwords_are_hashed_as_go_hashes_them() {
    let world = Fixed::default();
    let found = text(&world, r#"htpasswd "u" "p""#);
    let hash = found.strip_prefix("u:").expect("the user");
    assert!(hash.starts_with("$2a$10$") && hash.len() == 60, "{hash}");
    assert!(bcrypt::verify("p", hash).expect("a hash"));
    assert_eq!(*world.impure.borrow(), ["htpasswd"]);
}

#[test]
fn what_depends_on_the_clock_or_on_chance_is_noted() {
    for (call, wanted) in [
        ("now", &["now"][..]),
        ("ago 0", &["ago"]),
        (r#"date "2006" now"#, &["now"]),
        (r#"date "2006" 0"#, &[]),
        // What is no time is now.
        (r#"date "2006" "0""#, &["date"]),
        (r#"htmlDate nil"#, &["htmlDate"]),
        (r#"dateInZone "2006" 1.5 "UTC""#, &["dateInZone"]),
        (r#"durationRound "2h""#, &[]),
        ("durationRound now", &["durationRound", "now"]),
        (r#"toDate "2006" "2020" | unixEpoch"#, &[]),
        (r#"shuffle "abc" | len"#, &["shuffle"]),
        (
            r#"(genCAWithKey "a" 1 (genPrivateKey "ecdsa")).Key | len"#,
            &["genCAWithKey", "genPrivateKey"],
        ),
        (r#"derivePassword 1 "pin" "p" "u" "s""#, &[]),
        (r#"decryptAES "p" """#, &[]),
        (r#"keys (dict "a" 1)"#, &[]),
    ] {
        let world = Fixed::default();
        let result = eval(&sprig::functions(), &world, call);
        assert!(result.is_ok(), "{call}: {result:?}");
        let mut found = world.impure.take();
        found.sort_unstable();
        assert_eq!(found, wanted, "{call}");
    }
}

#[test]
fn functions_that_are_never_pure_are_declared() {
    let functions = sprig::functions();
    let mut found: Vec<&str> = functions
        .names()
        .filter(|name| functions.is_impure(name))
        .collect();
    found.sort_unstable();
    let wanted = "ago bcrypt encryptAES genCA genCAWithKey genPrivateKey genSelfSignedCert \
                  genSelfSignedCertWithKey genSignedCert genSignedCertWithKey htpasswd now randAlpha \
                  randAlphaNum randAscii randBytes randInt randNumeric shuffle uuidv4";
    assert_eq!(found.join(" "), wanted);
}

#[test]
fn lengths_are_limited() {
    for call in [
        "randAlphaNum 100000000000",
        "randBytes 100000000000",
        r#"regexFindAll "" (repeat 2000000 "a") -1"#,
        r#"regexSplit "" (repeat 2000000 "a") -1"#,
        r#"regexReplaceAll ".+" (repeat 1000000 "a") (repeat 1000 "$0")"#,
        r#"regexReplaceAllLiteral "a" (repeat 1000000 "a") (repeat 1000 "b")"#,
    ] {
        match eval(&sprig::functions(), &Fixed::default(), call) {
            Err(CallError::Limit(_)) => {}
            other => panic!("{call}: {other:?}"),
        }
    }
}
