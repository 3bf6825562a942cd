//! Files of templates: documents whose values are what expressions give.

use testkit::Dice;

use super::expression::{Kind, Known, Maker};
use super::words;

/// Deepest nesting of blocks.
const DEPTH_MAX: usize = 3;

pub struct Writer<'m, 'a> {
    maker: &'m mut Maker<'a>,
    pub text: String,
    /// Keys and variables given so far.
    count: usize,
    /// Loops that we are in.
    loops: usize,
}

/// `_helpers.tpl`, and the names it defines.
pub fn helpers(maker: &mut Maker<'_>) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut names = Vec::new();
    let known = std::mem::take(&mut maker.known);
    for (name, chance) in [
        ("c.name", 80),
        ("c.labels", 70),
        ("c.any", 60),
        ("c.pair", 50),
        ("c.deep", 30),
    ] {
        if !maker.dice.percent(chance) {
            continue;
        }
        maker.reach.push("define".into());
        let inside = match name {
            "c.any" => "{{ printf \"%T=%v\" . . | quote }}".to_owned(),
            "c.pair" => "{{ printf \"%s/%s\" .root.Release.Name (toJson .one) | quote }}".to_owned(),
            "c.deep" => "{{ $n := .n | default 3 }}{{ if gt (int $n) 1 }}{{ $n }}{{ include \"c.deep\" (dict \"n\" (sub $n 1)) }}{{ end }}".to_owned(),
            _ => {
                maker.known = known.clone();
                maker.dice.shuffle(&mut maker.known);
                maker.known.truncate(10);
                let kind = maker.dice.choose(&[Kind::Text, Kind::Any, Kind::Bool]).copied().unwrap_or(Kind::Text);
                let expression = maker.pipeline(kind);
                format!("{{{{ {expression} | toString | quote }}}}")
            }
        };
        let (before, after) = *maker
            .dice
            .choose(&[("{{-", "-}}"), ("{{", "}}"), ("{{", "-}}"), ("{{-", "}}")])
            .unwrap_or(&("{{", "}}"));
        text.push_str(&format!(
            "{before} define \"{name}\" {after}\n{inside}\n{{{{- end }}}}\n"
        ));
        names.push(name.to_owned());
    }
    maker.known = known;
    if maker.dice.one_in(6) {
        text.push_str("{{/* a comment */}}\n{{- /* trimmed */ -}}\n");
        maker.reach.push("comment".into());
    }
    (text, names)
}

impl<'m, 'a> Writer<'m, 'a> {
    pub fn new(maker: &'m mut Maker<'a>) -> Self {
        Self {
            maker,
            text: String::new(),
            count: 0,
            loops: 0,
        }
    }

    fn note(&mut self, feature: &str) {
        self.maker.reach.push(feature.into());
    }

    /// One to three documents.
    pub fn file(&mut self) {
        if self.maker.dice.one_in(10) {
            let condition = self.maker.pipeline(Kind::Any);
            self.text
                .push_str(&format!("{{{{- if or true ({condition}) }}}}\n"));
            self.documents();
            self.text.push_str("{{- end }}\n");
        } else {
            self.documents();
        }
    }

    fn documents(&mut self) {
        let documents = self.maker.dice.below(8).saturating_sub(4).max(1);
        for at in 0..documents {
            if at > 0 {
                let separator = self.maker.dice.pick(&[
                    "---\n",
                    "---\n",
                    "--- \n",
                    "---\n# comment\n",
                    "\n---\n\n",
                    "--- # head\n",
                    "---\n---\n",
                ]);
                self.text.push_str(separator);
                self.note("several documents");
            }
            self.document();
        }
    }

    /// One document of safe statements.
    pub fn document(&mut self) {
        self.head();
        for _ in 0..self.maker.dice.between(2, 6) {
            self.statement(0, 0);
        }
    }

    /// A document with little in it, of which one thing may fail.
    pub fn risky(&mut self) {
        self.text.push_str("kind: Risky\n");
        if self.maker.dice.one_in(3) {
            self.statement(0, 2);
        }
        match self.maker.dice.below(8) {
            0 => {
                let failing = self.maker.failing();
                self.text.push_str(&format!("f: {{{{ {failing} }}}}\n"));
                self.note("risk: fails always");
            }
            1 => {
                // What comes out need not be YAML.
                self.note("risk: raw text");
                self.maker.risks = 0;
                let expression = self.maker.pipeline(Kind::Any);
                self.text
                    .push_str(&format!("raw: {{{{ {expression} }}}}\n"));
            }
            _ => {
                self.maker.risks = self.maker.dice.between(1, 2);
                for _ in 0..self.maker.dice.between(1, 2) {
                    let depth = self.maker.dice.below(3);
                    self.statement(0, depth);
                }
            }
        }
    }

