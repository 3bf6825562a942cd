//! Charts and the flags they are rendered with.

use std::collections::BTreeMap;

use testkit::Dice;

use super::expression::{self, Kind, Known, Maker};
use super::family;
use super::functions::Call;
use super::template::{self, Writer};
use super::values::{self, Tree, Value};

/// A chart, and how it is rendered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// The chart's files; those of `-f` are below `values/`.
    pub files: BTreeMap<String, String>,
    /// Flags with their values: one entry each, `--set a=b` as two words.
    pub flags: Vec<Vec<String>>,
    /// What was used to make it.
    pub reach: Vec<String>,
}

/// Of the charts, how many percent may have arguments of wrong kinds.
const RISKY: usize = 20;

/// How many percent have a mistake in the syntax of a template.
const DAMAGED: usize = 4;

pub fn make(dice: &mut Dice, calls: &[Call]) -> Case {
    let mut case = Case::default();
    let mut tree = values::tree(dice, 0);
    if dice.percent(60) {
        tree.push("wild", values::wild(dice));
    }
    let has_kid = dice.percent(30);
    let mut paths = known(&tree, ".Values");
    if dice.percent(15) {
        case.reach.push("values: global".into());
        tree.push("global", Value::Map(values::tree(dice, 1)));
    }
    let dependencies = match has_kid {
        true => family::add(dice, &mut case, &mut tree, calls),
        false => String::new(),
    };
    metadata(dice, &mut case, &dependencies);
    flags(dice, &mut case, &mut paths, has_kid);
    if dice.percent(12) {
        // Kinds may change.
        paths.retain(|known| !known.text.contains(".Values"));
        case.reach.push("values: nulls over defaults".into());
        let over = family::over(dice, &tree, 0);
        let name = "values/over.yaml".to_owned();
        case.files.insert(name.clone(), values::write(&over, dice));
        case.flags.push(vec!["-f".to_owned(), name]);
    }
    if dice.percent(7) {
        schema(dice, &mut case);
    }
    if dice.one_in(15) {
        paths.retain(|known| !known.text.contains(".Values") || known.text == ".Values.nope");
    } else {
        case.files
            .insert("values.yaml".into(), values::write(&tree, dice));
    }
    extra_files(dice, &mut case);
    templates(dice, &mut case, calls, &paths);
    if dice.percent(DAMAGED) {
        damage(dice, &mut case);
    }
    case
}

/// Paths of values, and fixed ones that are always there.
pub fn known(tree: &Tree, root: &str) -> Vec<Known> {
    let mut paths = Vec::new();
    values::paths(tree, root, &mut paths);
    for (text, kind) in [
        (".Release.Name", Kind::Text),
        (".Release.Namespace", Kind::Text),
        (".Release.IsUpgrade", Kind::Bool),
        (".Release.IsInstall", Kind::Bool),
        (".Release.Revision", Kind::Int),
        (".Release.Service", Kind::Text),
        (".Chart.Name", Kind::Text),
        (".Chart.Version", Kind::Text),
        (".Template.Name", Kind::Text),
        (".Template.BasePath", Kind::Text),
        (".Capabilities.KubeVersion.Version", Kind::Text),
        (".Capabilities.KubeVersion.Minor", Kind::Text),
        (".Capabilities.APIVersions", Kind::Any),
        ("(.Capabilities.APIVersions.Has \"apps/v1\")", Kind::Bool),
        (
            "(.Capabilities.APIVersions.Has \"example.com/v1/Foo\")",
            Kind::Bool,
        ),
        (".Values.nope", Kind::Any),
        (".Chart", Kind::Any),
        (".Release", Kind::Any),
        (".Template", Kind::Any),
        ("(.Files.Get \"files/a.txt\")", Kind::Text),
        ("(.Files.Get \"nope\")", Kind::Text),
        ("(.Files.Lines \"files/a.txt\")", Kind::Texts),
        ("(.Files.Lines \"files/b.cfg\")", Kind::Texts),
        ("(.Files.Get \"files/deep/c.txt\")", Kind::Text),
        ("((.Files.Glob \"files/[ab].*\").AsConfig)", Kind::Text),
        ("((.Files.Glob \"{files,nope}/**\").AsSecrets)", Kind::Text),
        ("((.Files.Glob \"*\").AsConfig)", Kind::Text),
        (".Capabilities.KubeVersion.Major", Kind::Text),
        (".Capabilities.KubeVersion.GitVersion", Kind::Text),
        (".Capabilities.HelmVersion.Version", Kind::Text),
        ("(.Capabilities.APIVersions.Has \"v1\")", Kind::Bool),
        (
            "(.Capabilities.APIVersions.Has \"apps/v1/Deployment\")",
            Kind::Bool,
        ),
        ("(.Capabilities.APIVersions.Has \"x/y\")", Kind::Bool),
        ("((.Files.Glob \"files/*\").AsConfig)", Kind::Text),
        ("((.Files.Glob \"**.txt\").AsSecrets)", Kind::Text),
        (".Files.AsConfig", Kind::Text),
        ("(.Files.GetBytes \"files/a.txt\")", Kind::Any),
    ] {
        paths.push(Known {
            text: text.into(),
            kind,
        });
    }
    paths
}

