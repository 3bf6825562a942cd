//! Methods of variables that templates call: `configurations.toVolumes()` and its kin.
//!
//! There are two forms. With several containers, results are by container and names hold the
//! container's; with a single one, names of secrets also depend on where their values are, so that
//! a changed reference is a new Secret.
//!
//! # Source
//! openchoreo/openchoreo `internal/pipeline/component/context/cel_extensions.go` at v0.12.0,
//! `internal/pipeline/component/context/derived.go` after v1.2.3. On purpose different: containers
//! in the order of their names, then configurations before secrets in the order of the workload.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use expr::{MapValue, Methods, Value};
use object::{Map, Node, Text};

use crate::model::read::SINGLE_CONTAINER;
use crate::names::{NAME_BYTES_MAX, generate_name, generate_name_from, short_hash};

/// Names of all methods, for the template engine.
pub const METHODS: [&str; 10] = [
    "toContainerEnvFrom",
    "toContainerVolumeMounts",
    "toVolumes",
    "toConfigEnvsByContainer",
    "toSecretEnvsByContainer",
    "toConfigFileList",
    "toSecretFileList",
    "toServicePorts",
    "toEndpointResources",
    "toContainerEnvs",
];

/// Longest name of a port.
const PORT_NAME_BYTES_MAX: usize = 15;

/// The variable `configurations`: what is `seen` of it, and methods over `configurations`.
/// `single` says that that holds `configs` and `secrets` itself, not by container.
pub fn configurations(
    seen: Map,
    configurations: Map,
    single: bool,
    component: &str,
    environment: &str,
) -> Value {
    let methods = Configurations {
        map: configurations,
        single,
        prefix: format!("{component}-{environment}"),
    };
    Value::Map(MapValue::with_methods(seen, Arc::new(methods)))
}

/// The variable `workload` with its methods; `routes` are those of endpoints, by name.
pub fn workload(workload: Map, routes: BTreeMap<Text, Node>) -> Value {
    let methods = Workload(workload.clone(), routes);
    Value::Map(MapValue::with_methods(workload, Arc::new(methods)))
}

/// The variable `dependencies` with its methods.
pub fn dependencies(dependencies: Map) -> Value {
    let methods = Dependencies(dependencies.clone());
    Value::Map(MapValue::with_methods(dependencies, Arc::new(methods)))
}

/// The variable `derived` of newer versions: what the methods give, as fields. `names` are those of
/// the component and the environment.
pub fn derived(
    configurations: &Map,
    names: (&str, &str),
    workload: &Map,
    routes: &BTreeMap<Text, Node>,
    dependencies: &Map,
) -> Node {
    let configurations = Configurations {
        map: configurations.clone(),
        single: true,
        prefix: format!("{}-{}", names.0, names.1),
    };
    let workload = Workload(workload.clone(), BTreeMap::new());
    let dependencies = Dependencies(dependencies.clone());
    let fields: [(&str, &dyn Methods, &str); 11] = [
        ("configFileList", &configurations, "toConfigFileList"),
        ("secretFileList", &configurations, "toSecretFileList"),
        ("containerEnvFrom", &configurations, "toContainerEnvFrom"),
        (
            "configVolumeMounts",
            &configurations,
            "toContainerVolumeMounts",
        ),
        ("configVolumes", &configurations, "toVolumes"),
        ("configEnvs", &configurations, "toConfigEnvsByContainer"),
        ("secretEnvs", &configurations, "toSecretEnvsByContainer"),
        ("servicePorts", &workload, "toServicePorts"),
        ("dependencyEnvVars", &dependencies, "toContainerEnvs"),
        (
            "dependencyVolumeMounts",
            &dependencies,
            "toContainerVolumeMounts",
        ),
        ("dependencyVolumes", &dependencies, "toVolumes"),
    ];
    let given = fields.into_iter().map(|(field, variable, method)| {
        let value = variable.call(method, &[]).and_then(Result::ok);
        let node = value.and_then(|value| value.to_node().ok());
        (field, node.unwrap_or_default())
    });
    let mut out: Map = given.collect();
    out.insert(
        "endpointResources",
        routes.clone().into_iter().collect::<Map>(),
    );
    out.into()
}

