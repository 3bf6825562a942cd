//! Selecting objects: by kind, name and namespace patterns, by labels and by annotations.

use std::collections::BTreeMap;

use object::Text;
use regex::Regex;

use crate::ids::{Gvk, ResId};

/// A selector as written: patterns for the id, selectors for labels and annotations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub name: String,
    pub namespace: String,
    pub label_selector: String,
    pub annotation_selector: String,
}

/// A [`Selector`] with its patterns compiled.
pub(crate) struct Pattern {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
    has_id: bool,
    has_labels: bool,
}

impl Selector {
    /// # Errors
    /// A pattern or selector that cannot be read, in the reference's words.
    pub fn compile(&self) -> Result<Pattern, String> {
        let fields = [
            &self.group,
            &self.version,
            &self.kind,
            &self.name,
            &self.namespace,
        ];
        Ok(Pattern {
            group: anchored(&self.group)?,
            version: anchored(&self.version)?,
            kind: anchored(&self.kind)?,
            name: anchored(&self.name)?,
            namespace: anchored(&self.namespace)?,
            labels: parse_requirements(&self.label_selector)?,
            annotations: parse_requirements(&self.annotation_selector)?,
            has_id: fields.iter().any(|field| !field.is_empty()),
            has_labels: !self.label_selector.is_empty() || !self.annotation_selector.is_empty(),
        })
    }

    /// The exact id this selector names, when its fields are taken literally.
    pub fn literal(&self) -> ResId {
        ResId {
            gvk: Gvk {
                group: self.group.as_str().into(),
                version: self.version.as_str().into(),
                kind: self.kind.as_str().into(),
            },
            name: self.name.as_str().into(),
            namespace: self.namespace.as_str().into(),
            cluster_scoped: false,
        }
    }
}

/// Compiles a pattern that has to match a whole text; `None` for an empty one, which matches all.
///
/// Patterns run in time linear in the text, whatever they say.
fn anchored(pattern: &str) -> Result<Option<Regex>, String> {
    if pattern.is_empty() {
        return Ok(None);
    }
    match Regex::new(&format!("^(?:{pattern})$")) {
        Ok(regex) => Ok(Some(regex)),
        Err(_) => Err(regex_problem(&format!("^(?:{pattern})$"))),
    }
}

/// What Go says about a pattern it cannot read, for the slips people make.
pub(crate) fn regex_problem(pattern: &str) -> String {
    let mut depth = 0i32;
    let mut escaped = false;
    let mut in_class = false;
    let mut previous = '(';
    for symbol in pattern.chars() {
        if std::mem::take(&mut escaped) {
            previous = 'x';
            continue;
        }
        match symbol {
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => depth -= 1,
            '*' | '+' | '?'
                if !in_class && matches!(previous, '(' | '|' | '^' | ':') && symbol != '?' =>
            {
                return format!(
                    "error parsing regexp: missing argument to repetition operator: `{symbol}`"
                );
            }
            _ => {}
        }
        if depth < 0 {
            return format!("error parsing regexp: unexpected ): `{pattern}`");
        }
        previous = symbol;
    }
    match (in_class, depth > 0) {
        (true, _) => {
            let from = pattern.rfind('[').unwrap_or(0);
            format!(
                "error parsing regexp: missing closing ]: `{}`",
                &pattern[from..]
            )
        }
        (false, true) => format!("error parsing regexp: missing closing ): `{pattern}`"),
        (false, false) => format!("error parsing regexp: invalid pattern: `{pattern}`"),
    }
}

fn matches(pattern: &Option<Regex>, text: &str) -> bool {
    pattern.as_ref().is_none_or(|regex| regex.is_match(text))
}

impl Pattern {
    pub fn gvk(&self, gvk: &Gvk) -> bool {
        matches(&self.group, &gvk.group)
            && matches(&self.version, &gvk.version)
            && matches(&self.kind, &gvk.kind)
    }

    pub fn name(&self, name: &str) -> bool {
        matches(&self.name, name)
    }

    pub fn namespace(&self, namespace: &str) -> bool {
        matches(&self.namespace, namespace)
    }

    /// Whether the id part matches, with the namespace as written.
    pub fn id(&self, id: &ResId) -> bool {
        self.gvk(&id.gvk) && self.name(&id.name) && self.namespace(&id.namespace)
    }

    /// Whether the selector names any part of an id.
    pub fn has_id(&self) -> bool {
        self.has_id
    }

    /// Whether the selector looks at labels or annotations.
    pub fn has_labels(&self) -> bool {
        self.has_labels
    }

    pub fn metadata(
        &self,
        labels: &BTreeMap<Text, Text>,
        annotations: &BTreeMap<Text, Text>,
    ) -> bool {
        self.labels
            .iter()
            .all(|requirement| requirement.holds(labels))
            && self
                .annotations
                .iter()
                .all(|requirement| requirement.holds(annotations))
    }
}