fn metadata(dice: &mut Dice, case: &mut Case, dependencies: &str) {
    let mut text = format!(
        "apiVersion: {}\nname: c\nversion: {}\n",
        if dice.one_in(10) { "v1" } else { "v2" },
        dice.pick(&["0.1.0", "1.2.3-beta.1+meta", "v2.0.0", "1.0"]),
    );
    let maybe = |dice: &mut Dice, line: &str, text: &mut String| {
        if dice.one_in(4) {
            text.push_str(line);
            text.push('\n');
        }
    };
    maybe(dice, "appVersion: \"1.16\"", &mut text);
    maybe(dice, "description: A chart", &mut text);
    maybe(dice, "type: application", &mut text);
    maybe(dice, "home: https://example.com", &mut text);
    maybe(dice, "icon: https://example.com/i.png", &mut text);
    maybe(dice, "keywords: [x, \"y\"]", &mut text);
    maybe(dice, "sources:\n- https://example.com/src", &mut text);
    maybe(
        dice,
        "maintainers:\n- name: Jo\n  email: jo@example.com\n- name: Al\n  url: https://al",
        &mut text,
    );
    maybe(dice, "annotations:\n  a: b\n  c.d/e: \"1\"", &mut text);
    if dice.one_in(10) {
        let range = dice.pick(&[
            ">=1.20.0-0",
            ">= 1.21",
            "^1.0.0",
            "<1.0.0",
            "*",
            ">=1.16 <2",
            "1.x",
            ">1.2.3",
        ]);
        text.push_str(&format!("kubeVersion: \"{range}\"\n"));
        case.reach.push("chart: kubeVersion".into());
    }
    if dice.one_in(30) {
        text.push_str("deprecated: true\n");
    }
    text.push_str(dependencies);
    case.files.insert("Chart.yaml".into(), text);
}

/// What files hold that are no templates.
const FILES: &[&str] = &[
    "first\nsecond: é\n\nlast",
    "[x]\ny = \"z\"\n",
    "one\ntwo\n",
    "\n",
    "\n\nz\n\n",
    "a\r\nb\r\n",
    "",
    "x",
    "{{ .Release.Name }}\n",
    "nul\0byte",
];

/// Files that are no templates.
fn extra_files(dice: &mut Dice, case: &mut Case) {
    if dice.one_in(2) {
        let text = dice.pick(FILES);
        case.files.insert("files/a.txt".into(), text.into());
    }
    if dice.one_in(4) {
        let text = dice.pick(FILES);
        case.files.insert("files/b.cfg".into(), text.into());
        let text = dice.pick(FILES);
        case.files.insert("files/deep/c.txt".into(), text.into());
    }
    if dice.one_in(10) {
        case.files.insert(
            "crds/foo.yaml".into(),
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: foos.example.com\n".into(),
        );
        case.reach.push("chart: crds".into());
    }
    if dice.one_in(14) {
        let rule = dice.pick(&[
            "*.txt",
            "files/",
            "!*.yaml",
            "/files/b.cfg",
            "# c\n*.cfg",
            "templates/t1.yaml",
            "[ab].txt",
            "**",
            "charts/",
        ]);
        case.files.insert(".helmignore".into(), format!("{rule}\n"));
        case.reach.push("chart: .helmignore".into());
    }
}