#[derive(Debug)]
struct Configurations {
    map: Map,
    single: bool,
    prefix: String,
}

/// One container: its name, empty for a single one, and what it has.
type Own<'a> = (&'a str, &'a Node);

impl Methods for Configurations {
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let found = match (name, arguments) {
            ("toContainerEnvFrom", [] | [_]) => self
                .container(name, arguments)
                .map(|own| self.env_from(own)),
            ("toContainerVolumeMounts", [] | [_]) => self
                .container(name, arguments)
                .map(|own| self.volume_mounts(own)),
            ("toVolumes", []) => Ok(self.volumes()),
            ("toConfigEnvsByContainer", []) => Ok(self.envs("configs")),
            ("toSecretEnvsByContainer", []) => Ok(self.envs("secrets")),
            ("toConfigFileList", []) => Ok(self.file_list("configs")),
            ("toSecretFileList", []) => Ok(self.file_list("secrets")),
            _ => return None,
        };
        Some(found.map(|items| Value::from(&Node::from(items))))
    }
}

impl Configurations {
    fn containers(&self) -> Vec<(Text, Node)> {
        if self.single {
            return vec![(Text::default(), self.map.clone().into())];
        }
        let mut all: Vec<(Text, Node)> = self
            .map
            .iter()
            .map(|(name, own)| (name.clone(), own.clone()))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// The container a method was asked for; the only one when no name is given.
    fn container(&self, method: &str, arguments: &[Value]) -> Result<(Text, Node), String> {
        let all = self.containers();
        let Some(argument) = arguments.first() else {
            let mut all = all;
            return match all.len() {
                1 => Ok(all.remove(0)),
                _ => Err(format!(
                    "{method}: which container? there are {}",
                    listed(all.iter().map(|(name, _)| name))
                )),
            };
        };
        let Some(wanted) = argument.as_str() else {
            let found = argument.type_name();
            return Err(format!(
                "{method}: the name of a container is text, not {found}"
            ));
        };
        if self.single && wanted == SINGLE_CONTAINER {
            return Ok((Text::default(), self.map.clone().into()));
        }
        let single = [(Text::new_static(SINGLE_CONTAINER), Node::Null)];
        let names = if self.single { &single[..] } else { &all[..] };
        let names = listed(names.iter().map(|(name, _)| name));
        let found = all
            .into_iter()
            .find(|(name, _)| name == wanted && !self.single);
        found.ok_or_else(|| {
            format!("{method}: container '{wanted}' not found in configurations, which has {names}")
        })
    }

    fn env_from(&self, (container, own): (Text, Node)) -> Vec<Node> {
        let own = (container.as_str(), &own);
        let mut out = Vec::new();
        if !items(own.1, "configs", "envs").is_empty() {
            out.push(nested(
                "configMapRef",
                "name",
                self.env_name(own, "configs"),
            ));
        }
        if !items(own.1, "secrets", "envs").is_empty() {
            out.push(nested("secretRef", "name", self.env_name(own, "secrets")));
        }
        out
    }

    fn volume_mounts(&self, (container, own): (Text, Node)) -> Vec<Node> {
        let files = ["configs", "secrets"]
            .into_iter()
            .flat_map(|section| items(&own, section, "files"));
        let mounts = files.map(|file| {
            let (name, path) = (text(file, "name"), text(file, "mountPath"));
            Node::from(Map::from_iter([
                ("name", Node::from(volume_name(&container, path, name))),
                ("mountPath", format!("{path}/{name}").into()),
                ("subPath", name.into()),
            ]))
        });
        mounts.collect()
    }

    fn volumes(&self) -> Vec<Node> {
        let mut all: Vec<(String, Node)> = Vec::new();
        for (container, own) in &self.containers() {
            for section in ["configs", "secrets"] {
                for file in items(own, section, "files") {
                    let (name, path) = (text(file, "name"), text(file, "mountPath"));
                    let volume = volume_name(container, path, name);
                    let object = self.file_name((container, own), section, file);
                    let mut entry = match section {
                        "configs" => nested("configMap", "name", object),
                        _ => nested("secret", "secretName", object),
                    };
                    entry.set(&["name"], volume.clone());
                    all.push((volume, entry));
                }
            }
        }
        if self.single {
            let by_name: BTreeMap<String, Node> = all.into_iter().collect();
            return by_name.into_values().collect();
        }
        // One name is one volume: the same file at the same place.
        let mut seen = BTreeSet::new();
        all.retain(|(name, _)| seen.insert(name.clone()));
        all.into_iter().map(|(_, entry)| entry).collect()
    }

    fn envs(&self, section: &str) -> Vec<Node> {
        let mut out = Vec::new();
        for (container, own) in &self.containers() {
            let envs = items(own, section, "envs");
            if envs.is_empty() {
                continue;
            }
            let mut entry = Map::new();
            if !self.single {
                entry.insert("container", container.clone());
            }
            let name = self.env_name((container, own), section);
            entry.insert("resourceName", name);
            let mut envs = envs.to_vec();
            if self.single && section == "secrets" {
                // As newer versions have it, for templates that read it without asking.
                for env in envs.iter_mut().filter(|env| env.get("value").is_none()) {
                    env.set(&["value"], "");
                }
            }
            entry.insert("envs", envs);
            out.push(entry.into());
        }
        out
    }

    fn file_list(&self, section: &str) -> Vec<Node> {
        let mut out = Vec::new();
        for (container, own) in &self.containers() {
            for file in items(own, section, "files") {
                let mut entry = file.clone();
                entry.set(
                    &["resourceName"],
                    self.file_name((container, own), section, file),
                );
                match (self.single, section) {
                    (true, "secrets") => drop(entry.remove(&["value"])),
                    (_, "configs") if entry.get("value").is_none() => entry.set(&["value"], ""),
                    _ => {}
                }
                out.push(entry);
            }
        }
        out
    }

    fn env_name(&self, (container, own): Own<'_>, section: &str) -> String {
        let last = match section {
            "configs" => "env-configs",
            _ => "env-secrets",
        };
        if !self.single {
            return generate_name(NAME_BYTES_MAX, &[&self.prefix, container, last]);
        }
        if section == "configs" {
            return generate_name(NAME_BYTES_MAX, &[&self.prefix, last]);
        }
        let mut content = String::new();
        for env in items(own, section, "envs") {
            if let Some(remote) = env.get("remoteRef") {
                content.push_str(&format!("{}\0{}\0", text(env, "name"), remote_text(remote)));
            }
        }
        generate_name_from(
            NAME_BYTES_MAX,
            &[&self.prefix, last],
            &[&short_hash(&content)],
        )
    }

    fn file_name(&self, (container, _): Own<'_>, section: &str, file: &Node) -> String {
        let kind = match section {
            "configs" => "config",
            _ => "secret",
        };
        let name = text(file, "name").replace('.', "-");
        if !self.single {
            return generate_name(NAME_BYTES_MAX, &[&self.prefix, container, kind, &name]);
        }
        let parts = [self.prefix.as_str(), kind, &name];
        match file.get("remoteRef").filter(|_| section == "secrets") {
            Some(remote) => {
                let hash = short_hash(&remote_text(remote));
                generate_name_from(NAME_BYTES_MAX, &parts, &[&hash])
            }
            None => generate_name(NAME_BYTES_MAX, &parts),
        }
    }
}

fn remote_text(remote: &Node) -> String {
    let parts = ["key", "property", "version"].map(|key| text(remote, key));
    parts.join("\0")
}

fn volume_name(container: &str, path: &str, name: &str) -> String {
    let hash = short_hash(&format!("{path}/{name}"));
    match container.is_empty() {
        true => format!("file-mount-{hash}"),
        false => format!("{container}-file-mount-{hash}"),
    }
}

fn items<'a>(own: &'a Node, section: &str, list: &str) -> &'a [Node] {
    let items = own.at(&[section, list]).and_then(Node::as_list);
    items.unwrap_or_default()
}

