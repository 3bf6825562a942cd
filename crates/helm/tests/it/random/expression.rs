//! Expressions that give a certain kind of value.

use testkit::Dice;

use super::functions::{self, Call, FAILING_FORMS, FORMS, Times};
use super::words;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Any,
    /// Anything that is neither nil nor the empty text.
    Present,
    Text,
    Word,
    Separator,
    Bool,
    /// Go's `int`.
    Int,
    Zero,
    Small,
    Signed,
    Positive,
    Int64,
    /// An unsigned integer of any size.
    Uint,
    Float,
    /// What casts make a number of.
    Numeric,
    List,
    /// `[]string`
    Texts,
    /// `[]int`
    Ints,
    Map,
    /// What TOML can hold.
    TomlMap,
    /// `map[string]string`
    TextMap,
    UrlParts,
    /// What dates are made of.
    Time,
    /// Go's `time.Time`
    Moment,
    Layout,
    Date,
    DateLayout,
    Zone,
    DurationText,
    Duration,
    Semver,
    Version,
    Constraint,
    Pattern,
    Replacement,
    TypeName,
    GoName,
    Path,
    Url,
    Base64,
    Json,
    JsonList,
    Yaml,
    YamlList,
    Toml,
}

/// Kinds of which values can be arguments anywhere.
const COMMON: &[Kind] = &[
    Kind::Text,
    Kind::Text,
    Kind::Bool,
    Kind::Int,
    Kind::Int64,
    Kind::Float,
    Kind::List,
    Kind::Texts,
    Kind::Ints,
    Kind::Map,
    Kind::TextMap,
    Kind::Semver,
    Kind::Moment,
    Kind::Any,
];

/// Types as `%T` tells them.
const TYPES: &[&str] = &[
    "string",
    "int",
    "int64",
    "float64",
    "bool",
    "[]interface {}",
    "map[string]interface {}",
    "common.Values",
    "semver.Version",
    "time.Time",
];

/// Values of Go's own types, to be printed.
const OBJECTS: &[&str] = &[
    "$.Capabilities",
    "$.Capabilities.KubeVersion",
    "$.Capabilities.HelmVersion",
    "$.Capabilities.APIVersions",
    "$.Chart",
    "$.Files",
    "$.Release",
    "$.Template",
    "(list $.Capabilities)",
    "(dict \"a\" $.Capabilities.HelmVersion)",
    "(toDate \"2006-01-02\" \"2020-02-29\").Month",
    "(toDate \"2006-01-02\" \"2020-02-29\").Weekday",
    "(toDate \"2006-01-02\" \"2020-02-29\").UTC",
    "(mustToDuration \"90m\")",
    "((semver \"1.2.3-a+b\").IncMinor)",
    "(fromToml \"a = 2020-02-29\").a",
    "1.5i",
];

const KINDS: &[&str] = &[
    "string", "int", "int64", "float64", "bool", "slice", "map", "invalid", "ptr", "struct",
];

/// Deepest nesting of calls.
const DEPTH_MAX: usize = 3;

/// A path to a value, and its kind.
#[derive(Clone, Debug)]
pub struct Known {
    pub text: String,
    pub kind: Kind,
}

/// Makes expressions of what is in scope.
pub struct Maker<'a> {
    pub dice: &'a mut Dice,
    pub calls: &'a [Call],
    /// Variables and paths.
    pub known: Vec<Known>,
    /// Names of templates that take the root.
    pub defined: Vec<String>,
    /// What stands for the root here.
    pub root: &'static str,
    /// Arguments that may still be of the wrong kind.
    pub risks: usize,
    pub reach: &'a mut Vec<String>,
}

