//! A recorder is told what a template learns from its values, and of nothing it merely passes on.

use std::cell::RefCell;

use gotemplate::{Context, Limits, Map, MissingKey, Recorder, Use, Value};

use crate::fixture::{Nowhere, data, set};

#[derive(Default)]
struct Reads(RefCell<Vec<String>>);

/// What to call a map: its smallest key.
fn name(map: &Map) -> String {
    let entries = map.entries();
    let first = entries.keys().next();
    first.map_or_else(|| "{}".into(), |key| format!("{{{}}}", key.to_text()))
}

impl Recorder for Reads {
    fn key(&self, map: &Map, key: &[u8]) {
        let key = String::from_utf8_lossy(key);
        self.0.borrow_mut().push(format!("{}.{key}", name(map)));
    }

    fn whole(&self, value: &Value, how: Use) {
        let name = match value {
            Value::Map(map) => name(map),
            other => other.type_name().into(),
        };
        self.0.borrow_mut().push(format!("{how:?} {name}"));
    }

    fn changed(&self, map: &Map) {
        self.0.borrow_mut().push(format!("Changed {}", name(map)));
    }
}

#[test]
fn reads_are_recorded() {
    for (template, expected) in [
        ("{{ .Values.s }}", "{V}.Values {b}.s"),
        ("{{ .Values.nope }}", "{V}.Values {b}.nope"),
        ("{{ .Values.m.x.z }}", "{V}.Values {b}.m {x}.x {z}.z"),
        ("{{ .Values.m }}", "{V}.Values {b}.m Printed {x}"),
        (
            "{{ $x := .Values.m }}{{ with $x }}{{ end }}",
            "{V}.Values {b}.m Truth {x}",
        ),
        (
            "{{ range .Values.m }}{{ .z }}{{ end }}",
            "{V}.Values {b}.m Elements {x} {z}.z",
        ),
        (
            "{{ range .Values.l }}{{ end }}",
            "{V}.Values {b}.l Elements []interface {}",
        ),
        ("{{ keep .Values.m }}", "{V}.Values {b}.m Passed {x}"),
        ("{{ len .Values.m }}", "{V}.Values {b}.m Length {x}"),
        (
            r#"{{ index .Values "m" "x" }}"#,
            "{V}.Values {b}.m {x}.x Printed {z}",
        ),
        (
            r#"{{ include "s" .Values.m }}{{ template "s" .Values }}"#,
            "{V}.Values {b}.m {x}.x Printed {z} {V}.Values {b}.x",
        ),
        (
            r#"{{ $d := dict "top" $ }}{{ $d.top.Values.i }}"#,
            "{top}.top {V}.Values {b}.i",
        ),
        (
            r#"{{ (.Values.Table "m").x }}"#,
            "{V}.Values Passed {b} {x}.x Printed {z}",
        ),
        ("{{ and .Values.m 1 }}", "{V}.Values {b}.m Truth {x}"),
        ("{{ print .Values.m }}", "{V}.Values {b}.m Printed {x}"),
        ("{{ eq .Values.m nil }}", "{V}.Values {b}.m Length {x}"),
    ] {
        let set = set(template.as_bytes(), MissingKey::Zero).expect("it parses");
        let reads = Reads::default();
        let mut host = ();
        let mut context = Context::new(&set, &Nowhere, &mut host, Limits::default());
        context.record(Some(&reads));
        context
            .execute(b"F", &data(), &mut Vec::new())
            .expect("it runs");
        assert_eq!(reads.0.borrow().join(" "), expected, "{template}");
    }
}
