//! Odd texts from a seed: every construct of YAML next to every other, and damaged ones.

/// A small generator of numbers; equal seeds give equal texts.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit.max(1)
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const WORDS: &[&str] = &[
    "a",
    "b",
    "key",
    "name",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "true",
    "False",
    "null",
    "~",
    "Null",
    "1",
    "0",
    "-1",
    "+1",
    "0x1F",
    "0o17",
    "017",
    "08",
    "0b11",
    "1_000",
    "1:30",
    "12:30:45",
    "1.5",
    ".5",
    "5.",
    "1e3",
    "1e400",
    "-0.0",
    "-0",
    "+.inf",
    ".nan",
    "2001-01-01",
    "2001-1-1 1:2:3",
    "2001-12-14t21:59:43.10-05:00",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "0xFFFFFFFFFFFFFFFFFF",
    "1e21",
    "1e-7",
    "1000000.0",
    "123456789012345678901234567890",
    "6e2e10",
    "0x",
    "1__0",
    "-0x1f",
    "0b-1",
    "<<",
    "=",
    "foo bar",
    "a:b",
    "a: b",
    "a #b",
    "a # b",
    "#x",
    "-x",
    "- x",
    "--- x",
    "...",
    "?x",
    "? x",
    ":x",
    "*x",
    "&x y",
    "!x y",
    "%x",
    "@x",
    "`x",
    "{x",
    "}x",
    "[x",
    "]x",
    ",x",
    "x,",
    "|x",
    ">x",
    "'x",
    "\"x",
    "x'y",
    "x\"y",
    "x\\y",
    "é",
    "日本語",
    "\u{1F600}",
    "\u{a0}",
    "\u{2028}",
    "\u{85}",
    "\u{feff}",
    "x\ty",
    "",
    " x",
    "x ",
    "x  y",
    "x\ny",
    "x\n\ny\n",
    "\nx",
    "x\n \ny",
    "x \ny",
    "\n",
    "\n\n",
    " \n",
    "aaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbb ccccccccccccccccccccc ddddddddddddddd eeeeee fff",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "a  b   c    d     e      f       g        h         i          j           k            l",
    "one two  three four five six seven eight nine ten eleven twelve  thirteen fourteen it's: fifteen",
    "\u{7f}",
    "x\u{0}",
    "\u{1b}[0m",
    "x\r\ny",
    "x\ry",
    "key with spaces",
    "http://x/y?z=1#f",
    "1.2.3",
    "0.0.0.0/0",
    "10Mi",
    "c2VjcmV0",
    "~x",
    "nullx",
    "2001-13-01",
    "2001-02-30",
    "x9",
    "x10",
    "X1",
    "a1b2",
    "a1b10",
    "a01",
    "a1",
    "_",
    "$x",
    "(x)",
];

