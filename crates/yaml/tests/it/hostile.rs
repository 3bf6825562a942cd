//! Inputs made to hurt: each is refused with a code and a place, quickly.

use std::time::{Duration, Instant};

use diag::Explain as _;
use yaml::{Limits, YamlError, load};

#[track_caller]
fn refused(text: &str, code: &str) -> YamlError {
    let start = Instant::now();
    let error = load(text, &Limits::default()).expect_err("it is refused");
    assert_eq!(error.code().0, code, "{error}");
    let message = error.to_string();
    // A debug build on a busy machine; a release build takes a tenth.
    assert!(start.elapsed() < Duration::from_secs(5), "{message}");
    error
}

#[test]
fn aliases_cannot_multiply_a_document() {
    let mut text = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (name, before) in ('b'..='i').zip('a'..) {
        let aliases = vec![format!("*{before}"); 9].join(", ");
        text.push_str(&format!("{name}: &{name} [{aliases}]\n"));
    }
    let start = Instant::now();
    refused(&text, "YamlAliasLimit");
    assert!(start.elapsed() < Duration::from_millis(500));
    refused("a: &a [*a]\n", "YamlAliasCycle");
    refused("a: &a {<<: *a}\n", "YamlAliasCycle");
    // The same with maps and merge keys.
    let mut text = String::from("a: &a {k0: 1, k1: 1, k2: 1, k3: 1}\n");
    for (name, before) in ('b'..='m').zip('a'..) {
        text.push_str(&format!(
            "{name}: &{name} {{w: *{before}, x: *{before}, y: *{before}, z: *{before}}}\n"
        ));
    }
    refused(&text, "YamlAliasLimit");
}

#[test]
fn nesting_is_limited_without_touching_the_stack() {
    for piece in ["[", "{\"a\":", "- ", "[{a: ", "? ", "- ? "] {
        let error = refused(&piece.repeat(100_000), "NestingLimit");
        assert_eq!(error.position().map(|at| at.line), Some(1));
    }
    let mut text = String::new();
    for depth in 0..2_000 {
        text.push_str(&format!("{}a:\n", " ".repeat(depth)));
    }
    refused(&text, "NestingLimit");
    let deepest = 199;
    let nested = format!("{}x{}", "[".repeat(deepest), "]".repeat(deepest));
    assert!(load(&nested, &Limits::default()).is_ok());
    // Aliases add up, too.
    let half = 150;
    let text = format!(
        "a: &a {}x{}\nb: {}*a{}\n",
        "[".repeat(half),
        "]".repeat(half),
        "[".repeat(half),
        "]".repeat(half)
    );
    refused(&text, "NestingLimit");
}

#[test]
fn repeated_keys_name_both_places() {
    let error = refused("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n", "DuplicateKey");
    assert_eq!(
        error.to_string(),
        "line 6: key `a` is already set at line 1"
    );
    let YamlError::DuplicateKeys { keys, .. } =
        refused("a: {b: 1, b: 2}\nc: {d: 1, d: 2}\n", "DuplicateKey")
    else {
        panic!("another error");
    };
    assert_eq!(keys.len(), 2);
    let many: String = (0..60_000).map(|n| format!("k{n}: 1\n")).collect();
    assert!(load(&many, &Limits::default()).is_ok());
    refused(&format!("{many}k7: 2\n"), "DuplicateKey");
    refused(&"a: 1\n".repeat(50_000), "DuplicateKey");
}

