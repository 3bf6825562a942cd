//! Charts that are folders: what is read, what is refused, and every chart of the corpus.

use std::fs;

use diag::Explain as _;
use helm::{Assembly, Chart, Profile};
use object::Map;
use tree::{Entry, TreeBuilder, TreePath};

use crate::support::{chart, load};

fn refused(files: &[(&str, &str)], profile: Profile) -> String {
    let error = chart(files, profile).unwrap_err();
    format!("{} {error}", error.code())
}

#[test]
fn what_charts_say_about_themselves_is_checked() {
    let json = "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal";
    let head = "apiVersion: v2\nname: c\nversion: 1.0.0\n";
    for (text, wanted) in [
        (String::new(), "ChartInvalid validation: chart.metadata.name is required".to_owned()),
        ("name: c".into(), "ChartInvalid validation: chart.metadata.version is required".into()),
        ("{name: c/d, version: 1.0.0}".into(), r#"ChartNameInvalid validation: chart.metadata.name "c/d" is invalid"#.into()),
        ("{name: .., version: 1.0.0}".into(), r#"ChartNameInvalid validation: chart.metadata.name ".." is not allowed"#.into()),
        ("{name: c, version: v1x}".into(), r#"ChartInvalid validation: chart.metadata.version "v1x" is invalid"#.into()),
        (format!("{head}type: other"), "ChartInvalid validation: chart.metadata.type must be application or library".into()),
        (format!("{head}dependencies: [null]"), "ChartInvalid validation: dependencies must not contain empty or null nodes".into()),
        (format!("{head}maintainers: [null]"), "ChartInvalid validation: maintainers must not contain empty or null nodes".into()),
        (format!("{head}dependencies: [{{name: a}}, {{name: b, alias: a}}]"), r#"ChartInvalid validation: more than one dependency with name or alias "a""#.into()),
        (format!("{head}dependencies: [{{name: a, alias: a.b}}]"), r#"ChartInvalid validation: dependency "a" has disallowed characters in the alias"#.into()),
        (format!("{head}dependencies: [{{name: a, alias: null}}]"), String::new()),
        ("{name: c, version: [1]}".into(), format!("ChartInvalid {json} array into Go struct field Metadata.version of type string")),
        (format!("{head}keywords: {{a: 1}}\ndependencies: [{{name: [a]}}]"), format!("ChartInvalid {json} array into Go struct field Dependency.dependencies.name of type string")),
        (format!("{head}maintainers: [{{name: {{a: 1}}}}]"), format!("ChartInvalid {json} object into Go struct field Maintainer.maintainers.name of type string")),
        (format!("{head}maintainers: [a]"), format!("ChartInvalid {json} string into Go struct field Metadata.maintainers of type v2.Maintainer")),
        (format!("{head}deprecated: \"yes\""), format!("ChartInvalid {json} string into Go struct field Metadata.deprecated of type bool")),
        (format!("{head}annotations: [a]"), format!("ChartInvalid {json} array into Go struct field Metadata.annotations of type map[string]string")),
        (format!("{head}annotations: {{a: [b]}}"), format!("ChartInvalid {json} array into Go struct field Metadata.annotations of type string")),
        ("- a".into(), format!("ChartInvalid {json} array into Go value of type loader.chartBase")),
        ("a: b: c".into(), "ChartInvalid cannot load Chart.yaml: error converting YAML to JSON: yaml: mapping values are not allowed in this context".into()),
        ("{apiVersion: v3, name: c, version: 1.0.0}".into(), "ChartInvalid invalid chart apiVersion".into()),
        ("{apiVersion: x, name: c, version: 1.0.0}".into(), "ChartInvalid unsupported chart version".into()),
    ] {
        let got = match chart(&[("Chart.yaml", &text)], Profile::Helm4) {
            Ok(_) => String::new(),
            Err(error) => format!("{} {error}", error.code()),
        };
        assert_eq!(got, wanted, "{text}");
    }
    assert_eq!(
        refused(&[], Profile::Helm4),
        "ChartNotFound Chart.yaml file is missing"
    );
}

#[test]
fn locks_are_locks() {
    let json = "error unmarshaling JSON: while decoding JSON:";
    let wrong = format!("{json} json: cannot unmarshal");
    let time = "as \"2006-01-02T15:04:05Z07:00\": cannot parse";
    for (text, wanted) in [
        ("null", String::new()),
        (
            "{other: 1, digest: 1, dependencies: null, generated: null}",
            String::new(),
        ),
        (
            "generated: '2023-01-02T3:04:05.123456789+24:00'",
            String::new(),
        ),
        ("generated: 2023-01-02T03:04:05,5Z", String::new()),
        ("x", format!("{wrong} string into Go value of type v2.Lock")),
        (
            "digest: [1]",
            format!("{wrong} array into Go struct field Lock.digest of type string"),
        ),
        (
            "dependencies: x",
            format!(
                "{wrong} string into Go struct field Lock.dependencies of type []*v2.Dependency"
            ),
        ),
        (
            "dependencies: [x]",
            format!("{wrong} string into Go struct field Lock.dependencies of type v2.Dependency"),
        ),
        (
            "dependencies: [{name: [1]}]",
            format!(
                "{wrong} array into Go struct field Dependency.dependencies.name of type string"
            ),
        ),
        (
            "generated: 2023-01-02",
            format!("{json} parsing time \"2023-01-02\" {time} \"\" as \"T\""),
        ),
        (
            "{dependencies: [x], generated: y}",
            format!("{json} Time.UnmarshalJSON: input is not a JSON string"),
        ),
    ] {
        for (version, file) in [("v2", "Chart.lock"), ("v1", "requirements.lock")] {
            let chart_yaml = format!("{{apiVersion: {version}, name: c, version: 1.0.0}}");
            let got = match chart(&[("Chart.yaml", &chart_yaml), (file, text)], Profile::Helm4) {
                Ok(_) => String::new(),
                Err(error) => error.to_string(),
            };
            let wanted = match wanted.is_empty() {
                true => String::new(),
                false => format!("cannot load {file}: {wanted}"),
            };
            assert_eq!(got, wanted, "{text}");
        }
    }
}

#[test]
fn scalars_become_texts_where_texts_are_wanted() {
    let text = "Name: \"c\\u0007\\td\"\nversion: 1.10\nappVersion: 1.10\nkeywords: [1.50, true, 0x10, 1e30, 2020-01-01]\nannotations: {a: 1, b: yes, c: null}\n";
    let chart = chart(&[("Chart.yaml", text)], Profile::Helm4).unwrap();
    let data = &chart.metadata;
    assert_eq!(
        (&*data.api_version, &*data.name, &*data.version),
        ("v1", "c d", "1.1")
    );
    assert_eq!(data.app_version, "1.1");
    assert_eq!(data.keywords, ["1.5", "true", "16", "1e+30", "2020-01-01"]);
    let annotations: Vec<(&str, &str)> = data
        .annotations
        .iter()
        .map(|(key, value)| (&**key, &**value))
        .collect();
    assert_eq!(annotations, [("a", "1"), ("b", "true"), ("c", "")]);
}

#[test]
fn charts_inside_say_which_they_are() {
    let head = ("Chart.yaml", "{apiVersion: v2, name: c, version: 1.0.0}");
    for (file, text, wanted) in [
        (
            "charts/k/Chart.yaml",
            "name: k",
            "ChartInvalid error unpacking subchart k in c: validation: chart.metadata.version is required",
        ),
        (
            "charts/k/Chart.yaml",
            "a",
            "ChartInvalid error unpacking subchart k in c: cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type v2.Metadata",
        ),
        (
            "charts/readme.md",
            "x",
            "ChartNotFound error unpacking subchart readme.md in c: Chart.yaml file is missing",
        ),
        (
            "charts/k.tgz",
            "x",
            "ArchiveDamaged error unpacking subchart k.tgz in c: unexpected EOF",
        ),
        (
            "charts/k.tgz",
            "no archive at all",
            "ArchiveDamaged error unpacking subchart k.tgz in c: gzip: invalid header",
        ),
    ] {
        assert_eq!(refused(&[head, (file, text)], Profile::Helm4), wanted);
    }
    let fine = chart(
        &[
            head,
            ("charts/.x/y", "z"),
            ("charts/_x/y", "z"),
            ("charts/k.prov", "p"),
        ],
        Profile::Helm4,
    )
    .unwrap();
    assert!(fine.charts.is_empty());
    assert_eq!(fine.files[0].name, "charts/k.prov");
}

#[test]
fn links_are_followed_inside_the_tree_only() {
    let path = |text: &str| TreePath::new(text).unwrap();
    let with = |link: &str, target: &str| {
        let mut builder = TreeBuilder::default();
        builder.file(path("c/Chart.yaml"), *b"{name: c, version: 1.0.0}");
        builder.file(path("shared/x.tpl"), *b"shared");
        builder.add(path(link), Entry::Link(target.to_owned()));
        Chart::from_tree(&builder.build(), &path("c"), Profile::Helm4)
    };
    for target in ["../../shared/x.tpl", "x"] {
        let read = with("c/templates/_x.tpl", target);
        match target {
            "x" => {
                let wanted = "symbolic link `c/templates/_x.tpl` leads to `c/templates/x`, and there is no such file here";
                assert_eq!(read.unwrap_err().to_string(), wanted);
            }
            _ => assert_eq!(&**read.unwrap().templates[0].content.bytes(), b"shared"),
        }
    }
    assert_eq!(with("c/templates", "../shared").unwrap().templates.len(), 1);
    for target in ["../../etc/passwd", "/etc/passwd"] {
        for link in ["c/values.yaml", "c/Chart.lock", "c/x"] {
            let error = with(link, target).unwrap_err();
            assert_eq!(error.code().0, "SymlinkOutsideTree", "{link} {target}");
            assert!(error.to_string().contains(link), "{error}");
        }
    }
    for target in [".", "..", "../c"] {
        assert!(with("c/loop", target).is_err(), "{target}");
    }
}

#[test]
fn what_a_chart_needs_has_to_be_there() {
    let needs = "{apiVersion: v2, name: c, version: 1.0.0, dependencies: [{name: k}, {name: l}]}";
    let read = chart(&[("Chart.yaml", needs)], Profile::Helm4).unwrap();
    for (profile, before) in [
        (
            Profile::Helm4,
            "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies",
        ),
        (
            Profile::Helm3,
            "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies",
        ),
    ] {
        let error = helm::dependencies::check(&read, profile).unwrap_err();
        let wanted =
            format!("{before}: found in Chart.yaml, but missing in charts/ directory: k, l");
        assert_eq!(error.to_string(), wanted);
    }
    let library = "{apiVersion: v2, name: c, version: 1.0.0, type: library}";
    let library = chart(&[("Chart.yaml", library)], Profile::Helm4).unwrap();
    let error = helm::dependencies::check(&library, Profile::Helm4).unwrap_err();
    assert_eq!(error.to_string(), "library charts are not installable");
}

#[test]
fn templates_come_deepest_first_and_libraries_have_only_partials() {
    let files = [
        ("Chart.yaml", "{apiVersion: v2, name: top, version: 1.0.0}"),
        ("templates/a.yaml", ""),
        ("templates/_b.tpl", ""),
        ("templates/sub/c.yaml", ""),
        (
            "charts/lib/Chart.yaml",
            "{apiVersion: v2, name: lib, version: 1.0.0, type: library}",
        ),
        ("charts/lib/templates/_d.tpl", ""),
        ("charts/lib/templates/e.yaml", ""),
    ];
    let chart = chart(&files, Profile::Helm4).unwrap();
    let assembly = Assembly::new(&chart, &Map::new(), Profile::Helm4, &mut Vec::new()).unwrap();
    let templates = assembly.templates();
    let paths: Vec<&str> = templates.iter().map(|template| &*template.path).collect();
    assert_eq!(
        paths,
        [
            "top/charts/lib/templates/_d.tpl",
            "top/templates/sub/c.yaml",
            "top/templates/a.yaml",
            "top/templates/_b.tpl",
        ]
    );
    assert_eq!(templates[0].base_path, "top/charts/lib/templates");
    assert!(templates[0].is_partial() && !templates[1].is_partial());
}

#[test]
fn every_chart_of_the_corpus_loads() {
    let Some(corpus) = testkit::corpus("helm") else {
        return;
    };
    let mut names: Vec<_> = fs::read_dir(corpus.join("charts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    assert!(names.len() > 30, "only {} charts", names.len());
    for path in names {
        for profile in [Profile::Helm4, Profile::Helm3] {
            let read = load(&path, profile);
            // Its `.helmignore` leaves nothing, in the reference, too.
            if path.ends_with("probe-ignore-0.1.0") {
                assert_eq!(read.unwrap_err(), helm::ChartError::Missing);
                continue;
            }
            let chart = read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(!chart.name().is_empty());
            let mut warnings = Vec::new();
            let assembly = Assembly::new(&chart, &Map::new(), profile, &mut warnings).unwrap();
            for (path, _) in assembly.walk() {
                assert!(path.starts_with(chart.name()), "{path}");
            }
        }
    }
}

#[test]
fn linting_the_corpus_finds_no_fault_in_schemas() {
    let Some(corpus) = testkit::corpus("helm") else {
        return;
    };
    let mut linted = 0;
    for entry in fs::read_dir(corpus.join("charts")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(chart) = load(&path, Profile::Helm4) else {
            continue;
        };
        linted += 1;
        let found = helm::lint(&chart, &[], Profile::Helm4).expect("templates");
        let wrong = found.iter().filter(|finding| {
            finding.code.0 == "ValuesSchemaMismatch" || finding.message.starts_with("the schema")
        });
        let wrong: Vec<&str> = wrong.map(|finding| finding.message.as_str()).collect();
        assert_eq!(wrong, [""; 0], "{}", path.display());
        let unknown = found.iter();
        let unknown = unknown.filter(|finding| finding.code.0 == "ChartValueUnknown");
        let unknown: Vec<&str> = unknown.map(|finding| finding.message.as_str()).collect();
        // This is one.
        let wanted: &[&str] = match chart.name() {
            "argo-cd" => &["the chart knows no value `redis-ha.haproxy.tolerations`"],
            _ => &[],
        };
        assert_eq!(unknown, wanted, "{}", path.display());
        // What libraries read is read.
        for name in [
            "nameOverride",
            "fullnameOverride",
            "kubeVersion",
            "auth.password",
        ] {
            let told = format!("no template reads the value `{name}`");
            assert!(
                found.iter().all(|finding| finding.message != told),
                "{}: {name}",
                path.display()
            );
        }
    }
    assert!(linted > 30, "only {linted} charts");
}