impl Maker<'_> {
    fn note(&mut self, feature: impl Into<String>) {
        self.reach.push(feature.into());
    }

    /// A pipeline that can be the whole of an action.
    pub fn pipeline(&mut self, kind: Kind) -> String {
        let expression = match self.dice.below(4) {
            0 => self.value(kind, 1),
            _ => self.call(kind, 0).unwrap_or_else(|| self.value(kind, 0)),
        };
        match expression.as_str() {
            // It is no command.
            "nil" if self.risks == 0 => "coalesce nil".to_owned(),
            _ => expression,
        }
    }

    /// An operand: a literal, a path or something in parentheses.
    pub fn value(&mut self, kind: Kind, depth: usize) -> String {
        // What is no time is now.
        if self.risks > 0 && kind != Kind::Time && self.dice.one_in(6) {
            self.risks -= 1;
            self.note("risk: kind of an argument");
            return self.wrong(depth);
        }
        if depth < DEPTH_MAX
            && self.dice.one_in(2 + depth)
            && let Some(call) = self.call(kind, depth + 1)
        {
            return format!("({call})");
        }
        if self.dice.one_in(2)
            && let Some(known) = self.known(kind)
        {
            return known;
        }
        self.literal(kind, depth)
    }

    /// Something that does not fit, as a rule.
    fn wrong(&mut self, depth: usize) -> String {
        match self.dice.below(10) {
            0 => "nil".to_owned(),
            8 | 9 => {
                // Nil in all the ways in which it comes.
                let map = self.value(Kind::Map, depth + 1);
                match self.dice.below(6) {
                    0 | 1 => format!("(index {map} \"absent\")"),
                    2 => format!("(first (list nil {map}))"),
                    3 => "(coalesce nil)".to_owned(),
                    4 => "(dict \"nothing\" nil).nothing".to_owned(),
                    _ => format!("(list {map} | first).absent"),
                }
            }
            1 => {
                let bad = [
                    words::BAD_PATTERNS,
                    words::BAD_DURATIONS,
                    words::BAD_VERSIONS,
                    words::BAD_CONSTRAINTS,
                    words::BAD_URLS,
                    words::BAD_JSONS,
                    words::BAD_YAMLS,
                    words::BAD_TOMLS,
                    words::BAD_BASE64,
                ];
                let list = bad[self.dice.below(bad.len())];
                let raw =
                    std::ptr::eq(list, words::BAD_PATTERNS) || std::ptr::eq(list, words::BAD_URLS);
                let text = self.dice.pick(list).to_owned();
                if raw {
                    format!("\"{text}\"")
                } else {
                    quote(&text)
                }
            }
            2 => self.chain(),
            3 if self.dice.one_in(2) => ".Values.nope.deeper".to_owned(),
            3 => ".".to_owned(),
            4 => [
                "-1",
                "1000",
                "1.5",
                "12345678901234567890",
                "1i",
                "0x",
                "'x'",
                "-0.0",
                "1e400",
            ][self.dice.below(9)]
            .to_owned(),
            _ => {
                let kind = COMMON[self.dice.below(COMMON.len())];
                self.value(kind, depth + 1)
            }
        }
    }

    /// A chain of fields on anything.
    fn chain(&mut self) -> String {
        self.note("risk: chain of fields");
        let of = COMMON[self.dice.below(COMMON.len())];
        let start = match self.known(of) {
            Some(known) if known.starts_with('.') || known.starts_with('$') => known,
            _ => format!("({})", self.value(of, 1)),
        };
        let field = self.dice.pick(&[
            "x", "a.b", "Name", "nope", "x.y.z", "Has", "Format", "Major", "_0", "String", "Values",
        ]);
        format!("{start}.{field}")
    }

    fn known(&mut self, kind: Kind) -> Option<String> {
        let fits: Vec<&Known> = self
            .known
            .iter()
            .filter(|known| suits(known.kind, kind))
            .collect();
        let known = self.dice.choose(&fits)?;
        Some(known.text.clone())
    }

    /// A call without parentheses around it.
    fn call(&mut self, kind: Kind, depth: usize) -> Option<String> {
        match self.dice.below(28) {
            24 | 25 => {
                if let Some(lookup) = self.matching(kind, depth) {
                    return Some(lookup);
                }
            }
            26 | 27 if suits(Kind::Bool, kind) || suits(Kind::List, kind) => {
                return Some(self.alike(kind));
            }
            0 => return Some(self.choice(kind, depth)),
            1 if suits(Kind::Text, kind) => return Some(self.printf(depth)),
            2 if suits(Kind::Text, kind) => return self.include(depth),
            3 if suits(Kind::Text, kind) => return Some(self.tpl(depth)),
            4 if suits(Kind::Map, kind) => return Some(self.dict(depth)),
            5 if depth < 2 => {
                let fits: Vec<_> = FORMS.iter().filter(|form| suits(form.2, kind)).collect();
                let form = self.dice.choose(&fits)?;
                self.reach.push(format!("function: {}", form.0));
                return Some(form.1.to_owned());
            }
            6 => {
                if let Some(method) = self.method(kind, depth) {
                    return Some(method);
                }
            }
            _ => {}
        }
        let fits: Vec<&Call> = self
            .calls
            .iter()
            .filter(|call| suits(call.gives, kind))
            .collect();
        let call = (*self.dice.choose(&fits)?).clone();
        Some(self.call_of(&call, depth))
    }

    /// A call of one function.
    pub fn call_of(&mut self, call: &Call, depth: usize) -> String {
        self.note(format!("function: {}", call.name));
        let mut args = Vec::new();
        for (kind, times) in &call.params {
            let count = match times {
                Times::Once => 1,
                Times::Any => self.dice.below(4),
                Times::Some => self.dice.between(1, 3),
            };
            for _ in 0..count {
                args.push(self.value(*kind, depth + 1));
            }
        }
        if self.risks > 0 && self.dice.one_in(20) {
            self.risks -= 1;
            self.note("risk: number of arguments");
            if self.dice.one_in(2) {
                args.pop();
            } else {
                let more = self.value(Kind::Any, depth + 1);
                args.push(more);
            }
        }
        let mut piped = None;
        if !args.is_empty() && self.dice.one_in(3) {
            self.note("pipe");
            piped = args.pop();
        }
        let mut text = call.name.to_owned();
        for arg in args {
            text.push(' ');
            text.push_str(&arg);
        }
        match piped {
            // `nil` is no command.
            Some(piped) if piped != "nil" => format!("{piped} | {text}"),
            Some(piped) => format!("{text} {piped}"),
            None => text,
        }
    }

    /// A key that is there, looked up in one of many ways.
    fn matching(&mut self, kind: Kind, depth: usize) -> Option<String> {
        if depth > 2 || !suits(Kind::Any, kind) && suits(kind, Kind::Map) {
            return None;
        }
        // One in three is nil, empty or false.
        let inner = match self.dice.below(9) {
            0 | 1 => "nil".to_owned(),
            2 => self
                .dice
                .pick(&["\"\"", "0", "false", "dict", "list"])
                .to_owned(),
            _ => self.value(kind, depth + 2),
        };
        let inner = if matches!(inner.as_str(), "dict" | "list") {
            format!("({inner})")
        } else {
            inner
        };
        let key = self.dice.pick(words::WORDS);
        let other = self.value(Kind::Any, DEPTH_MAX);
        let map = format!("(dict \"{key}\" {inner} \"q\" {other})");
        if kind != Kind::Any {
            let name = self.dice.pick(&["get", "index", "dig", "first"]);
            self.note(format!("function: {name}"));
            let fitting = self.value(kind, DEPTH_MAX);
            return Some(match name {
                "get" => format!("get (dict \"{key}\" {fitting}) \"{key}\""),
                "index" => format!("index (dict \"{key}\" (list {fitting})) \"{key}\" 0"),
                "dig" => format!("dig \"{key}\" {fitting} (dict \"q\" 1)"),
                _ => format!("first (list {fitting} {other})"),
            });
        }
        let name = self.dice.pick(&[
            "dig",
            "dig",
            "dig",
            "get",
            "index",
            "hasKey",
            "pluck",
            "pick",
            "omit",
            "unset",
            "merge",
            "mergeOverwrite",
            "default",
            "coalesce",
            "ternary",
        ]);
        self.note(format!("function: {name}"));
        Some(match name {
            "dig" => match self.dice.below(3) {
                0 => format!("dig \"{key}\" {other} {map}"),
                1 => format!("dig \"x\" \"{key}\" {other} (dict \"x\" {map})"),
                _ => format!("dig \"{key}\" \"deeper\" {other} {map}"),
            },
            "pluck" => format!("pluck \"{key}\" {map} (dict) {map}"),
            "merge" | "mergeOverwrite" => {
                let over = self.value(Kind::Any, DEPTH_MAX);
                let nested = format!("(dict \"{key}\" {over} \"n\" (dict \"{key}\" {over}))");
                format!("{name} (dict \"{key}\" {inner} \"n\" {map}) {nested}")
            }
            "default" => format!("default {other} {map}.{key}"),
            "coalesce" => format!("coalesce {map}.{key} {other}"),
            "ternary" => format!("ternary {map}.{key} {other} (hasKey {map} \"{key}\")"),
            _ => format!("{name} {map} \"{key}\""),
        })
    }

    /// Questions about values that are nearly the same.
    fn alike(&mut self, kind: Kind) -> String {
        // Those that stand near each other are alike.
        let from = self.dice.below(words::ALIKE.len());
        let mut one = || words::ALIKE[(from + self.dice.below(6)) % words::ALIKE.len()];
        let (one, two, many) = (one(), one(), [one(), one(), one(), one()].join(" "));
        let name =
            match suits(Kind::Bool, kind) && (!suits(Kind::List, kind) || many.len() % 2 == 0) {
                true => self.dice.pick(&["has", "deepEqual", "has", "not"]),
                false => self.dice.pick(&["uniq", "without", "concat", "compact"]),
            };
        self.note(format!("function: {name}"));
        match name {
            "has" => format!("has {one} (list {many})"),
            "deepEqual" => format!("deepEqual {one} {two}"),
            "not" => format!("not {one}"),
            "uniq" | "compact" => format!("{name} (list {many})"),
            "without" => format!("without (list {many}) {one} {two}"),
            _ => format!("concat (list {many}) (list {one})"),
        }
    }

    /// A version: a well-known one, or one of small numbers.
    fn version(&mut self) -> String {
        if self.dice.one_in(2) {
            return self.text_of(words::VERSIONS);
        }
        let mut text = self.dice.pick(&["", "", "v"]).to_owned();
        let parts = self.dice.between(2, 4).min(3);
        self.few_numbers(parts, &mut text);
        if parts == 3 {
            text.push_str(
                self.dice
                    .pick(&["", "", "", "-0", "-alpha", "-alpha.1", "-rc.2+b"]),
            );
        }
        quote(&text)
    }

    /// One or two conditions on such versions.
    fn constraint(&mut self) -> String {
        if self.dice.one_in(2) {
            return self.text_of(words::CONSTRAINTS);
        }
        let mut text = String::new();
        for at in 0..self.dice.between(1, 2) {
            if at > 0 {
                text.push_str(self.dice.pick(&[" ", ", ", " || "]));
            }
            text.push_str(self.dice.pick(&[
                "^", "^", "~", "~", ">", ">=", "<", "<=", "=", "!=", "", "=>", "=<", "~>",
            ]));
            let parts = self.dice.between(1, 3);
            self.few_numbers(parts, &mut text);
            match parts {
                3 => text.push_str(self.dice.pick(&["", "", "", "-0", "-alpha"])),
                _ if self.dice.one_in(4) => text.push_str(".x"),
                _ => {}
            }
        }
        quote(&text)
    }

    fn few_numbers(&mut self, count: usize, text: &mut String) {
        for at in 0..count {
            if at > 0 {
                text.push('.');
            }
            text.push_str(self.dice.pick(&["0", "0", "1", "2", "3", "10"]));
        }
    }

    /// What has an unsigned type: bytes and the numbers of versions.
    fn unsigned(&mut self) -> String {
        match self.dice.below(3) {
            0 => format!(
                "(index {} 0)",
                quote(self.dice.pick(&["a", "\u{1}", "0", "ÿ"]))
            ),
            1 => format!(
                "(semver \"{}.0.7\").Major",
                self.dice.pick(&["0", "1", "2", "7"])
            ),
            _ => format!(
                "(semver \"1.{}\").Minor",
                self.dice.pick(&["0", "10", "42", "255"])
            ),
        }
    }

    /// One of two.
    fn choice(&mut self, kind: Kind, depth: usize) -> String {
        let one = self.value(kind, depth + 1);
        let other = self.value(kind, depth + 1);
        match self.dice.below(3) {
            0 => {
                self.note("function: ternary");
                let which = self.value(Kind::Bool, depth + 1);
                format!("ternary {one} {other} {which}")
            }
            1 => {
                self.note("function: default");
                format!("default {one} {one}")
            }
            _ => {
                self.note("parentheses");
                match one.as_str() {
                    "nil" => "coalesce nil nil".to_owned(),
                    _ => format!("({one})"),
                }
            }
        }
    }

    /// A method of a value that has some.
    fn method(&mut self, kind: Kind, depth: usize) -> Option<String> {
        const METHODS: &[(Kind, &str, Kind)] = &[
            (Kind::Semver, "Major", Kind::Any),
            (Kind::Semver, "Minor", Kind::Any),
            (Kind::Semver, "Patch", Kind::Any),
            (Kind::Semver, "Prerelease", Kind::Text),
            (Kind::Semver, "Metadata", Kind::Text),
            (Kind::Semver, "Original", Kind::Text),
            (Kind::Semver, "String", Kind::Text),
            (Kind::Semver, "IncMajor", Kind::Any),
            (Kind::Semver, "IncMinor.String", Kind::Text),
            (Kind::Semver, "IncPatch", Kind::Any),
            (Kind::Moment, "Year", Kind::Int),
            (Kind::Moment, "Month", Kind::Any),
            (Kind::Moment, "Day", Kind::Int),
            (Kind::Moment, "Hour", Kind::Int),
            (Kind::Moment, "Weekday.String", Kind::Text),
            (Kind::Moment, "YearDay", Kind::Int),
            (Kind::Moment, "Unix", Kind::Int64),
            (Kind::Moment, "UnixNano", Kind::Int64),
            (Kind::Moment, "UTC.String", Kind::Text),
            (Kind::Moment, "IsZero", Kind::Bool),
            (Kind::TextMap, "_0", Kind::Text),
            (Kind::TextMap, "_1", Kind::Text),
        ];
        let fits: Vec<_> = METHODS
            .iter()
            .filter(|method| suits(method.2, kind))
            .collect();
        let (of, name, _) = *self.dice.choose(&fits)?;
        self.note(format!("method: {name}"));
        let of = match of {
            Kind::Moment => {
                let layout = self.value(Kind::DateLayout, DEPTH_MAX);
                let date = self.value(Kind::Date, DEPTH_MAX);
                format!("toDate {layout} {date}")
            }
            Kind::Semver => {
                let version = self.value(Kind::Version, DEPTH_MAX);
                format!("semver {version}")
            }
            _ => {
                let (separator, text) = (
                    self.value(Kind::Separator, DEPTH_MAX),
                    self.value(Kind::Text, depth + 1),
                );
                format!("split {separator} {text}")
            }
        };
        Some(format!("({of}).{name}"))
    }

    /// Every verb with anything.
    fn printf(&mut self, depth: usize) -> String {
        self.note("function: printf");
        let mut format = String::new();
        let mut args = String::new();
        for _ in 0..self.dice.between(1, 3) {
            if self.dice.one_in(3) {
                format.push_str(self.dice.pick(&["text ", "%%", "é", "-", ": ", "\\n"]));
            }
            format.push('%');
            for _ in 0..self.dice.below(3) {
                format.push_str(self.dice.pick(&["", "", "+", "-", "#", " ", "0"]));
            }
            if self.dice.one_in(25) {
                format.push_str(self.dice.pick(&["[1]", "[2]", "[9]", "[x]", "[", "[0]"]));
            }
            if self.dice.one_in(3) {
                format.push_str(self.dice.pick(&["1", "5", "12", "3", "8"]));
            }
            if self.dice.one_in(4) {
                format.push_str(self.dice.pick(&[".", ".0", ".2", ".5", ".3", ".12"]));
            }
            let verb = self.dice.pick(&[
                "v", "v", "v", "s", "s", "q", "d", "d", "f", "g", "e", "x", "X", "t", "c", "U",
                "b", "o", "O", "G", "E", "F", "T", "z", "!", "w", "é",
            ]);
            self.note(format!("verb: {verb}"));
            format.push_str(verb);
            let kind = match verb {
                "v" | "s" | "q" | "x" | "X" | "T" if self.dice.one_in(3) => Kind::Any,
                _ if self.dice.one_in(3) => COMMON[self.dice.below(COMMON.len() - 1)],
                "s" | "q" | "v" => Kind::Text,
                "d" | "c" | "U" | "b" | "o" | "O" => Kind::Int,
                "f" | "g" | "e" | "G" | "E" | "F" => Kind::Float,
                "t" => Kind::Bool,
                "x" | "X" | "T" => Kind::Any,
                _ => Kind::Numeric,
            };
            if !self.dice.one_in(25) {
                args.push(' ');
                let argument = match self.dice.one_in(12) {
                    true => self.dice.pick(OBJECTS).to_owned(),
                    false => self.value(kind, depth + 1),
                };
                // A local time shows the address of a zone, and a digest of that is another in every
                // build of the tool.
                let is_shown = matches!(verb, "v" | "s" | "q" | "x" | "X" | "T");
                match kind == Kind::Moment && !is_shown {
                    true => args.push_str(&format!("({argument}).UTC")),
                    false => args.push_str(&argument),
                }
            }
        }
        format!("printf \"{format}\"{args}")
    }

    fn include(&mut self, depth: usize) -> Option<String> {
        let names: Vec<&String> = self.defined.iter().collect();
        let name = self.dice.choose(&names)?.to_string();
        self.note("function: include");
        Some(match name.as_str() {
            "c.pair" => {
                let one = self.value(Kind::Any, depth + 1);
                format!(
                    "include \"{name}\" (dict \"one\" {one} \"root\" {})",
                    self.root
                )
            }
            "c.any" => {
                let one = self.value(Kind::Any, depth + 1);
                format!("include \"{name}\" {one}")
            }
            _ => format!("include \"{name}\" {}", self.root),
        })
    }

    fn tpl(&mut self, depth: usize) -> String {
        self.note("function: tpl");
        let text = match self.dice.below(8) {
            0 => "no action".to_owned(),
            6 => "{{ define \"c.any\" }}inner{{ end }}{{ include \"c.any\" . }}".to_owned(),
            7 => "{{- $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ $x = 4 }}{{ end -}}  {{ $x }}".to_owned(),
            1 => "{{ .Release.Name }}-{{ .Template.Name }}".to_owned(),
            2 => "{{ range $i, $e := list 1 2 }}{{ $i }}{{ $e }}{{ end }}{{ .Values.nope }}".to_owned(),
            3 => "{{ define \"inner\" }}[{{ . }}]{{ end }}{{ template \"inner\" 5 }}{{ include \"inner\" \"x\" }}".to_owned(),
            _ => {
                // The inside sees no variables.
                let known = std::mem::take(&mut self.known);
                self.known = known.iter().filter(|known| known.text.starts_with(".V") || known.text.starts_with("$.")).cloned().collect();
                let inside = format!("<{{{{ {} }}}}>", self.pipeline_at(Kind::Text, depth + 2));
                self.known = known;
                inside
            }
        };
        let root = self.root;
        format!("tpl {} {root}", quote(&text))
    }

    fn pipeline_at(&mut self, kind: Kind, depth: usize) -> String {
        self.call(kind, depth)
            .unwrap_or_else(|| self.value(kind, depth))
    }

    pub fn dict(&mut self, depth: usize) -> String {
        self.note("function: dict");
        let mut text = "dict".to_owned();
        for _ in 0..self.dice.below(4) {
            let key = quote(self.dice.pick(words::WORDS));
            let value = self.value(Kind::Any, depth + 1);
            text.push_str(&format!(" {key} {value}"));
        }
        if self.dice.one_in(15) {
            text.push_str(" \"odd\"");
        }
        text
    }

    /// An expression that always fails.
    pub fn failing(&mut self) -> String {
        let (name, text) = FAILING_FORMS[self.dice.below(FAILING_FORMS.len())];
        self.note(format!("function: {name}"));
        text.to_owned()
    }

    fn text_of(&mut self, from: &[&str]) -> String {
        let text = self.dice.pick(from);
        if !text.contains('`') && !text.contains('\r') && self.dice.one_in(8) {
            return format!("`{text}`");
        }
        quote(text)
    }

    /// A literal, or what makes a value of literals.
    fn literal(&mut self, kind: Kind, depth: usize) -> String {
        match kind {
            Kind::Any => {
                if self.dice.one_in(12) {
                    return "nil".to_owned();
                }
                let kind = COMMON[self.dice.below(COMMON.len() - 1)];
                self.value(kind, depth + 1)
            }
            Kind::Present => self.value(Kind::Int, depth + 1),
            Kind::Text => self.text_of(words::TEXTS),
            Kind::Word => self.text_of(words::WORDS),
            Kind::Separator => self.text_of(words::SEPARATORS),
            Kind::Bool => self.dice.pick(&["true", "false"]).to_owned(),
            Kind::Int => self.dice.pick(words::NUMBERS).to_owned(),
            Kind::Zero => "0".to_owned(),
            Kind::Small => self.dice.pick(&["0", "1", "2", "3", "4", "6"]).to_owned(),
            Kind::Signed => self
                .dice
                .pick(&["0", "1", "2", "3", "5", "9", "20", "-1", "-2", "-3", "-7"])
                .to_owned(),
            Kind::Positive => self.dice.pick(&["1", "2", "3", "4", "5", "7"]).to_owned(),
            Kind::Int64 => {
                self.note("function: int64");
                format!("(int64 {})", self.dice.pick(words::NUMBERS))
            }
            Kind::Uint => self.unsigned(),
            Kind::Float => self.dice.pick(words::FLOATS).to_owned(),
            Kind::Numeric => match self.dice.below(3) {
                0 => self.dice.pick(words::NUMERIC).to_owned(),
                1 => self.dice.pick(words::NUMBERS).to_owned(),
                _ => self.dice.pick(words::FLOATS).to_owned(),
            },
            Kind::List => {
                self.note("function: list");
                let mut text = "(list".to_owned();
                for _ in 0..self.dice.below(4) {
                    let item = self.value(Kind::Any, depth + 2);
                    text.push(' ');
                    text.push_str(&item);
                }
                text + ")"
            }
            Kind::Texts => format!(
                "(splitList \",\" {})",
                quote(self.dice.pick(&["a,b,c", "", "z", "b,a,b,", "10,9,x"]))
            ),
            Kind::Ints => format!("(until {})", self.dice.pick(&["0", "1", "3", "-2", "5"])),
            Kind::Map => format!("({})", self.dict(depth + 1)),
            Kind::TomlMap => {
                "(dict \"a\" 1 \"b\" (dict \"c\" (list \"x\" \"y\") \"d\" 1.5) \"e\" \"t\\n\")"
                    .to_owned()
            }
            Kind::TextMap => format!(
                "(split \",\" {})",
                quote(self.dice.pick(&["a,b,c", "", "z"]))
            ),
            Kind::UrlParts => format!(
                "(dict \"scheme\" {} \"host\" {} \"path\" {} \"query\" {} \"fragment\" {} \"userinfo\" {})",
                quote(self.dice.pick(&["http", "", "HTTPS"])),
                quote(self.dice.pick(&["h:80", "", "ex ample"])),
                quote(self.dice.pick(&["/p", "", "p q", "a/é"])),
                quote(self.dice.pick(&["q=1", "", "a b"])),
                quote(self.dice.pick(&["f", "", "x y"])),
                quote(self.dice.pick(&["u:p", "u", ""])),
            ),
            Kind::Time => match self.dice.below(3) {
                0 => format!("(int64 {})", self.dice.pick(words::TIMES)),
                1 => self.dice.pick(&["0", "86400", "1580518861"]).to_owned(),
                _ => self.value(Kind::Moment, DEPTH_MAX),
            },
            Kind::Moment if self.dice.one_in(4) => {
                self.note("function: toDate");
                let zone = self.dice.pick(&["Z", "+00:00", "+02:00", "-11:00"]);
                format!("(toDate \"2006-01-02T15:04:05Z07:00\" \"2020-02-29T23:30:00.25{zone}\")")
            }
            Kind::Moment => {
                self.note("function: toDate");
                let (layout, date) = (
                    self.value(Kind::DateLayout, DEPTH_MAX),
                    self.value(Kind::Date, DEPTH_MAX),
                );
                format!("(toDate {layout} {date})")
            }
            Kind::Layout => self.text_of(words::LAYOUTS),
            Kind::DateLayout => "\"2006-01-02\"".to_owned(),
            Kind::Date => {
                quote(
                    self.dice
                        .pick(&["2020-02-29", "1999-12-31", "0001-01-01", "2038-01-19"]),
                )
            }
            Kind::Zone => self.text_of(words::ZONES),
            Kind::DurationText => self.text_of(&words::DURATIONS[..words::DURATIONS.len() - 2]),
            Kind::Duration => match self.dice.below(3) {
                0 => format!(
                    "(int64 {})",
                    self.dice.pick(&["0", "95", "86400", "3600", "-60"])
                ),
                _ => self.text_of(words::DURATIONS),
            },
            Kind::Semver => format!("(semver {})", self.version()),
            Kind::Version => self.version(),
            Kind::Constraint => self.constraint(),
            // They are escaped already.
            Kind::Pattern => format!("\"{}\"", self.dice.pick(words::PATTERNS)),
            Kind::Replacement => self.text_of(words::REPLACEMENTS),
            Kind::TypeName => self.text_of(TYPES),
            Kind::GoName => self.text_of(KINDS),
            Kind::Path => self.text_of(words::PATHS),
            Kind::Url => self.text_of(words::URLS),
            Kind::Base64 => match self.dice.one_in(4) {
                true => self.text_of(words::BAD_BASE64),
                false => self.text_of(words::BASE64),
            },
            Kind::Json => self.text_of(words::JSONS),
            Kind::JsonList => match self.dice.one_in(4) {
                true => self.text_of(words::BAD_JSONS),
                false => self.text_of(words::JSON_LISTS),
            },
            Kind::Yaml => match self.dice.one_in(4) {
                true => self.text_of(words::BAD_YAMLS),
                false => self.text_of(words::YAMLS),
            },
            Kind::YamlList => match self.dice.one_in(4) {
                true => self.text_of(words::BAD_YAMLS),
                false => self.text_of(words::YAML_LISTS),
            },
            Kind::Toml => match self.dice.one_in(4) {
                true => self.text_of(words::BAD_TOMLS),
                false => self.text_of(words::TOMLS),
            },
        }
    }
}