fn schema(dice: &mut Dice, case: &mut Case) {
    let of = dice.pick(&[
        r#"{"type":"object"}"#,
        r#"{"type":"object","required":["zz"]}"#,
        r#"{"type":"object","additionalProperties":{"not":{"const":1.25}}}"#,
        r##"{"$defs":{"t":{"type":["object","string","number","null","array","boolean"]}},"properties":{"a":{"$ref":"#/$defs/t"}}}"##,
        r#"{"properties":{"a":{"type":"string"},"b":{"type":["number","null"]}}}"#,
        r#"{"properties":{"name":{"enum":["a",1,null]},"x":{"minLength":3},"c":{"maximum":3}}}"#,
        r#"{"additionalProperties":false,"properties":{"a":true}}"#,
        r##"{"$defs":{"t":{"type":"object"}},"properties":{"a":{"$ref":"#/$defs/t"}}}"##,
        r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"foo":{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"number"}}]}}}"#,
        r#"{"minProperties":2,"maxProperties":3}"#,
        r#"{"properties":{"bar":{"type":"array","uniqueItems":true,"minItems":2},"zed":{"pattern":"^z"}}}"#,
        r#"{"not":{"required":["a"]}}"#,
    ]);
    case.files
        .insert("values.schema.json".into(), of.to_owned());
    case.reach.push("chart: schema".into());
}

fn flags(dice: &mut Dice, case: &mut Case, paths: &mut Vec<Known>, has_kid: bool) {
    let add = |case: &mut Case, name: &str, value: Option<String>| {
        case.reach.push(format!("flag: {name}"));
        let mut flag = vec![name.to_owned()];
        flag.extend(value);
        case.flags.push(flag);
    };
    if dice.percent(15) {
        let tree = values::tree(dice, 1);
        case.files
            .insert("values/more.yaml".into(), values::write(&tree, dice));
        add(case, "-f", Some("values/more.yaml".into()));
        // Kinds may change.
        paths.retain(|known| !known.text.starts_with(".Values") || dice.one_in(2));
    }
    if dice.percent(15) {
        let set = dice.pick(&[
            "set1=5,set2.x=str,set3={a,b},set4=true",
            "set1=-17",
            "set1=9007199254740993,set2.x=1e3",
            "set1=0,set2.x=",
        ]);
        paths.push(Known {
            text: ".Values.set1".into(),
            kind: Kind::Int64,
        });
        if set.contains("set2") {
            paths.push(Known {
                text: ".Values.set2.x".into(),
                kind: Kind::Text,
            });
        }
        paths.push(Known {
            text: ".Values.set3".into(),
            kind: Kind::Any,
        });
        add(case, "--set", Some(set.into()));
    }
    if dice.percent(8) {
        let set = dice.pick(&[
            "a=null",
            "a[2].x=1",
            "a=1",
            "a.b.c=x",
            "a\\.b=1",
            "name={}",
            "x=01",
            "foo={1,true,null}",
            "a[0]=z",
            "bar=a\\,b",
            "b=1.5",
            "kid.enabled=false",
            "kid.enabled=true",
            "tags.front=false",
            "global.g=7",
            "kid.a=null",
            "kid=5",
            "global=1",
            "a=yes",
            "a",
            "a=,b=",
            "a[=1",
            "a[-1]=1",
            "a={x",
            "=1",
            "a..b=1",
            "kid.global.z=1",
            "a[1][0]=2",
            "zed= sp ",
            "a=1,b",
        ]);
        // Kinds may change.
        paths.retain(|known| !known.text.starts_with(".Values"));
        add(case, "--set", Some(set.into()));
    }
    if dice.percent(6) {
        add(
            case,
            "--set-string",
            Some(
                dice.pick(&["strs.n=5,strs.t=true", "strs=null", "strs[0]=1", "strs.e="])
                    .into(),
            ),
        );
        paths.push(Known {
            text: ".Values.strs".into(),
            kind: Kind::Any,
        });
    }
    if dice.percent(6) {
        add(
            case,
            "--set-json",
            Some(
                dice.pick(&[
                    "js={\"a\":1,\"b\":[null,1.5]}",
                    "js=[1,2]",
                    "{\"js\":{\"x\":true}}",
                    "js=nope",
                    "js=1e21",
                    "js.k=\"t\"",
                    "js=null",
                    "{\"js\":",
                    "js=12345678901234567890",
                ])
                .into(),
            ),
        );
        paths.push(Known {
            text: ".Values.js".into(),
            kind: Kind::Any,
        });
    }
    if dice.percent(4) {
        add(
            case,
            "--set-literal",
            Some(
                dice.pick(&["lit=a,b=c{d}\\", "lit.x=null", "lit[0]=1"])
                    .into(),
            ),
        );
        paths.push(Known {
            text: ".Values.lit".into(),
            kind: Kind::Any,
        });
    }
    if dice.percent(8) {
        let version = dice.pick(&[
            "1.29.3",
            "v1.30.0-gke.100",
            "1.21",
            "v1.19.16+k3s1",
            "1.33.0",
            "v1.25",
            "nope",
            "1.2.3.4",
        ]);
        add(case, "--kube-version", Some(version.into()));
    }
    if dice.percent(6) {
        add(
            case,
            "--api-versions",
            Some(
                dice.pick(&["example.com/v1/Foo", "apps/v9,x/y", "z"])
                    .into(),
            ),
        );
    }
    if dice.percent(8) {
        add(
            case,
            "--namespace",
            Some(dice.pick(&["ns", "kube-system", "Ünicode", ""]).into()),
        );
    }
    if dice.percent(6) {
        add(case, "--is-upgrade", None);
    }
    if dice.percent(6) {
        add(case, "--no-hooks", None);
    }
    if dice.percent(6) {
        add(case, "--skip-tests", None);
    }
    if dice.percent(8) {
        add(case, "--include-crds", None);
    }
    if dice.percent(3) {
        add(case, "--skip-schema-validation", None);
    }
    if dice.percent(4) {
        let only = match has_kid {
            true => dice.pick(&[
                "templates/t0.yaml",
                "charts/kid/templates/kid.yaml",
                "templates/*.yaml",
            ]),
            false => dice.pick(&[
                "templates/t0.yaml",
                "templates/*.yaml",
                "templates/nope.yaml",
                "t0.yaml",
            ]),
        };
        add(case, "--show-only", Some(only.into()));
    }
}