/// A JSON document with odd keys and values.
pub fn json(dice: &mut Dice) -> String {
    fn text(dice: &mut Dice) -> String {
        let mut text = String::new();
        for _ in 0..1 + dice.below(3) * dice.below(2) {
            text.push_str(dice.pick(WORDS));
            text.push_str(dice.pick(&["", "", " ", "  ", "\n", "-", ": "]));
        }
        // The reference cannot read a delete character back, and its order of keys with numbers of
        // more than 64 bits is a matter of luck.
        serde_json::to_string(
            &text
                .replace('\u{7f}', "")
                .replace("123456789012345678901234567890", "12"),
        )
        .expect("text is JSON")
    }
    fn value(dice: &mut Dice, depth: usize) -> String {
        match dice.below(if depth > 3 { 6 } else { 9 }) {
            0 => dice.pick(&["null", "true", "false", "{}", "[]"]).into(),
            1 => dice
                .pick(&[
                    "0",
                    "1",
                    "-5",
                    "1.5",
                    "1e21",
                    "1e-7",
                    "0.1",
                    "123456789.125",
                    "100000",
                    "1e6",
                ])
                .into(),
            2..=5 => text(dice),
            6 => {
                let items: Vec<String> =
                    (0..dice.below(4)).map(|_| value(dice, depth + 1)).collect();
                format!("[{}]", items.join(","))
            }
            _ => {
                let mut entries = std::collections::BTreeMap::new();
                for _ in 0..dice.below(5) {
                    entries.insert(text(dice), value(dice, depth + 1));
                }
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{key}:{value}"))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }
    value(dice, 0)
}

/// A text written in block and flow style with comments anywhere.
pub fn text(dice: &mut Dice) -> String {
    let mut writer = TextWriter {
        out: String::new(),
        anchors: 0,
    };
    for _ in 0..1 + dice.below(8) / 7 {
        if dice.one_in(6) {
            writer.out.push_str(dice.pick(&[
                "---\n",
                "--- # c\n",
                "---\n\n",
                "# head\n---\n",
                "%YAML 1.1\n---\n",
                "...\n",
                "--- !!map\n",
                "\u{feff}",
            ]));
        }
        writer.comment(dice, 0);
        writer.block(dice, 0, 0);
        writer.comment(dice, 0);
        writer.anchors = 0;
    }
    let mut out = writer.out;
    if dice.one_in(12) {
        out = out.replace('\n', "\r\n");
    }
    if dice.one_in(10) {
        out.truncate(out.trim_end_matches('\n').len());
    }
    for _ in 0..dice.below(4) / 3 * dice.below(3) {
        damage(dice, &mut out);
    }
    out
}

/// Inserts, removes or doubles something somewhere.
pub fn damage(dice: &mut Dice, text: &mut String) {
    let mut at = dice.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    if dice.one_in(2) {
        let piece = dice.pick(&[
            " ", "  ", "\n", "\t", ":", ": ", "#", " # c\n", "-", "- ", "?", "? ", "\"", "'", "[",
            "]", "{", "}", ",", "|", ">", "&a ", "*a", "!t ", "\\", "\r", "\n---\n", "\n# c\n",
            "\n\n", "%", "@",
        ]);
        text.insert_str(at, piece);
    } else if let Some(character) = text[at..].chars().next() {
        text.replace_range(at..at + character.len_utf8(), "");
    }
}

struct TextWriter {
    out: String,
    anchors: usize,
}

impl TextWriter {
    fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    /// Perhaps comment lines and empty lines.
    fn comment(&mut self, dice: &mut Dice, column: usize) {
        while dice.one_in(5) {
            match dice.below(4) {
                0 => self.out.push('\n'),
                1 => {
                    let other = dice.below(6);
                    self.indent(other);
                    self.out.push_str("# other\n");
                }
                _ => {
                    self.indent(column);
                    self.out
                        .push_str(dice.pick(&["# one\n", "#two\n", "# three # four\n", "#\n"]));
                }
            }
        }
    }

    fn line_comment(&mut self, dice: &mut Dice) {
        if dice.one_in(6) {
            self.out
                .push_str(dice.pick(&[" # line", "  # line", " #line", " #"]));
        }
        self.out.push('\n');
    }

    fn properties(&mut self, dice: &mut Dice) {
        if dice.one_in(14) {
            self.anchors += 1;
            self.out.push_str(&format!("&a{} ", dice.below(3)));
        }
        if dice.one_in(20) {
            self.out.push_str(dice.pick(&[
                "!!str ",
                "!t ",
                "!!int ",
                "!!float ",
                "!!binary ",
                "! ",
                "!<x> ",
                "!!null ",
                "!!bool ",
                "!!timestamp ",
            ]));
        }
    }

    fn block(&mut self, dice: &mut Dice, column: usize, depth: usize) {
        match dice.below(if depth > 3 { 2 } else { 8 }) {
            0 | 1 => {
                self.indent(column);
                self.scalar(dice, column);
            }
            2..=4 => {
                for _ in 0..1 + dice.below(4) {
                    self.indent(column);
                    self.key(dice);
                    self.value(dice, column, depth);
                    self.comment(dice, column);
                }
            }
            _ => {
                for _ in 0..1 + dice.below(4) {
                    self.indent(column);
                    self.out.push('-');
                    self.entry(dice, column, depth);
                    self.comment(dice, column);
                }
            }
        }
    }

    fn key(&mut self, dice: &mut Dice) {
        if dice.one_in(25) {
            self.out.push_str("? ");
            let text = dice.pick(&["a", "[x]", "'q'", "|\n    x\n"]);
            self.out.push_str(text);
            self.out.push('\n');
            self.out.push(':');
            return;
        }
        self.properties(dice);
        let key = match dice.below(14) {
            0 => format!("'{}'", dice.pick(&["a", "it''s", "", "x y"])),
            1 => format!("\"{}\"", dice.pick(&["a", "\\n", "", "x\\ty"])),
            2 => dice
                .pick(&[
                    "1",
                    "true",
                    "yes",
                    "null",
                    "~",
                    "1.5",
                    "0x10",
                    "[a]",
                    "{a: b}",
                    "2001-01-01",
                    "*a0",
                ])
                .into(),
            3 => "<<".into(),
            _ => format!(
                "{}{}",
                dice.pick(&["a", "b", "key", "long key", "x-y", "x/y", "é"]),
                dice.below(9)
            ),
        };
        self.out.push_str(&key);
        if dice.one_in(20) {
            self.out.push(' ');
        }
        self.out.push(':');
    }

    /// What comes behind a key's colon.
    fn value(&mut self, dice: &mut Dice, column: usize, depth: usize) {
        match dice.below(if depth > 3 { 5 } else { 8 }) {
            0..=4 => {
                self.out.push(' ');
                self.scalar(dice, column);
            }
            5 => {
                self.out.push(' ');
                self.properties(dice);
                self.line_comment(dice);
                self.comment(dice, column + 2);
                // Items at the key's own column.
                for _ in 0..1 + dice.below(3) {
                    self.indent(column);
                    self.out.push('-');
                    self.entry(dice, column, depth + 1);
                    self.comment(dice, column);
                }
            }
            _ => {
                self.out.push(' ');
                self.properties(dice);
                self.line_comment(dice);
                let deeper = column + [2, 2, 2, 4, 1, 3][dice.below(6)];
                self.comment(dice, deeper);
                self.block(dice, deeper, depth + 1);
            }
        }
    }

    /// What comes behind a dash.
    fn entry(&mut self, dice: &mut Dice, column: usize, depth: usize) {
        match dice.below(if depth > 3 { 4 } else { 8 }) {
            0..=3 => {
                self.out.push(' ');
                self.scalar(dice, column);
            }
            4 => {
                self.line_comment(dice);
                self.comment(dice, column + 2);
                self.block(dice, column + 2, depth + 1);
            }
            5 => {
                self.out.push_str(" -");
                self.entry(dice, column + 2, depth + 1);
            }
            _ => {
                self.out.push(' ');
                self.key(dice);
                self.value(dice, column + 2, depth + 1);
                for _ in 0..dice.below(3) {
                    self.comment(dice, column + 2);
                    self.indent(column + 2);
                    self.key(dice);
                    self.value(dice, column + 2, depth + 1);
                }
            }
        }
    }

    /// A scalar or flow collection up to the end of its last line.
    fn scalar(&mut self, dice: &mut Dice, column: usize) {
        self.properties(dice);
        match dice.below(16) {
            0 => {
                let text = dice.pick(&[
                    "one",
                    "it''s",
                    "two\n\n   lines",
                    "a\n   b",
                    "",
                    " x ",
                    "\u{1F600}",
                    "x: y # z",
                ]);
                self.out.push_str(&format!("'{text}'"));
            }
            1 => {
                let text = dice.pick(&[
                    "one",
                    "\\\"",
                    "two\n\n   lines",
                    "a \\\n   b",
                    "\\x41\\u00e9\\U0001F600",
                    "\\0\\e\\N\\_",
                    "",
                    " x ",
                    "a\\tb",
                    "\\q",
                    "\\ud800",
                ]);
                self.out.push_str(&format!("\"{text}\""));
            }
            2 | 3 => {
                self.block_scalar(dice, column);
                return;
            }
            4 | 5 => self.flow(dice, 0),
            6 if self.anchors > 0 => self.out.push_str(&format!("*a{}", dice.below(3))),
            7 => {
                self.out.push_str("plain text\n");
                self.indent(column + 2);
                self.out.push_str("going on");
            }
            8 => {}
            _ => {
                let word = dice.pick(WORDS);
                self.out.push_str(&word.replace('\n', " "));
            }
        }
        self.line_comment(dice);
    }

    fn block_scalar(&mut self, dice: &mut Dice, column: usize) {
        let header = dice.pick(&[
            "|", "|-", "|+", ">", ">-", ">+", "|2", ">1-", "|+3", "|0", "|x",
        ]);
        self.out.push_str(header);
        self.line_comment(dice);
        let deeper = column + 1 + dice.below(4);
        for _ in 0..dice.below(6) {
            match dice.below(7) {
                0 => self.out.push('\n'),
                1 => {
                    self.indent(deeper + 2);
                    self.out.push_str("more\n");
                }
                2 => {
                    let any = dice.below(deeper + 3);
                    self.indent(any);
                    self.out.push('\n');
                }
                3 => {
                    self.indent(deeper);
                    self.out.push_str(dice.pick(&[
                        "# no comment\n",
                        "trail \n",
                        "\ttab\n",
                        "é日\n",
                        "--- x\n",
                    ]));
                }
                _ => {
                    self.indent(deeper);
                    self.out.push_str(dice.pick(&[
                        "line\n",
                        "two words\n",
                        "key: value\n",
                        "- item\n",
                    ]));
                }
            }
        }
    }

    fn flow(&mut self, dice: &mut Dice, depth: usize) {
        let count = dice.below(4);
        let map = dice.one_in(2);
        self.out.push(if map { '{' } else { '[' });
        for at in 0..count {
            if at > 0 {
                self.out.push(',');
                self.out
                    .push_str(dice.pick(&["", " ", " ", "\n    ", " # c\n    "]));
            }
            if map {
                self.out
                    .push_str(dice.pick(&["a", "b", "'c'", "\"d\"", "e f", "? g", "1"]));
                if dice.one_in(8) {
                    continue;
                }
                self.out.push_str(dice.pick(&[": ", ": ", ":", " : "]));
            } else if dice.one_in(8) {
                self.out.push_str("k: ");
            }
            if depth < 3 && dice.one_in(4) {
                self.flow(dice, depth + 1);
            } else {
                self.out.push_str(dice.pick(&[
                    "x", "1", "'q'", "\"r\"", "", "a b", "true", "x:y", "é", "-", "http://x", "[]",
                    "{}",
                ]));
            }
        }
        if dice.one_in(8) {
            self.out.push_str(dice.pick(&[",", " # end\n   ", "\n   "]));
        }
        self.out.push(if map { '}' } else { ']' });
    }
}
