//! Stock kubectl against a server of ours, over TLS.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use apiserver::{Authority, Cluster, Fleet, Kubeconfig, Options, Server, ServerOptions};
use expect_test::expect;
use regex::Regex;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// A server with a kubeconfig, and a kubectl that uses nothing else.
struct Kubectl {
    program: PathBuf,
    folder: tempfile::TempDir,
    _server: Server,
}

impl Kubectl {
    /// `None`, said loudly, when kubectl is not installed.
    async fn start() -> Option<Self> {
        // The reference version: others say some things in other words.
        let Some(program) = testkit::reference_tool("kubectl") else {
            eprintln!("SKIPPED: kubectl is not installed, nothing was tried with it");
            return None;
        };
        let authority = Arc::new(Authority::generate().expect("an authority"));
        let fleet = Fleet::new(Cluster::new(Options::default()));
        fleet.insert("east", Cluster::new(Options::default()));
        let simulated = Options {
            reducers: workloads::reducers(),
            ..Options::default()
        };
        fleet.insert("busy", Cluster::new(simulated));
        let listen = "127.0.0.1:0".parse().expect("an address");
        let options = ServerOptions {
            listen,
            authority: Some(authority.clone()),
            names: Vec::new(),
        };
        let server = Server::start(fleet, options).await.expect("a free port");
        let folder = tempfile::tempdir().expect("a folder");
        for (name, path) in [
            ("root", ""),
            ("east", "/clusters/east"),
            ("busy", "/clusters/busy"),
        ] {
            let kubeconfig = Kubeconfig {
                name: name.into(),
                server: format!("https://{}{path}", server.address()),
                authority: Some(authority.certificate().to_owned()),
                identity: Some(
                    authority
                        .client("ada", &["system:masters"])
                        .expect("a certificate"),
                ),
                token: None,
            };
            kubeconfig
                .write(&folder.path().join(name))
                .expect("a kubeconfig");
        }
        Some(Self {
            program,
            folder,
            _server: server,
        })
    }

    /// Runs one command with this standard input; gives exit code, output and errors.
    async fn run(&self, kubeconfig: &str, arguments: &str, input: &str) -> (i32, String, String) {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", "/usr/bin:/bin");
        command
            .env("KUBECONFIG", self.folder.path().join(kubeconfig))
            .current_dir(self.folder.path());
        command.env("KUBE_EDITOR", "sed -i s/one/two/");
        command.args(split(arguments)).kill_on_drop(true);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin
            .write_all(input.as_bytes())
            .await
            .expect("kubectl reads");
        drop(stdin);
        let output = child.wait_with_output().await.expect("kubectl ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code().unwrap_or(-1),
            text(&output.stdout),
            text(&output.stderr),
        )
    }
}

/// Words of a command line; quotes keep blanks together.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().expect("there is a word").push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Ages, versions, uids and times vary from run to run.
fn steady(text: &str) -> String {
    let patterns = [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "UID",
        ),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
        (r#"resourceVersion: "\d+""#, "resourceVersion: \"N\""),
        (r"/tmp/\S+", "FILE"),
        (r"10\.\d+\.\d+\.\d+", "ADDRESS"),
        (r"(?m)\b\d+[sm]$", "AGE"),
        (r"\b\d+[sm] +(\S)", "AGE   $1"),
        (r"(?m) +$", ""),
    ];
    patterns
        .iter()
        .fold(text.to_owned(), |text, (pattern, name)| {
            Regex::new(pattern)
                .expect("a right pattern")
                .replace_all(&text, *name)
                .into_owned()
        })
}

/// A dialogue: `$ command` lines, input lines behind `<`, and what comes back.
async fn dialogue(kubectl: &Kubectl, kubeconfig: &str, script: &str) -> String {
    let mut transcript = String::new();
    let mut lines = script
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty())
        .peekable();
    while let Some(line) = lines.next() {
        let command = line.strip_prefix("$ ").expect("a command");
        let mut input = String::new();
        while let Some(more) = lines.next_if(|line| line.starts_with('<')) {
            input += more[1..].strip_prefix(' ').unwrap_or(&more[1..]);
            input.push('\n');
        }
        let (code, out, errors) = kubectl.run(kubeconfig, command, &input).await;
        transcript += &format!("$ {command}\n{}{}", steady(&out), steady(&errors));
        if code != 0 {
            transcript += &format!("exit {code}\n");
        }
    }
    transcript
}