fn templates(dice: &mut Dice, case: &mut Case, calls: &[Call], paths: &[Known]) {
    let risky = dice.percent(RISKY);
    let mut reach = Vec::new();
    let mut defined = Vec::new();
    if dice.percent(70) {
        let mut maker = Maker {
            dice,
            calls,
            known: paths.to_vec(),
            defined: Vec::new(),
            root: "$",
            risks: 0,
            reach: &mut reach,
        };
        let (text, names) = template::helpers(&mut maker);
        case.files.insert("templates/_helpers.tpl".into(), text);
        defined = names;
    }
    let count = if risky { 1 } else { dice.between(1, 3) };
    for at in 0..count {
        let mut known = paths.to_vec();
        // A chart with few paths at hand uses variables and literals more.
        dice.shuffle(&mut known);
        known.truncate(24);
        let mut maker = Maker {
            dice,
            calls,
            known,
            defined: defined.clone(),
            root: "$",
            risks: if risky { 1 } else { 0 },
            reach: &mut reach,
        };
        let mut writer = Writer::new(&mut maker);
        if risky {
            writer.risky();
        } else {
            writer.file();
        }
        let text = template::spaced(&writer.text, dice, &mut reach);
        case.files.insert(format!("templates/t{at}.yaml"), text);
    }
    if dice.one_in(6) {
        reach.push("chart: files walked".into());
        let pattern = dice.pick(&[
            "files/*",
            "**",
            "files/**",
            "*",
            "files/?.txt",
            "**.txt",
            "files/[!a].*",
            "[",
            "nope",
            "",
            "files/{a.txt,deep/*}",
            "**/c.*",
        ]);
        let text = format!(
            "walked:\n{{{{- range $path, $bytes := .Files.Glob \"{pattern}\" }}}}\n- {{{{ $path }}}}: {{{{ $.Files.Get $path | quote }}}}\n- {{{{ $.Files.Lines $path | toJson }}}}\n- {{{{ toString $bytes | b64enc }}}} {{{{ len $bytes }}}}\n{{{{- end }}}}\nall: {{{{ (.Files.Glob \"{pattern}\").AsConfig | toJson }}}}\n"
        );
        case.files.insert("templates/walk.yaml".into(), text);
    }
    if dice.percent(40) {
        reach.push("all values".into());
        case.files.insert(
            "templates/all.yaml".into(),
            "kind: All\nvalues: {{ toJson .Values }}\nsub: {{ keys .Subcharts | sortAlpha | toJson }}\n"
                .into(),
        );
    }
    if dice.one_in(8) {
        reach.push("chart: NOTES.txt".into());
        case.files.insert(
            "templates/NOTES.txt".into(),
            "Notes of {{ .Release.Name }}: {{ .Values.nope }}\n".into(),
        );
    }
    if dice.one_in(20) {
        reach.push("chart: other templates".into());
        case.files.insert(
            "templates/deep/er/x.txt".into(),
            "{{/* nothing */}}\n{{ $_ := set .Values \"changed\" true }}\n".into(),
        );
        case.files.insert(
            "templates/z.json".into(),
            "{\"kind\":\"Z\",\"v\":{{ toJson .Values.changed }}}".into(),
        );
    }
    dense(dice, case, calls, &mut reach);
    case.reach.append(&mut reach);
}