fn text<'a>(node: &'a Node, key: &str) -> &'a str {
    node.str_at(&[key]).unwrap_or_default()
}

fn nested(outer: &str, inner: &str, value: String) -> Node {
    Map::from_iter([(outer, Node::from(Map::from_iter([(inner, value)])))]).into()
}

fn listed<'a>(names: impl Iterator<Item = &'a Text>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.is_empty() {
        true => "none".into(),
        false => names.join(", "),
    }
}

#[derive(Debug)]
struct Workload(Map, BTreeMap<Text, Node>);

impl Methods for Workload {
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        match (name, arguments) {
            ("toServicePorts", []) => Some(Ok(Value::from(&self.service_ports()))),
            ("toEndpointResources", [Value::String(endpoint)]) => {
                let routes = self.1.get(endpoint);
                let routes = routes.map(|routes| Arc::new(Value::from(routes)));
                Some(Ok(Value::Optional(routes)))
            }
            _ => None,
        }
    }
}

impl Workload {
    /// Ports for a Service, one for each port and protocol, of the endpoints by name.
    fn service_ports(&self) -> Node {
        let mut endpoints: Vec<(&Text, &Node)> = match self.0.get("endpoints") {
            Some(Node::Map(map)) => map.iter().collect(),
            _ => Vec::new(),
        };
        endpoints.sort_by(|a, b| a.0.cmp(b.0));
        let (mut names, mut taken) = (BTreeSet::new(), BTreeSet::new());
        let mut out = Vec::new();
        for (name, endpoint) in endpoints {
            let number = |key: &str| endpoint.get(key).and_then(Node::as_i64).unwrap_or_default();
            let port = number("port");
            let target = Some(number("targetPort")).filter(|target| *target != 0);
            let protocol = protocol(text(endpoint, "type"));
            if !taken.insert((port, protocol)) {
                continue;
            }
            let name = port_name(name, port, &names);
            names.insert(name.clone());
            out.push(Node::from(Map::from_iter([
                ("name", Node::from(name)),
                ("port", port.into()),
                ("targetPort", target.unwrap_or(port).into()),
                ("protocol", protocol.into()),
            ])));
        }
        out.into()
    }
}