    fn head(&mut self) {
        let dice = &mut *self.maker.dice;
        let kind = dice.pick(words::KINDS);
        let name = dice.pick(&[
            "n",
            "a-b",
            "{{ .Release.Name }}",
            "{{ include \"c.name\" $ | quote }}",
            "x",
        ]);
        let name = match name.contains("include")
            && !self.maker.defined.iter().any(|name| name == "c.name")
        {
            true => "plain",
            false => name,
        };
        let version = dice.pick(&["v1", "apps/v1", "example.com/v1"]);
        self.text.push_str(&format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n"
        ));
        if dice.one_in(8) {
            let hook = dice.pick(words::HOOKS);
            self.text.push_str(&format!(
                "  annotations:\n    \"helm.sh/hook\": \"{hook}\"\n"
            ));
            if dice.one_in(2) {
                let weight = dice.pick(&["\"5\"", "\"-1\"", "\"x\"", "'0'"]);
                self.text
                    .push_str(&format!("    helm.sh/hook-weight: {weight}\n"));
            }
            self.note("hook");
        }
    }

    fn next(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.text
            .push_str(&format!("{}{text}\n", " ".repeat(indent)));
    }

    /// How the actions of one block are trimmed: a line must end either before or behind each of them.
    fn style(&mut self, indent: usize) -> (&'static str, &'static str) {
        match self.maker.dice.below(8) {
            0 | 1 if indent == 0 => {
                self.note("trim: right");
                ("{{", "-}}")
            }
            2 => ("{{", "}}"),
            _ => {
                self.note("trim: left");
                ("{{-", "}}")
            }
        }
    }

    fn control(&mut self, indent: usize, (before, after): (&str, &str), text: &str) {
        self.line(indent, &format!("{before} {text} {after}"));
    }

    fn statement(&mut self, indent: usize, depth: usize) {
        let at = self.next();
        let style = self.style(indent);
        match self
            .maker
            .dice
            .below(if depth < DEPTH_MAX { 26 } else { 12 })
        {
            0..=6 => self.emit(indent, at),
            7 => {
                let kind = [
                    Kind::Any,
                    Kind::Text,
                    Kind::List,
                    Kind::Map,
                    Kind::Int,
                    Kind::Float,
                    Kind::Bool,
                ][self.maker.dice.below(7)];
                let expression = self.maker.pipeline(kind);
                let mut name = format!("$v{at}");
                if self.maker.dice.one_in(3)
                    && let Some(shadowed) = self.variable()
                {
                    self.note("variable: declared again");
                    name = shadowed.text;
                    self.maker.known.retain(|known| known.text != name);
                }
                self.note("variable");
                self.control(indent, style, &format!("{name} := {expression}"));
                self.maker.known.push(Known { text: name, kind });
            }
            8 => {
                let expression = self.maker.pipeline(Kind::Any);
                self.note("comment");
                self.line(
                    indent,
                    &format!(
                        "{{{{- /* c{at} */}}}}\n{}# {{{{ {expression} | quote }}}}",
                        " ".repeat(indent)
                    ),
                );
            }
            9 => {
                let value = self.maker.value(Kind::Any, 1);
                self.note("toYaml with nindent");
                self.line(
                    indent,
                    &format!(
                        "k{at}:\n{}  {{{{- toYaml (dict \"v\" {value}) | nindent {} }}}}",
                        " ".repeat(indent),
                        indent + 2
                    ),
                );
            }
            10 => {
                let text = self.maker.pipeline(Kind::Text);
                self.note("block scalar");
                self.line(indent, &format!("k{at}: |-2\n{}  .\n{{{{ {text} | replace \"\\r\" \"\" | toJson | indent {} }}}}", " ".repeat(indent), indent + 2));
            }
            11 => {
                let of = self.maker.value(Kind::Map, 1);
                let key = self.maker.value(Kind::Word, 1);
                let value = self.maker.value(Kind::Any, 1);
                self.note("set on a value");
                self.control(indent, style, &format!("$_ := set {of} {key} {value}"));
                self.line(
                    indent,
                    &format!("k{at}: {{{{ toJson .Values | sha1sum }}}}")
                        .replace(".Values", &format!("{}.Values", self.maker.root)),
                );
            }
            12 | 13 => self.branch(indent, depth, at),
            14 | 15 => self.range(indent, depth, at),
            16 | 17 => self.with(indent, depth, at),
            18 => {
                let Some(known) = self.variable() else {
                    return self.emit(indent, at);
                };
                self.note("assignment");
                let value = self.maker.pipeline(known.kind);
                self.control(indent, style, &format!("{} = {value}", known.text));
                self.line(
                    indent,
                    &format!("k{at}: {{{{ {} | toJson | quote }}}}", known.text),
                );
            }
            19 => {
                let value = self.maker.pipeline(Kind::Any);
                self.note("block");
                let name = self.maker.dice.below(10_000);
                self.line(indent, &format!("k{at}: {{{{ block \"b{at}{name}\" ({value}) }}}}{{{{ . | quote }}}}{{{{ end }}}}"));
            }
            20 => {
                let names = self.maker.defined.clone();
                let Some(name) = self.maker.dice.choose(&names) else {
                    return self.emit(indent, at);
                };
                self.note("template");
                let root = self.maker.root;
                let argument = match name.as_str() {
                    "c.any" => "(list 1 \"x\")".to_owned(),
                    "c.pair" => format!("(dict \"root\" {root} \"one\" 1)"),
                    _ => root.to_owned(),
                };
                self.line(
                    indent,
                    &format!("k{at}: [ {{{{ template \"{name}\" {argument} }}}} ]"),
                );
            }
            21 => self.trimmed(indent, at),
            22 if self.maker.dice.one_in(2) => self.changing_range(indent, style, at),
            22 => self.nested_loops(indent, style, at),
            23 if self.loops > 0 => self.leave_loop(),
            23 | 24 => {
                if !self.variables(indent) {
                    self.emit(indent, at);
                }
            }
            _ => {
                self.line(indent, &format!("k{at}:"));
                for _ in 0..2 {
                    self.statement(indent + 2, depth + 1);
                }
            }
        }
    }

    /// A variable that a statement has declared.
    fn variable(&mut self) -> Option<Known> {
        let known = self.maker.known.iter();
        let known: Vec<Known> = known
            .filter(|known| known.text.starts_with("$v") && !known.text.contains('.'))
            .cloned()
            .collect();
        self.maker.dice.choose(&known).cloned()
    }

    /// What variables hold, where there are any.
    fn variables(&mut self, indent: usize) -> bool {
        let names: Vec<String> = (0..3)
            .filter_map(|_| self.variable())
            .map(|known| known.text)
            .collect();
        if names.is_empty() {
            return false;
        }
        self.note("variables behind blocks");
        let at = self.next();
        let names = names.join(" ");
        let line = format!("k{at}: {{{{ list {names} | toJson | trunc 300 | quote }}}}");
        self.line(indent, &line);
        true
    }

    /// Text and actions with blanks of all kinds between them, trimmed or not.
    fn trimmed(&mut self, indent: usize, at: usize) {
        self.note("trim: blanks of all kinds");
        let mut text = "a".to_owned();
        let inside = " ".repeat(indent + 2);
        for part in 0..self.maker.dice.between(1, 4) {
            let dice = &mut *self.maker.dice;
            let mut blank = || match dice.below(8) {
                0 => String::new(),
                1 => "\t".to_owned(),
                2 => " \t ".to_owned(),
                3 => format!("\n{inside}"),
                4 => format!("\r\n{inside}\t"),
                5 => format!("\n\n{inside}"),
                6 => format!(" \n \n{inside} "),
                _ => " ".to_owned(),
            };
            let (before, after) = (blank(), blank());
            let open = dice.pick(&["{{- ", "{{- ", "{{", "{{-\t"]);
            let close = dice.pick(&[" -}}", " -}}", "}}", "\t-}}"]);
            let action = match dice.below(8) {
                0..=2 => "/* c */".to_owned(),
                3 => "\"x\"".to_owned(),
                4 => format!("if true{close}y{open}end"),
                5 => format!("$t{at}{part} := 1"),
                6 => "1 | add 2".to_owned(),
                _ => format!("range list 1 2{close}{before}z{after}{open}end"),
            };
            text.push_str(&format!("{before}{open}{action}{close}{after}b"));
        }
        self.line(indent, &format!("k{at}: \"{text}\""));
    }

    /// A loop over a map that its body changes.
    fn changing_range(&mut self, indent: usize, style: (&str, &str), at: usize) {
        self.note("range: changes what it is over");
        let dice = &mut *self.maker.dice;
        let mut key = || dice.pick(&["a", "b", "c", "d", "e"]).to_owned();
        let (one, two, three) = (key(), key(), key());
        let (set, unset) = (key(), key());
        let over = format!("dict \"{one}\" 1 \"{two}\" 2 \"{three}\" 3");
        self.control(indent, style, &format!("$m{at} := {over}"));
        self.line(indent, &format!("k{at}:"));
        self.control(indent, style, &format!("range $k, $e := $m{at}"));
        self.line(
            indent,
            &format!("- \"{{{{ $k }}}}={{{{ $e }}}}={{{{ get $m{at} $k }}}}\""),
        );
        self.control(indent, style, &format!("$_ := set $m{at} \"{set}\" 9"));
        self.control(indent, style, &format!("$_ = unset $m{at} \"{unset}\""));
        self.control(indent, style, "end");
        self.line(indent, &format!("k{at}after: {{{{ toJson $m{at} }}}}"));
    }

    /// A loop in a loop, left from its body and from its `else`.
    fn nested_loops(&mut self, indent: usize, style: (&str, &str), at: usize) {
        self.note("range: in a range");
        let dice = &mut *self.maker.dice;
        let over = dice.pick(&[
            "(list)",
            "(dict)",
            "nil",
            "0",
            "(until 3)",
            "(list 1 2 3)",
            ".nope",
        ]);
        let over = if over == ".nope" { "(dict).nope" } else { over };
        let mut leave = || dice.pick(&["break", "continue", "print 1", "break", "continue"]);
        let (inside, otherwise, behind) = (leave(), leave(), leave());
        self.line(indent, &format!("k{at}:"));
        self.control(indent, style, &format!("range $i{at}, $_ := list 1 2 3"));
        self.line(indent, &format!("- {{{{ $i{at} }}}}"));
        // `nil` is no command.
        self.control(indent, style, &format!("range (coalesce {over} {over})"));
        self.line(indent, "- turn");
        self.line(
            0,
            &format!(
                "{{{{- if {} }}}}{{{{ $_ := 1 }}}}{{{{ {inside} }}}}{{{{ end }}}}",
                "eq (print .) \"1\""
            ),
        );
        self.line(indent, "- behind");
        self.control(indent, style, "else");
        self.line(indent, "- otherwise");
        self.line(
            0,
            &format!("{{{{- if true }}}}{{{{ {otherwise} }}}}{{{{ end }}}}"),
        );
        self.control(indent, style, "end");
        self.line(indent, "- inner");
        self.line(
            0,
            &format!("{{{{- if eq $i{at} 1 }}}}{{{{ {behind} }}}}{{{{ end }}}}"),
        );
        self.line(indent, "- outer");
        self.control(indent, style, "end");
    }

    /// The end of a turn from wherever we are in it.
    fn leave_loop(&mut self) {
        let which = self.maker.dice.pick(&["break", "continue"]);
        let condition = self.maker.pipeline(Kind::Any);
        self.note(&format!("{which}: inside other blocks"));
        let line = format!("{{{{- if {condition} }}}}{{{{ {which} }}}}{{{{ end }}}}");
        self.line(0, &line);
    }

    /// A key with a value.
    fn emit(&mut self, indent: usize, at: usize) {
        const FORMS: &[(Kind, &str)] = &[
            (Kind::Any, "{{ E | quote }}"),
            (Kind::Any, "{{ E | toJson }}"),
            (Kind::Any, "{{ E | toString | quote }}"),
            (Kind::Any, "{{ toJson (list E) }}"),
            (Kind::Any, "{{ printf \"%v|%T\" E E | quote }}"),
            (Kind::Any, "{{ printf \"%#v\" E | quote }}"),
            (Kind::Any, "{{ E | toYaml | quote }}"),
            (Kind::Text, "{{ E | quote }}"),
            (Kind::Text, "{{ E | squote | quote }}"),
            (Kind::Bool, "{{ E }}"),
            (Kind::Int, "{{ E }}"),
            (Kind::Int64, "{{ E }}"),
            (Kind::Float, "{{ E }}"),
            (Kind::Float, "{{ E | toJson }}"),
            (Kind::List, "{{ E | toJson }}"),
            (Kind::List, "{{ printf \"%v\" E | quote }}"),
            (Kind::Texts, "{{ join \"+\" E | quote }}"),
            (Kind::Map, "{{ E | toJson }}"),
            (Kind::Map, "{{ printf \"%v\" E | quote }}"),
            (Kind::Map, "{{ toYaml E | toJson }}"),
            (Kind::Map, "{{ toYamlPretty E | toJson }}"),
            (Kind::Map, "{{ toToml E | toJson }}"),
            (Kind::Any, "{{ if E }}yes{{ else }}no{{ end }}"),
            (Kind::Any, "\"{{ typeOf E }} {{ kindOf E }}\""),
        ];
        let (kind, form) = FORMS[self.maker.dice.below(FORMS.len())];
        let is_operand =
            form.matches('E').count() > 1 || !(form.contains("{{ E") || form.contains("if E"));
        let expression = match is_operand {
            true => self.maker.value(kind, 0),
            false => self.maker.pipeline(kind),
        };
        let form = form.replace('E', &expression);
        self.line(indent, &format!("k{at}: {form}"));
    }

    /// Paths begin at the root no longer, and the dot is something else.
    fn rebase(&mut self, kind: Kind) {
        self.maker
            .known
            .retain(|known| known.text != "." && !known.text.starts_with("(index ("));
        for known in &mut self.maker.known {
            if known.text.starts_with('.') {
                known.text.insert(0, '$');
            } else if known.text.starts_with("(index .") {
                known.text = known.text.replacen("(index .", "(index $.", 1);
            } else if known.text.starts_with('(') {
                known.text = known.text.replacen("(.", "($.", 1);
            }
        }
        for _ in 0..4 {
            self.maker.known.push(Known {
                text: ".".into(),
                kind,
            });
        }
    }

    fn inside(&mut self, indent: usize, depth: usize, dot: Option<Kind>) {
        let known = self.maker.known.clone();
        if let Some(kind) = dot {
            self.rebase(kind);
        }
        for _ in 0..self.maker.dice.between(1, 2) {
            self.statement(indent, depth + 1);
        }
        self.maker.known = known;
    }

    fn branch(&mut self, indent: usize, depth: usize, at: usize) {
        let style = self.style(indent);
        self.note("if");
        let condition = self.maker.pipeline(Kind::Any);
        self.control(indent, style, &format!("if {condition}"));
        self.inside(indent, depth, None);
        if self.maker.dice.one_in(3) {
            self.note("else if");
            let condition = match self.maker.dice.one_in(3) {
                true => format!("$e{at} := {}", self.maker.pipeline(Kind::Any)),
                false => self.maker.pipeline(Kind::Bool),
            };
            self.control(indent, style, &format!("else if {condition}"));
            self.inside(indent, depth, None);
        }
        if self.maker.dice.one_in(2) {
            self.note("else");
            self.control(indent, style, "else");
            self.inside(indent, depth, None);
        }
        self.control(indent, style, "end");
        self.behind(indent);
    }

    fn range(&mut self, indent: usize, depth: usize, at: usize) {
        let style = self.style(indent);
        let kind = [
            Kind::List,
            Kind::List,
            Kind::Map,
            Kind::Small,
            Kind::Texts,
            Kind::Ints,
            Kind::Map,
        ][self.maker.dice.below(7)];
        let over = self.maker.pipeline(kind);
        self.note(&format!("range: {kind:?}"));
        let element = match kind {
            Kind::Small => Kind::Int,
            Kind::Texts => Kind::Text,
            Kind::Ints => Kind::Int,
            _ => Kind::Any,
        };
        self.line(indent, &format!("k{at}:"));
        let mut known = Vec::new();
        let declared = match self.maker.dice.below(3) {
            0 => String::new(),
            1 => {
                known.push(Known {
                    text: format!("$r{at}"),
                    kind: element,
                });
                format!("$r{at} := ")
            }
            _ if kind == Kind::Small => String::new(),
            _ => {
                let index = if kind == Kind::Map {
                    Kind::Text
                } else {
                    Kind::Int
                };
                known.push(Known {
                    text: format!("$i{at}"),
                    kind: index,
                });
                known.push(Known {
                    text: format!("$r{at}"),
                    kind: element,
                });
                self.note("range: two variables");
                format!("$i{at}, $r{at} := ")
            }
        };
        self.control(indent, style, &format!("range {declared}{over}"));
        let before = self.maker.known.clone();
        self.maker.known.extend(known.clone());
        self.rebase(element);
        let mut item = String::from("- ");
        for known in &known {
            item.push_str(&format!(
                "{{{{ {} | toJson | trunc 200 | quote }}}}",
                known.text
            ));
        }
        if known.len() != 1 {
            item = "- {{ . | toJson | quote }}".to_owned();
        }
        self.line(indent, &item);
        if self.maker.dice.one_in(4) {
            let which = self.maker.dice.pick(&["break", "continue"]);
            let condition = self.maker.pipeline(Kind::Any);
            self.note(which);
            self.line(
                indent,
                &format!("{{{{- if {condition} }}}}{{{{ {which} }}}}{{{{ end }}}}"),
            );
        }
        self.line(indent, "- in:");
        self.loops += 1;
        self.inside(indent + 4, depth + 1, None);
        self.loops -= 1;
        self.maker.known = before;
        if self.maker.dice.one_in(3) {
            self.note("range: else");
            self.control(indent, style, "else");
            self.line(indent, "- none");
            if self.loops > 0 && self.maker.dice.one_in(2) {
                let which = self.maker.dice.pick(&["break", "continue"]);
                self.note(&format!("{which}: in an else"));
                self.control(indent, style, which);
            }
        }
        self.control(indent, style, "end");
        self.behind(indent);
    }

    /// What is seen of variables when a block has ended.
    fn behind(&mut self, indent: usize) {
        if self.maker.dice.one_in(2) {
            self.variables(indent);
        }
    }

    fn with(&mut self, indent: usize, depth: usize, at: usize) {
        let style = self.style(indent);
        let kind = [Kind::Any, Kind::Map, Kind::Text, Kind::List][self.maker.dice.below(4)];
        let of = self.maker.pipeline(kind);
        self.note("with");
        let declared = self.maker.dice.one_in(3);
        match declared {
            true => self.control(indent, style, &format!("with $w{at} := {of}")),
            false => self.control(indent, style, &format!("with {of}")),
        }
        let before = self.maker.known.len();
        if declared {
            self.maker.known.push(Known {
                text: format!("$w{at}"),
                kind,
            });
        }
        self.inside(indent, depth, Some(kind));
        self.maker.known.truncate(before);
        if self.maker.dice.one_in(4) {
            self.note("else with");
            let of = self.maker.pipeline(Kind::Any);
            self.control(indent, style, &format!("else with {of}"));
            self.inside(indent, depth, Some(Kind::Any));
        }
        if self.maker.dice.one_in(3) {
            self.note("with: else");
            self.control(indent, style, "else");
            self.inside(indent, depth, None);
        }
        self.control(indent, style, "end");
        self.behind(indent);
    }
}

/// The text with other blanks where trimming takes them away, or with line ends of Windows.
pub fn spaced(text: &str, dice: &mut Dice, reach: &mut Vec<String>) -> String {
    const BLANKS: &[&str] = &[" ", "\t", "\n", "\r\n", "\n\n\t", " \n \t\r\n"];
    if dice.one_in(12) {
        reach.push("trim: more blanks".into());
        let mut spaced = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '-']) {
            let (before, after) = rest.split_at(at);
            spaced.push_str(before);
            // Not inside of texts that are templates themselves.
            let mark = if after.starts_with("{{- ") && !spaced.ends_with('"') {
                spaced.push_str(dice.pick(BLANKS));
                "{{- "
            } else if after.starts_with("-}}") && !after.starts_with("-}}\"") {
                "-}}"
            } else {
                &after[..1]
            };
            spaced.push_str(mark);
            if mark == "-}}" {
                spaced.push_str(dice.pick(BLANKS));
            }
            rest = &after[mark.len()..];
        }
        spaced.push_str(rest);
        return spaced;
    }
    if dice.one_in(16) {
        reach.push("lines end as on Windows".into());
        return text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    text.to_owned()
}
