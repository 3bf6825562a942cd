//! The tables of upstream's own tests of its template engine, at two versions.
//!
//! None of them touches what we do differently on purpose; that is in `template.rs`.

use component::template::{Context, Engine, Meter, Repeat, TemplateError, markers};
use object::Node;

const VERSIONS: [&str; 2] = ["v0.12.0", "v1.2.3"];

/// One table of one file, as (name, vector).
pub fn table(version: &str, file: &str, table: &str) -> Vec<(String, Node)> {
    let Some(folder) = testkit::corpus("openchoreo/cases") else {
        return Vec::new();
    };
    let path = folder.join(version).join("vectors").join(file);
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let tables = yaml(&text);
    let Some(vectors) = tables.get(table) else {
        return Vec::new();
    };
    let vectors = vectors.as_list().expect("a table is a list");
    let name = |vector: &Node| {
        let own = vector.str_at(&["name"]).expect("a vector has a name");
        format!("{version} {table}: {own}")
    };
    vectors
        .iter()
        .map(|vector| (name(vector), vector.clone()))
        .collect()
}

pub fn yaml(text: &str) -> Node {
    yaml::load_first(text, &yaml::ResolveOptions::default())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Equal as data: integers and whole floats are the same.
pub fn same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::List(a), Node::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Node::Map(a), Node::Map(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (a, b) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        },
    }
}

fn context(vector: &Node) -> Context {
    let inputs = vector.str_at(&["inputs"]).unwrap_or("{}");
    let inputs = object::json::parse(inputs.as_bytes(), object::json::OBJECT_LIMITS)
        .expect("inputs are JSON");
    Context::of(inputs.as_map().expect("inputs are a map"))
}

fn rendered(vector: &Node) -> Result<Node, Vec<TemplateError>> {
    let text = vector.str_at(&["template"]).or(vector.str_at(&["tpl"]));
    let template = Engine::default().template(&yaml(text.expect("there is a template")));
    let node = template.render(&context(vector), &mut Meter::default())?;
    Ok(node.expect("no vector omits everything"))
}

fn texts(errors: &[TemplateError]) -> String {
    let texts: Vec<String> = errors.iter().map(TemplateError::to_string).collect();
    texts.join("\n  ")
}