/// A constraint, and a version that is about what it names.
pub fn near_versions(dice: &mut Dice) -> (String, String) {
    const AFTER: &[&str] = &["", "", "", "-0", "-alpha", "-rc.1", "-rc.2"];
    let mut numbers = [0; 3].map(|_: usize| [0, 0, 1, 2][dice.below(4)]);
    let mut constraint = String::new();
    for at in 0..dice.between(1, 2) {
        if at > 0 {
            constraint.push_str(dice.pick(&[" ", ", ", " || "]));
        }
        let operators = ["^", "^", "~", "~", ">", ">=", "<", "<=", "=", "!=", ""];
        constraint.push_str(dice.pick(&operators));
        let parts = dice.between(1, 4).min(3);
        let named: Vec<String> = numbers[..parts].iter().map(usize::to_string).collect();
        constraint.push_str(&named.join("."));
        match parts {
            3 => constraint.push_str(dice.pick(AFTER)),
            _ if dice.one_in(5) => constraint.push_str(dice.pick(&[".x", ".*"])),
            _ => {}
        }
    }
    if dice.one_in(8) {
        let [major, minor, patch] = numbers;
        constraint = format!(
            "{major}.{minor} - {}.{minor}.{patch}",
            major + dice.below(2)
        );
    }
    for number in &mut numbers {
        if dice.one_in(2) {
            *number += dice.below(2);
        }
    }
    let [major, minor, patch] = numbers;
    let version = format!("{major}.{minor}.{patch}{}", dice.pick(AFTER));
    (quote(&constraint), quote(&version))
}