/// The transport of an endpoint's type.
pub(crate) fn protocol(kind: &str) -> &'static str {
    match kind {
        "UDP" => "UDP",
        _ => "TCP",
    }
}

fn port_name(endpoint: &str, port: i64, taken: &BTreeSet<String>) -> String {
    let lower = endpoint.to_lowercase().replace('_', "-");
    let kept: String = lower
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
        .collect();
    let kept = kept.trim_matches('-');
    let kept = &kept[..kept.len().min(PORT_NAME_BYTES_MAX)];
    let base = match kept.trim_end_matches('-') {
        "" => format!("port-{port}"),
        name => name.to_owned(),
    };
    let mut name = base.clone();
    let mut count = 2;
    while taken.contains(&name) {
        let suffix = format!("-{count}");
        let room = PORT_NAME_BYTES_MAX.saturating_sub(suffix.len());
        name = format!("{}{suffix}", &base[..base.len().min(room)]);
        count += 1;
    }
    name
}

#[derive(Debug)]
struct Dependencies(Map);

impl Methods for Dependencies {
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let key = match (name, arguments) {
            ("toContainerEnvs", []) => "envVars",
            ("toContainerVolumeMounts", []) => "volumeMounts",
            ("toVolumes", []) => "volumes",
            _ => return None,
        };
        let empty = Node::from(Vec::new());
        let list = self.0.get(key).unwrap_or(&empty);
        Some(Ok(Value::from(list)))
    }
}