#[test]
fn nothing_is_constructed_from_tags() {
    for text in [
        "a: !!python/object:os.system x\n",
        "a: !Foo bar\n",
        "a: !Foo {b: 1}\n",
        "!x a: 1\n",
        "!!binary '%'\n",
        "a: !!int x\n",
    ] {
        refused(text, "YamlTagUnknown");
    }
    for text in ["a: {<<: 1}\n", "a: {<<: [1]}\n", "a: {<<: ~}\n"] {
        refused(text, "YamlMergeInvalid");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_offset() {
    for (bytes, offset) in [
        (&b"a: \xff"[..], 3),
        (b"\xff\xfea\x00:\x00", 0),
        (b"a: \xed\xa0\x80", 3),
        (b"a: \xc3", 3),
    ] {
        let error = yaml::decode(bytes).expect_err("no UTF-8");
        assert!(matches!(error, YamlError::Encoding { offset: at, .. } if at == offset));
        assert_eq!(error.code().0, "InvalidUtf8");
    }
    for text in ["a: \0", "a: \u{1}", "a: \u{7f}", "a: \u{80}", "a: \u{ffff}"] {
        let error = refused(text, "InvalidUtf8");
        assert!(matches!(error, YamlError::Encoding { offset: 3, .. }));
    }
    assert!(load("\u{feff}a: \u{2028}\u{85}\n", &Limits::default()).is_ok());
}

#[test]
fn sizes_are_limited() {
    refused(&"#".repeat((10 << 20) + 1), "FileTooLarge");
    refused(&format!("a: {}", "x".repeat((3 << 20) + 1)), "FileTooLarge");
    refused(&"---\na: 1\n".repeat(5_001), "DocumentLimit");
    let loaded = load(&"---\n# nothing\n".repeat(5_000), &Limits::default());
    assert_eq!(loaded, Ok(Vec::new()));
}

#[test]
fn awkward_texts_take_no_longer_than_their_share() {
    let size = 400_000;
    for text in [
        "a".repeat(size),
        "# c\n".repeat(size / 4),
        "\n".repeat(size),
        " ".repeat(size),
        format!("a:{}", "\n".repeat(size)),
        format!("{}b", "# c\n\n".repeat(size / 5)),
        format!("\"{}\"", "\\n".repeat(size / 2)),
        format!("'{}'", "''".repeat(size / 2)),
        format!("\"{}\"", "a\n".repeat(size / 2)),
        format!("a: |\n{}", "  b\n\n".repeat(size / 5)),
        format!("[{}]", "a,".repeat(size / 2)),
        format!(
            "{{{}}}",
            (0..size / 10)
                .map(|n| format!("a{n}: 1,"))
                .collect::<String>()
        ),
        "- a\n".repeat(size / 4),
        "- # c\n  a\n".repeat(size / 10),
        "a b\n".repeat(size / 4),
        "&a ".repeat(size / 3),
        "? ".repeat(150),
        format!("{}: b", "a".repeat(size)),
        "a: &x 1\n---\n".repeat(4_000),
        "é: ü\n---\n".repeat(4_000),
    ] {
        let start = Instant::now();
        let parsed = yaml::parse_sources(&text, &Limits::default());
        if let Ok(sources) = parsed {
            let written = yaml::emit_sources(&sources, &yaml::EmitOptions::default());
            // Indentation grows with depth, which is limited.
            assert!(written.len() < 4 * text.len() + 100_000);
        }
        // A debug build on a busy machine; what is quadratic takes minutes.
        assert!(start.elapsed() < Duration::from_secs(5), "{:.20}", text);
    }
}

#[test]
fn a_text_cut_anywhere_is_an_error_or_a_beginning() {
    let text = "# c\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"a\", labels: {b: 'c'}}\ndata:\n  key: |\n    one\n    two\n  other: &x >-\n    three\n  again: *x\nlist:\n- a: 1\n  b: [x, \"y\"]\n";
    let whole = load(text, &Limits::default()).expect("it is valid");
    for end in 0..text.len() {
        let Ok(documents) = load(&text[..end], &Limits::default()) else {
            continue;
        };
        for document in &documents {
            let Some(map) = document.node.as_map() else {
                continue;
            };
            // Every whole key but the last is as in the whole text.
            for key in map.keys().take(map.len().saturating_sub(1)) {
                assert_eq!(map.get(key), whole[0].node.get(key), "{end}");
            }
        }
    }
}