/// One definition with a column of its own, and an object of it.
const WIDGETS: &str = "
        < apiVersion: apiextensions.k8s.io/v1
        < kind: CustomResourceDefinition
        < metadata: {name: widgets.example.com}
        < spec:
        <   group: example.com
        <   scope: Namespaced
        <   names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
        <   versions:
        <   - name: v1
        <     served: true
        <     storage: true
        <     additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
        <     schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, description: What it is., properties: {size: {type: integer}}}}}}";

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_created_shown_changed_and_deleted() {
    let Some(kubectl) = Kubectl::start().await else {
        return;
    };
    let script = "
        $ create configmap a --from-literal=key=one
        $ create secret generic s --from-literal=password=x
        $ get configmap,secret --field-selector=metadata.name!=kube-root-ca.crt
        $ get cm a -o yaml
        $ edit cm a
        $ get cm a -o jsonpath={.data.key}{\"\\n\"}
        $ label cm a x=y
        $ patch cm a -p '{\"data\":{\"key\":\"three\"}}'
        $ wait --for=jsonpath={.data.key}=three cm/a --timeout=2s
        $ delete cm a
        $ get cm a
        $ create deployment web --image=registry.local/web:1 --replicas=2
        $ get deploy web -o wide
        $ scale deploy web --replicas=3
        $ delete deploy web --cascade=foreground --timeout=5s
        $ delete secret s --cascade=orphan
        $ create namespace n
        $ delete namespace n --timeout=5s
    ";
    expect![[r#"
        $ create configmap a --from-literal=key=one
        configmap/a created
        $ create secret generic s --from-literal=password=x
        secret/s created
        $ get configmap,secret --field-selector=metadata.name!=kube-root-ca.crt
        NAME          DATA   AGE
        configmap/a   1      AGE

        NAME       TYPE     DATA   AGE
        secret/s   Opaque   1      AGE
        $ get cm a -o yaml
        apiVersion: v1
        data:
          key: one
        kind: ConfigMap
        metadata:
          creationTimestamp: "TIME"
          name: a
          namespace: default
          resourceVersion: "N"
          uid: UID
        $ edit cm a
        configmap/a edited
        $ get cm a -o jsonpath={.data.key}{"\n"}
        two
        $ label cm a x=y
        configmap/a labeled
        $ patch cm a -p '{"data":{"key":"three"}}'
        configmap/a patched
        $ wait --for=jsonpath={.data.key}=three cm/a --timeout=2s
        configmap/a condition met
        $ delete cm a
        configmap "a" deleted from default namespace
        $ get cm a
        Error from server (NotFound): configmaps "a" not found
        exit 1
        $ create deployment web --image=registry.local/web:1 --replicas=2
        deployment.apps/web created
        $ get deploy web -o wide
        NAME   READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES                 SELECTOR
        web    0/2     0            0           AGE   web          registry.local/web:1   app=web
        $ scale deploy web --replicas=3
        deployment.apps/web scaled
        $ delete deploy web --cascade=foreground --timeout=5s
        deployment.apps "web" deleted from default namespace
        $ delete secret s --cascade=orphan
        secret "s" deleted from default namespace
        $ create namespace n
        namespace/n created
        $ delete namespace n --timeout=5s
        namespace "n" deleted
    "#]]
    .assert_eq(&dialogue(&kubectl, "root", script).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_are_applied_and_compared() {
    let Some(kubectl) = Kubectl::start().await else {
        return;
    };
    let script = "
        $ apply -f -
        < apiVersion: v1
        < kind: ConfigMap
        < metadata: {name: b}
        < data: {key: one, gone: x}
        $ apply -f -
        < apiVersion: v1
        < kind: ConfigMap
        < metadata: {name: b}
        < data: {key: one}
        $ apply -f - --dry-run=server
        < apiVersion: v1
        < kind: ConfigMap
        < metadata: {name: b}
        < data: {key: four}
        $ get cm b -o jsonpath={.data}{\"\\n\"}
        $ diff -f -
        < apiVersion: v1
        < kind: ConfigMap
        < metadata: {name: b}
        < data: {key: one}
        $ apply --server-side -f -
        < apiVersion: v1
        < kind: ConfigMap
        < metadata: {name: c}
        < data: {key: one}
        $ apply --server-side --field-manager=other -f -
        < apiVersion: v1
        < kind: ConfigMap
        < metadata: {name: c}
        < data: {key: two}
        $ apply -f -
        < apiVersion: v1
        < kind: ConfigMap
        < metadata: {name: d}
        < dota: {key: one}
    ";
    expect![[r#"
        $ apply -f -
        configmap/b created
        $ apply -f -
        configmap/b configured
        $ apply -f - --dry-run=server
        configmap/b configured (server dry run)
        $ get cm b -o jsonpath={.data}{"\n"}
        {"key":"one"}
        $ diff -f -
        $ apply --server-side -f -
        configmap/c serverside-applied
        $ apply --server-side --field-manager=other -f -
        error: Apply failed with 1 conflict: conflict with "kubectl": .data.key
        Please review the fields above--they currently have other managers. Here
        are the ways you can resolve this warning:
        * If you intend to manage all of these fields, please re-run the apply
          command with the `--force-conflicts` flag.
        * If you do not intend to manage all of the fields, please edit your
          manifest to remove references to the fields that should keep their
          current managers.
        * You may co-own fields by updating your manifest to match the existing
          value; in this case, you'll become the manager if the other manager(s)
          stop managing the field (remove it from their configuration).
        See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
        exit 1
        $ apply -f -
        Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dota"
        exit 1
    "#]].assert_eq(&dialogue(&kubectl, "root", script).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_describes_itself_below_a_prefix_as_well() {
    let Some(kubectl) = Kubectl::start().await else {
        return;
    };
    let script = format!(
        "
        $ version
        $ api-resources --api-group=batch
        $ apply -f -{WIDGETS}
        $ wait --for=condition=Established crd/widgets.example.com --timeout=2s
        $ explain widgets.spec
        $ apply -f -
        < apiVersion: example.com/v1
        < kind: Widget
        < metadata: {{name: w}}
        < spec: {{size: 3}}
        $ get wd
        $ get --raw /healthz
        $ get nope
    "
    );
    let transcript = dialogue(&kubectl, "east", &script).await;
    // The client's own version is not ours to pin.
    let transcript: String = transcript
        .lines()
        .filter(|line| !line.starts_with("Client ") && !line.starts_with("Kustomize "))
        .map(|line| format!("{line}\n"))
        .collect();
    expect![[r#"
        $ version
        Server Version: v1.36.3+fleetwright
        $ api-resources --api-group=batch
        NAME       SHORTNAMES   APIVERSION   NAMESPACED   KIND
        cronjobs   cj           batch/v1     true         CronJob
        jobs                    batch/v1     true         Job
        $ apply -f -
        customresourcedefinition.apiextensions.k8s.io/widgets.example.com created
        $ wait --for=condition=Established crd/widgets.example.com --timeout=2s
        customresourcedefinition.apiextensions.k8s.io/widgets.example.com condition met
        $ explain widgets.spec
        GROUP:      example.com
        KIND:       Widget
        VERSION:    v1

        FIELD: spec <Object>


        DESCRIPTION:
            What it is.

        FIELDS:
          size	<integer>
            <no description>


        $ apply -f -
        widget.example.com/w created
        $ get wd
        NAME   SIZE
        w      3
        $ get --raw /healthz
        ok$ get nope
        error: the server doesn't have a resource type "nope"
        exit 1
    "#]]
    .assert_eq(&transcript);
    // Built-in kinds are described as well; in whose words is not pinned here.
    let (code, explained, _) = kubectl
        .run("east", "explain deployment.spec.replicas", "")
        .await;
    assert_eq!(code, 0);
    assert!(
        explained.contains("FIELD: replicas <integer>") && !explained.contains("<empty>"),
        "{explained}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_asked_for_and_tokens_handed_out() {
    let Some(kubectl) = Kubectl::start().await else {
        return;
    };
    let script = "
        $ auth whoami
        $ auth can-i create pods
        $ auth can-i create pods --as=bob
        $ create rolebinding bob --clusterrole=edit --user=bob
        $ auth can-i create pods --as=bob
        $ get secrets --as=bob -n kube-system
        $ get clusterrole cluster-admin edit
    ";
    expect![[r#"
        $ auth whoami
        ATTRIBUTE   VALUE
        Username    ada
        Groups      [system:masters system:authenticated]
        $ auth can-i create pods
        yes
        $ auth can-i create pods --as=bob
        no
        exit 1
        $ create rolebinding bob --clusterrole=edit --user=bob
        rolebinding.rbac.authorization.k8s.io/bob created
        $ auth can-i create pods --as=bob
        yes
        $ get secrets --as=bob -n kube-system
        Error from server (Forbidden): secrets is forbidden: User "bob" cannot list resource "secrets" in API group "" in the namespace "kube-system"
        exit 1
        $ get clusterrole cluster-admin edit
        NAME            CREATED AT
        cluster-admin   TIME
        edit            TIME
    "#]].assert_eq(&dialogue(&kubectl, "root", script).await);
    let (code, token, errors) = kubectl.run("root", "create token default", "").await;
    assert_eq!((code, errors.as_str()), (0, ""));
    let (_, who, errors) = kubectl
        .run(
            "root",
            &format!(
                "--token={} auth whoami -o jsonpath={{.status.userInfo.username}}",
                token.trim()
            ),
            "",
        )
        .await;
    // The certificate of the kubeconfig stays; a bearer token goes before it.
    assert_eq!(
        (who.as_str(), errors.as_str()),
        ("system:serviceaccount:default:default", "")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_workloads_roll_out_and_go() {
    let Some(kubectl) = Kubectl::start().await else {
        return;
    };
    let script = "
        $ create deployment web --image=registry.local/web:1 --replicas=2
        $ rollout status deployment web --timeout=30s
        $ get deployment web
        $ set image deployment/web web=registry.local/web:2
        $ rollout status deployment web --timeout=30s -w=true
        $ wait pod -l app=web --for=condition=Ready --timeout=30s -o jsonpath={.status.phase}{\"\\n\"}
        $ expose deployment web --port=80
        $ get endpointslices -o jsonpath={.items[*].ports[*].port}{\"\\n\"}
        $ delete deployment web --cascade=foreground --timeout=30s
        $ get pods
    ";
    expect![[r#"
        $ create deployment web --image=registry.local/web:1 --replicas=2
        deployment.apps/web created
        $ rollout status deployment web --timeout=30s
        deployment "web" successfully rolled out
        $ get deployment web
        NAME   READY   UP-TO-DATE   AVAILABLE   AGE
        web    2/2     2            2           AGE
        $ set image deployment/web web=registry.local/web:2
        deployment.apps/web image updated
        $ rollout status deployment web --timeout=30s -w=true
        deployment "web" successfully rolled out
        $ wait pod -l app=web --for=condition=Ready --timeout=30s -o jsonpath={.status.phase}{"\n"}
        Running
        Running
        $ expose deployment web --port=80
        service/web exposed
        $ get endpointslices -o jsonpath={.items[*].ports[*].port}{"\n"}
        6443 80
        $ delete deployment web --cascade=foreground --timeout=30s
        deployment.apps "web" deleted from default namespace
        $ get pods
        No resources found in default namespace.
    "#]]
    .assert_eq(&dialogue(&kubectl, "busy", script).await);
}