/// Runs vectors; says what is wrong with all of them, and how many there are.
fn run(vectors: Vec<(String, Node)>, check: impl Fn(&Node) -> Result<(), String>) -> usize {
    let mut wrong = String::new();
    for (name, vector) in &vectors {
        if let Err(message) = check(vector) {
            wrong.push_str(&format!("{name}\n  {message}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    vectors.len()
}

#[test]
fn templates_render_as_in_upstreams_tables() {
    let mut count = 0;
    for version in VERSIONS {
        for (file, name) in [
            ("template.engine.yaml", "TestEngineRender"),
            (
                "template.engine.yaml",
                "TestRenderString_InterpolationTypes",
            ),
            ("template.cel_extensions.yaml", "TestCELExtensionWiring"),
        ] {
            if version == "v0.12.0" && file == "template.cel_extensions.yaml" {
                continue;
            }
            count += run(table(version, file, name), |vector| {
                let wanted = yaml(vector.str_at(&["want"]).expect("there is a result"));
                match rendered(vector) {
                    Ok(found) if same(&found, &wanted) => Ok(()),
                    Ok(found) => Err(object::json::to_string(&found)),
                    Err(errors) => Err(texts(&errors)),
                }
            });
        }
    }
    assert!(count == 0 || count == 106, "{count} vectors");
}

#[test]
fn templates_fail_as_in_upstreams_tables() {
    let mut count = 0;
    for version in VERSIONS {
        for name in ["TestRenderErrors", "TestRender_ErrorPropagation"] {
            count += run(table(version, "template.engine.yaml", name), |vector| {
                let fails = vector.get("wantErr") != Some(&Node::Bool(false));
                match (rendered(vector), fails) {
                    (Ok(_), false) => Ok(()),
                    (Ok(found), true) => Err(object::json::to_string(&found)),
                    (Err(errors), false) => Err(texts(&errors)),
                    (Err(errors), true) => fits(vector, &errors),
                }
            });
        }
    }
    assert!(count == 0 || count == 32, "{count} vectors");
}

/// Whether it is the failure that upstream's text tells.
fn fits(vector: &Node, errors: &[TemplateError]) -> Result<(), String> {
    let error = &errors[0];
    let code = match vector.str_at(&["errContains"]).unwrap_or_default() {
        "no such key" => "ExpressionKeyNotFound",
        "nested CEL expressions" => "ExpressionNested",
        "undeclared reference" => "ExpressionVariableNotFound",
        "CEL compilation error" => "ExpressionInvalid",
        "must evaluate to a string" => "TemplateKeyNotText",
        // Some are found before anything is evaluated.
        "CEL" if error.kind.code().0 == "ExpressionInvalid" => "ExpressionInvalid",
        "CEL" | "oc_merge requires at least 2 arguments" => "ExpressionFailed",
        other => return Err(format!("unknown text {other}")),
    };
    let missing = vector.get("wantIsMissing").and_then(Node::as_bool);
    let fits = error.kind.code().0 == code
        && missing.is_none_or(|missing| missing == error.kind.is_missing_data());
    match fits {
        true => Ok(()),
        false => Err(texts(errors)),
    }
}

#[test]
fn expressions_are_found_as_in_upstreams_tables() {
    let mut count = 0;
    for version in VERSIONS {
        let vectors = table(version, "template.engine.yaml", "TestFindCELExpressions");
        count += run(vectors, |vector| {
            let text = vector.str_at(&["input"]).expect("there is a text");
            let fails = vector.get("wantErr") == Some(&Node::Bool(true));
            let found = match markers(text) {
                Ok(found) if !fails => found,
                Err(_) if fails => return Ok(()),
                other => return Err(format!("{other:?}")),
            };
            let wanted = vector
                .get("want")
                .and_then(Node::as_list)
                .unwrap_or_default();
            let pairs: Vec<(&str, &str)> = found
                .iter()
                .map(|marker| (&text[marker.range.clone()], marker.expression(text)))
                .collect();
            let same = wanted.len() == pairs.len()
                && wanted.iter().zip(&pairs).all(|(wanted, (whole, inner))| {
                    wanted.str_at(&["FullExpr"]) == Some(whole)
                        && wanted.str_at(&["InnerExpr"]) == Some(inner)
                });
            match same {
                true => Ok(()),
                false => Err(format!("{pairs:?}")),
            }
        });
    }
    assert!(count == 0 || count == 68, "{count} vectors");
}

#[test]
fn repetition_takes_what_upstreams_table_takes() {
    for version in VERSIONS {
        let file = "pipeline.component.renderer.foreach.yaml";
        run(table(version, file, "TestToIterableItems"), |vector| {
            let data = vector.get("input").expect("there is data");
            let context = Context::default().with("data", data);
            let repeat = Repeat::new(&Engine::default(), "${data}", "item");
            let contexts = repeat.contexts(&context, &mut Meter::default());
            let fails = vector.get("wantErr") == Some(&Node::Bool(true));
            let contexts = match contexts {
                Ok(contexts) if !fails => contexts,
                Err(_) if fails => return Ok(()),
                Ok(_) => return Err("does not fail".into()),
                Err(errors) => return Err(texts(&errors)),
            };
            let items = contexts.iter().map(|context| context.get("item"));
            let items = items.map(|item| item.expect("is bound").to_node().expect("is data"));
            let found = Node::list(items);
            let wanted = vector
                .get("want")
                .cloned()
                .unwrap_or(Node::list([] as [Node; 0]));
            match same(&found, &wanted) {
                true => Ok(()),
                false => Err(object::json::to_string(&found)),
            }
        });
    }
}

/// The variables a table gives as data.
fn context_of(vector: &Node) -> Context {
    let variables = vector.get("context").and_then(Node::as_map);
    variables.map(Context::of).unwrap_or_default()
}

#[test]
fn conditions_decide_as_in_upstreams_tables() {
    for version in VERSIONS {
        let file = "pipeline.component.renderer.renderer.yaml";
        run(table(version, file, "TestShouldInclude"), |vector| {
            let text = vector.str_at(&["includeWhen"]).unwrap_or_default();
            if text.is_empty() {
                return Ok(());
            }
            let wanted = vector.get("want").and_then(Node::as_bool);
            let fails = vector.get("wantErr") == Some(&Node::Bool(true));
            let condition = Engine::default().text(text);
            match condition.render_bool(&context_of(vector), &mut Meter::default()) {
                Ok(value) if !fails && Some(value) == wanted => Ok(()),
                Err(_) if fails => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
        let file = "pipeline.component.renderer.controlflow.yaml";
        if version == "v0.12.0" {
            continue;
        }
        run(
            table(version, file, "TestEvaluateValidationRules"),
            |vector| {
                let rules = vector
                    .get("rules")
                    .and_then(Node::as_list)
                    .unwrap_or_default();
                let fails = vector.get("wantErr") == Some(&Node::Bool(true));
                let context = context_of(vector);
                let holds = rules.iter().all(|rule| {
                    let rule = Engine::default().text(rule.str_at(&["Rule"]).expect("is there"));
                    rule.render_bool(&context, &mut Meter::default()) == Ok(true)
                });
                match holds != fails {
                    true => Ok(()),
                    false => Err(format!("holds: {holds}")),
                }
            },
        );
    }
}

#[test]
fn repeated_resources_render_as_in_upstreams_tables() {
    for version in VERSIONS {
        let file = "pipeline.component.renderer.renderer.yaml";
        run(table(version, file, "TestRenderWithForEach"), |vector| {
            let resource = yaml(vector.str_at(&["templateYAML"]).expect("there is one"));
            let engine = Engine::default();
            let source = resource.str_at(&["forEach"]).expect("it is repeated");
            let variable = resource.str_at(&["var"]).unwrap_or("item");
            let template = engine.template(resource.get("template").expect("there is one"));
            let mut meter = Meter::default();
            let repeat = Repeat::new(&engine, source, variable);
            let rendered = repeat
                .contexts(&context_of(vector), &mut meter)
                .and_then(|contexts| {
                    let each = contexts
                        .iter()
                        .map(|context| template.render(context, &mut meter));
                    each.collect::<Result<Vec<_>, _>>()
                });
            let fails = vector.get("wantErr") == Some(&Node::Bool(true));
            let rendered = match rendered {
                Ok(rendered) if !fails => rendered,
                Err(_) if fails => return Ok(()),
                other => return Err(format!("{other:?}")),
            };
            let found = Node::list(rendered.into_iter().flatten());
            let count = found.as_list().map(|items| items.len() as i64);
            let wanted = vector.str_at(&["wantYAML"]).map(yaml);
            let right = count == vector.get("wantCount").and_then(Node::as_i64)
                && wanted.is_none_or(|wanted| same(&found, &wanted));
            match right {
                true => Ok(()),
                false => Err(object::json::to_string(&found)),
            }
        });
    }
}

#[test]
fn templates_people_wrote_compile() {
    let Some(root) = testkit::corpus("openchoreo") else {
        return;
    };
    let engine = Engine::new([
        "toContainerEnvFrom",
        "toContainerEnvs",
        "toContainerVolumeMounts",
        "toVolumes",
        "toConfigEnvsByContainer",
        "toSecretEnvsByContainer",
        "toConfigFileList",
        "toSecretFileList",
        "toServicePorts",
        "toEndpointResources",
    ]);
    let (mut expressions, mut wrong) = (0, String::new());
    let mut open: Vec<_> = [
        "gitops-demo",
        "gitops-demo-23feaa7",
        "sample-gitops",
        "samples",
    ]
    .map(|folder| root.join(folder))
    .into();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("is a folder");
            open.extend(entries.map(|entry| entry.expect("is there").path()));
            continue;
        }
        let text = match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml" | "yml") => std::fs::read_to_string(&path).expect("is text"),
            _ => continue,
        };
        let Ok(documents) = yaml::load(&text, &yaml::Limits::default()) else {
            continue;
        };
        for document in documents {
            let kind = document.node.str_at(&["kind"]).unwrap_or_default();
            if !["ComponentType", "Trait", "ComponentRelease", "ProjectType"]
                .iter()
                .any(|known| kind.ends_with(known))
            {
                continue;
            }
            let template = engine.template(&document.node);
            expressions += template.expressions().len();
            for problem in template.problems() {
                wrong.push_str(&format!("{}\n  {problem}\n", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(expressions > 500, "found only {expressions} expressions");
}

#[test]
fn names_are_upstreams_names() {
    let Some(folder) = testkit::corpus("openchoreo/cases") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("names.yaml")).expect("the file is there");
    let tables = yaml(&text);
    let vectors = |table: &str| tables.get(table).and_then(Node::as_list).expect("is there");
    for vector in vectors("generateName") {
        let parts = vector
            .get("parts")
            .and_then(Node::as_list)
            .expect("has parts");
        let parts: Vec<&str> = parts.iter().filter_map(Node::as_str).collect();
        let limit = vector
            .get("limit")
            .and_then(Node::as_i64)
            .expect("has a limit");
        let name = component::names::generate_name(limit as usize, &parts);
        // A name of digits and an `e` is a number to YAML.
        let number = vector.get("want").and_then(Node::as_f64);
        match number {
            Some(number) => assert_eq!(name.parse(), Ok(number), "{parts:?}"),
            None => assert_eq!(Some(&*name), vector.str_at(&["want"]), "{parts:?}"),
        }
    }
    for vector in vectors("fnv1a32hex") {
        let text = vector.str_at(&["input"]).expect("has a text");
        let hash = component::names::short_hash(text);
        assert_eq!(Some(&*hash), vector.str_at(&["fnv1a32"]), "{text}");
    }
}