/// Many small expressions in one file: starting the tool takes longer than all of them.
fn dense(dice: &mut Dice, case: &mut Case, calls: &[Call], reach: &mut Vec<String>) {
    if dice.one_in(5) {
        reach.push("function: semverCompare".into());
        reach.push("versions near each other".into());
        let mut text = String::from("kind: Versions\n");
        for at in 0..8 {
            let (constraint, version) = expression::near_versions(dice);
            text.push_str(&format!(
                "v{at}: {{{{ semverCompare {constraint} {version} }}}}\n"
            ));
        }
        case.files.insert("templates/versions.yaml".into(), text);
    }
    if dice.one_in(3) {
        reach.push("many calls".into());
        let mut maker = Maker {
            dice,
            calls,
            known: Vec::new(),
            defined: Vec::new(),
            root: "$",
            risks: 0,
            reach,
        };
        let mut text = String::from("kind: Calls\n");
        for at in 0..10 {
            let Some(call) = maker.dice.choose(calls) else {
                return;
            };
            // Those that look at time and place, and those that mean to fail.
            if matches!(call.name, "lookup" | "getHostByName" | "required") {
                continue;
            }
            let call = maker.call_of(call, 1);
            text.push_str(&format!("c{at}: {{{{ {call} | toJson | quote }}}}\n"));
        }
        case.files.insert("templates/calls.yaml".into(), text);
    }
}

/// Takes, doubles or adds a few letters of a template.
fn damage(dice: &mut Dice, case: &mut Case) {
    case.reach.push("risk: syntax".into());
    let Some(text) = case.files.get_mut("templates/t0.yaml") else {
        return;
    };
    let places: Vec<usize> = text
        .match_indices(['{', '}', ' ', '"', '(', ')', '|', '.', '$'])
        .map(|found| found.0)
        .collect();
    let Some(&at) = dice.choose(&places) else {
        return;
    };
    match dice.below(3) {
        0 => {
            text.remove(at);
        }
        1 => text.insert_str(
            at,
            dice.pick(&[
                "{{",
                "}}",
                "\"",
                "(",
                ")",
                "|",
                " . ",
                "$x",
                "{{ end }}",
                "{{ else }}",
                "-",
                "`",
                "'",
                ":=",
                "=",
                ",",
                "@",
                "☃",
                "/*",
                "1.",
                "\\",
                "\n",
            ]),
        ),
        _ => {
            let end = text.len().min(at + 1);
            let doubled = text[at..end].to_owned();
            text.insert_str(at, &doubled);
        }
    }
}