/// Whether a value of one kind is one of the other.
fn suits(one: Kind, wanted: Kind) -> bool {
    one == wanted
        || match wanted {
            Kind::Any => !matches!(one, Kind::UrlParts),
            Kind::Present => matches!(
                one,
                Kind::Int | Kind::Bool | Kind::Float | Kind::List | Kind::Map
            ),
            Kind::Text => matches!(
                one,
                Kind::Word | Kind::Layout | Kind::Path | Kind::Url | Kind::Version
            ),
            Kind::Numeric => matches!(
                one,
                Kind::Int | Kind::Int64 | Kind::Float | Kind::Bool | Kind::Text
            ),
            Kind::Int => matches!(one, Kind::Small | Kind::Signed | Kind::Positive),
            Kind::List => matches!(one, Kind::Texts | Kind::Ints),
            Kind::Path => one == Kind::Text,
            Kind::Time => one == Kind::Moment,
            _ => false,
        }
}

/// A text as a literal of the template language.
pub fn quote(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0' => quoted.push_str("\\x00"),
            '\u{1}' => quoted.push_str("\\x01"),
            '\u{7f}' => quoted.push_str("\\u007f"),
            '\u{2028}' => quoted.push_str("\\u2028"),
            _ => quoted.push(letter),
        }
    }
    quoted + "\""
}

/// Names of all functions that this can call.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = functions::table().iter().map(|call| call.name).collect();
    names.extend(FORMS.iter().map(|form| form.0));
    names.extend(functions::ELSEWHERE);
    names
}
