//! What is random is made of the seed of the world alone, and is told of.

use golang::Timestamp;
use helm::{Engine, Manifests, Options, Profile, Programs, TextOptions, UserValues};
use object::{Object, ObjectKey};
use tree::{Missing, SourceRef, Tree, World};

use crate::support::{chart, read};

struct Seeded(u8);

impl World for Seeded {
    fn tree(&self, at: &SourceRef) -> Result<Tree, Missing> {
        tree::Isolated.tree(at)
    }

    fn lookup(&self, _: &ObjectKey) -> Option<Object> {
        None
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix(1_700_000_000)
    }

    fn seed(&self) -> [u8; 32] {
        [self.0; 32]
    }
}

const CHART: (&str, &str) = ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");

const TEMPLATE: &str = r#"
{{- $ca := genCA "ca" 365 }}
{{- $server := genSignedCert "web" (list "10.0.0.1") (list "web.app.svc") 365 $ca }}
{{- $curve := genPrivateKey "ecdsa" }}
{{- $own := genSelfSignedCertWithKey "own" nil nil 1 $curve }}
data:
  ca: {{ $ca.Cert | b64enc }}
  cert: {{ $server.Cert | b64enc }}
  key: {{ $server.Key | b64enc }}
  curve: {{ $own.Cert | b64enc }}
  ed25519: {{ genPrivateKey "ed25519" | b64enc }}
  password: {{ randAlphaNum 20 }}
  uuid: {{ uuidv4 }}
"#;

fn render(seed: u8, files: &[(&str, &str)]) -> Manifests {
    let chart = chart(files, Profile::Helm4).expect("a chart");
    let programs = Programs::default();
    let world = Seeded(seed);
    let engine = Engine {
        programs: &programs,
        world: &world,
    };
    let options = Options::default();
    let user = UserValues::default();
    let manifests = helm::render(&chart, &user, &read, &options, &engine, &mut Vec::new());
    manifests.expect("manifests")
}

fn text(seed: u8) -> String {
    let files = [CHART, ("templates/secret.yaml", TEMPLATE)];
    let manifests = render(seed, &files);
    manifests.text(&TextOptions::default()).expect("a text")
}

#[test]
fn equal_seeds_give_equal_bytes_and_others_others() {
    let (first, again, other) = (text(1), text(1), text(2));
    assert_eq!(first, again);
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (first, other) = (lines(&first), lines(&other));
    assert_eq!(first.len(), other.len());
    let made = first
        .iter()
        .zip(&other)
        .filter(|(line, _)| line.starts_with("  "));
    for (line, other) in made {
        assert_ne!(line, other);
    }
}

#[test]
fn what_a_render_depends_on_is_told() {
    let files = [
        CHART,
        (
            "templates/a.yaml",
            "a: {{ include \"secret\" . }}\nb: {{ include \"secret\" . }}\nc: {{ tpl .Values.t . }}\n",
        ),
        (
            "templates/_b.tpl",
            "{{ define \"secret\" }}\n{{- randAlphaNum 4 }}{{ end }}",
        ),
        (
            "values.yaml",
            "t: '{{ (lookup \"v1\" \"Secret\" \"a\" \"b\") | len }}'\n",
        ),
        (
            "charts/kid/Chart.yaml",
            "apiVersion: v2\nname: kid\nversion: 1.0.0\n",
        ),
        ("charts/kid/templates/NOTES.txt", "{{ now }}"),
    ];
    let manifests = render(1, &files);
    let calls = manifests.impure.iter();
    let calls: Vec<String> = calls
        .map(|call| {
            let place = format!("{}:{}", call.file, call.line);
            format!("{}: {place} {} {}", call.root, call.function, call.times)
        })
        .collect();
    assert_eq!(
        calls,
        [
            "c/charts/kid/templates/NOTES.txt: c/charts/kid/templates/NOTES.txt:1 now 1",
            "c/templates/a.yaml: c/templates/_b.tpl:2 randAlphaNum 2",
            "c/templates/a.yaml: gotpl:1 lookup 1",
        ]
    );
    assert_eq!(
        render(
            1,
            &[CHART, ("templates/a.yaml", "a: {{ date \"2006\" 0 }}")]
        )
        .impure,
        []
    );
}