/// One condition of a Kubernetes label selector.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

impl Requirement {
    fn holds(&self, values: &BTreeMap<Text, Text>) -> bool {
        let value = values.get(self.key.as_str());
        let number = || value.and_then(|text| text.parse::<i64>().ok());
        match &self.operator {
            Operator::Exists => value.is_some(),
            Operator::Absent => value.is_none(),
            Operator::In(wanted) => {
                value.is_some_and(|text| wanted.iter().any(|want| *want == text.as_str()))
            }
            Operator::NotIn(banned) => {
                !value.is_some_and(|text| banned.iter().any(|ban| *ban == text.as_str()))
            }
            Operator::Greater(bound) => number().is_some_and(|value| value > *bound),
            Operator::Less(bound) => number().is_some_and(|value| value < *bound),
        }
    }
}

/// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`.
///
/// # Source
/// The syntax of kubernetes/apimachinery `pkg/labels/selector.go`.
fn parse_requirements(text: &str) -> Result<Vec<Requirement>, String> {
    let mut rest = text.trim();
    let mut requirements = Vec::new();
    while !rest.is_empty() {
        let invalid =
            || format!("unable to parse requirement: found '{rest}', expected: identifier");
        if let Some(after) = rest.strip_prefix('!') {
            let (key, after) = take_word(after.trim_start());
            if key.is_empty() {
                return Err(invalid());
            }
            requirements.push(Requirement {
                key: key.into(),
                operator: Operator::Absent,
            });
            rest = after.trim_start();
        } else {
            let (key, after) = take_word(rest);
            if key.is_empty() {
                return Err(invalid());
            }
            let (operator, after) = take_operator(after.trim_start()).ok_or_else(|| {
                if after.contains('(') && !after.contains(')') {
                    return "unable to parse requirement: found '', expected: ',' or ')'".to_owned();
                }
                format!("unable to parse requirement: found '{after}', expected: in, notin, =, ==, !=, gt, lt")
            })?;
            requirements.push(Requirement {
                key: key.into(),
                operator,
            });
            rest = after.trim_start();
        }
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
            if rest.is_empty() {
                return Err("found '', expected: identifier after ','".into());
            }
        } else if !rest.is_empty() {
            return Err(format!("found '{rest}', expected: ',' or 'end of string'"));
        }
    }
    Ok(requirements)
}

fn take_word(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| c.is_whitespace() || "=!,()<>".contains(c))
        .unwrap_or(text.len());
    text.split_at(end)
}

fn take_operator(text: &str) -> Option<(Operator, &str)> {
    if text.is_empty() || text.starts_with(',') {
        return Some((Operator::Exists, text));
    }
    if let Some(after) = text.strip_prefix("!=") {
        let (value, after) = take_word(after.trim_start());
        return Some((Operator::NotIn(vec![value.into()]), after));
    }
    if let Some(after) = text.strip_prefix("==").or_else(|| text.strip_prefix('=')) {
        let (value, after) = take_word(after.trim_start());
        return Some((Operator::In(vec![value.into()]), after));
    }
    if let Some(after) = text.strip_prefix('>') {
        let (value, after) = take_word(after.trim_start());
        return Some((Operator::Greater(value.parse().ok()?), after));
    }
    if let Some(after) = text.strip_prefix('<') {
        let (value, after) = take_word(after.trim_start());
        return Some((Operator::Less(value.parse().ok()?), after));
    }
    let (word, after) = take_word(text);
    let list = after.trim_start().strip_prefix('(')?;
    let (inside, after) = list.split_once(')')?;
    let values = inside
        .split(',')
        .map(|value| value.trim().to_owned())
        .collect();
    match word {
        "in" => Some((Operator::In(values), after)),
        "notin" => Some((Operator::NotIn(values), after)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_selectors_follow_kubernetes() {
        let labels: BTreeMap<Text, Text> = [("app", "web"), ("tier", "2")]
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        let cases = [
            ("", true),
            ("app=web", true),
            ("app == web , tier", true),
            ("app!=web", false),
            ("other!=web", true),
            ("app in (api, web)", true),
            ("app notin (api,web)", false),
            ("!app", false),
            ("!other,app", true),
            ("tier>1,tier<3", true),
        ];
        for (text, expected) in cases {
            let requirements = parse_requirements(text).unwrap();
            assert_eq!(
                requirements.iter().all(|r| r.holds(&labels)),
                expected,
                "{text}"
            );
        }
        for text in ["app in web", "=x", "a=b,", "a b"] {
            assert!(parse_requirements(text).is_err(), "{text}");
        }
    }

    #[test]
    fn patterns_match_whole_texts_in_linear_time() {
        let selector = Selector {
            name: "(a+)+".into(),
            ..Selector::default()
        };
        let pattern = selector.compile().unwrap();
        assert!(pattern.name("aaa"));
        assert!(!pattern.name(&format!("{}b", "a".repeat(10_000))));
    }
}
