//! What templates find beside values, printed and written in every way.

use helm::Profile;
use helm::engine::{Engine, Programs};
use helm::{Chart, Options, TextOptions, UserValues};
use tree::{Isolated, TreeBuilder, TreePath};

/// What a chart of these files prints.
fn printed(files: &[(&str, &str)]) -> String {
    rendered(files).expect("it renders")
}

/// What a chart of these files prints, or why it prints nothing.
fn rendered(files: &[(&str, &str)]) -> Result<String, String> {
    let mut builder = TreeBuilder::default();
    for (path, text) in files {
        let path = TreePath::new(path).expect("it stays inside");
        builder.file(path, text.as_bytes());
    }
    let chart = Chart::from_tree(&builder.build(), &TreePath::root(), Profile::Helm4);
    let programs = Programs::default();
    let engine = Engine {
        programs: &programs,
        world: &Isolated,
    };
    let manifests = helm::render(
        &chart.expect("it is a chart"),
        &UserValues::default(),
        &|name| Err(name.to_owned()),
        &Options::default(),
        &engine,
        &mut Vec::new(),
    );
    let manifests = manifests.map_err(|error| error.to_string())?;
    let text = manifests.text(&TextOptions::default());
    Ok(text.expect("nothing was asked for by name"))
}

#[test]
fn arguments_of_what_is_not_there_are_not_evaluated() {
    for (value, column, shown, of) in [
        (".Capabilities", 19, ".Capabilities.Nope", "interface {}"),
        ("(semver \"1\")", 14, "\"1\"", "*semver.Version"),
        ("(genCA \"a\" 1)", 17, "1", "sprig.certificate"),
        ("(1i)", 7, "1i", "complex128"),
        (
            ".Capabilities.KubeVersion",
            19,
            ".Capabilities.KubeVersion.Nope",
            "common.KubeVersion",
        ),
    ] {
        let template = format!("a: {{{{ {value}.Nope (fail \"x\") }}}}");
        let error = rendered(&[
            ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
            ("templates/t.yaml", &template),
        ]);
        let wanted = format!(
            "c/templates/t.yaml:1:{column}\n  executing \"c/templates/t.yaml\" at <{shown}>:\n    \
             can't evaluate field Nope in type {of}"
        );
        assert_eq!(error.unwrap_err().trim_end(), wanted);
    }
}

/// `objects.out.yaml` is what `helm template` of v4.3.1 printed for a chart with this one template.
#[test]
fn objects_of_go_print_as_there() {
    let text = printed(&[
        ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
        (
            "charts/kid/Chart.yaml",
            "apiVersion: v2\nname: kid\nversion: 0.1.0\n",
        ),
        ("notes.cfg", "text"),
        ("templates/t.yaml", include_str!("recorded/objects.yaml")),
    ]);
    let wanted = include_str!("recorded/objects.out.yaml");
    for (found, wanted) in text.lines().zip(wanted.lines()) {
        assert_eq!(found, wanted);
    }
    assert_eq!(text, wanted);
}

#[test]
fn tables_in_tables_below_global_belong_to_all_charts() {
    let table = "global: {t: {x: {q: 1}, s: 1}, u: {v: 1}}\n";
    let change = "{{ $_ := set .Values.global.t.x \"new\" 1 }}{{ $_ := set .Values.global.t \"own\" 1 }}\
                  {{ $_ := set .Values.global \"top\" 1 }}";
    let show = "{{ .Values.global | toJson }}";
    // Executed from the last to the first, the deepest first.
    let files = [
        ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 0.1.0\n"),
        ("values.yaml", table),
        ("templates/a.yaml", show),
        (
            "charts/kid/Chart.yaml",
            "apiVersion: v2\nname: kid\nversion: 0.1.0\n",
        ),
        (
            "charts/kid/values.yaml",
            "global: {t: {x: {k: 2}, w: {z: 1}}}\n",
        ),
        ("charts/kid/templates/a.yaml", show),
        ("charts/kid/templates/b.yaml", change),
        (
            "charts/also/Chart.yaml",
            "apiVersion: v2\nname: also\nversion: 0.1.0\n",
        ),
        ("charts/also/templates/a.yaml", show),
    ];
    let chart = crate::support::chart(&files, Profile::Helm4).expect("a chart");
    let programs = Programs::default();
    let engine = Engine {
        programs: &programs,
        world: &Isolated,
    };
    let none = |name: &str| Err(name.to_owned());
    let (user, options) = (UserValues::default(), Options::default());
    let scope = helm::prepare(&chart, &user, &none, &options, &mut Vec::new()).expect("values");
    let files = engine.execute(&scope).expect("texts").files;
    let text = |path: &str| String::from_utf8_lossy(&files[path]).into_owned();
    assert_eq!(
        text("c/charts/kid/templates/a.yaml"),
        r#"{"t":{"own":1,"s":1,"w":{"z":1},"x":{"k":2,"new":1,"q":1}},"top":1,"u":{"v":1}}"#
    );
    for path in ["c/charts/also/templates/a.yaml", "c/templates/a.yaml"] {
        let wanted = r#"{"t":{"s":1,"x":{"k":2,"new":1,"q":1}},"u":{"v":1}}"#;
        assert_eq!(text(path), wanted, "{path}");
    }
}

#[test]
fn imports_of_a_dependency_are_maps_of_texts() {
    let text = printed(&[
        (
            "Chart.yaml",
            "{apiVersion: v2, name: c, version: 0.1.0, dependencies: [{name: kid, import-values: [data, {child: 1, parent: a.b}]}]}",
        ),
        ("charts/kid/Chart.yaml", "{name: kid, version: 0.1.0}"),
        (
            "templates/t.yaml",
            "imports: >{{ range .Chart.Dependencies }}{{ range .ImportValues }}\n  {{ printf \"%T\" . }} {{ toJson . }}{{ end }}{{ end }}",
        ),
    ]);
    let wanted = "---\n# Source: c/templates/t.yaml\nimports: >\n\
        \u{20} map[string]string {\"child\":\"exports.data\",\"parent\":\".\"}\n\
        \u{20} map[string]string {\"child\":\"1\",\"parent\":\"a.b\"}\n";
    assert_eq!(text, wanted);
}
