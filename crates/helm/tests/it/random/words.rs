//! Literals that expressions and values are made of.

/// Texts of every kind, most of them dull.
pub const TEXTS: &[&str] = &[
    "",
    "a",
    "str",
    "hello world",
    "Hello World Foo-bar",
    "HTTPServer",
    "some_snake_case",
    "kebab-case-text",
    "  padded  ",
    "line one\nline two\n",
    "tab\there",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "a,b,c",
    "a/b/c.txt",
    "key: value",
    "- item",
    "# comment",
    "{x}",
    "[y]",
    "yes",
    "null",
    "true",
    "007",
    "42",
    "-17",
    "3.14",
    "1e3",
    "0x1f",
    "héllo wörld",
    "日本語テキスト",
    "😀 smile",
    "<b>&amp;</b>",
    "$HOME ${1} $1",
    "100%",
    "%d %s",
    "a\u{2028}b",
    "\u{7f}del",
    "nul\u{0}byte",
    "cr\r\nlf",
    "x=1&y=2",
    "UPPER lower",
    "trailing \nblank ",
    "2020-01-02",
    "12:30:45",
    "~",
    "a very long text that goes on beyond the eighty columns at which some emitters begin to fold their lines for no good reason",
    "looooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooong",
];

pub const WORDS: &[&str] = &["a", "b", "c", "x", "foo", "bar", "zed", "name", "Key", "a1"];

/// Values that are the same to some and not to others, as operands.
pub const ALIKE: &[&str] = &[
    "1",
    "1.0",
    "(int64 1)",
    "\"1\"",
    "true",
    "\"true\"",
    "0",
    "0.0",
    "-0.0",
    "false",
    "\"\"",
    "nil",
    "(list)",
    "(dict)",
    "(list 1)",
    "(list 1.0)",
    "(until 2)",
    "(list 0 1)",
    "(rest (list 1))",
    "(dict \"a\" 1)",
    "(dict \"a\" 1.0)",
    "(dict \"a\" nil)",
    "(fromJson \"null\")",
    "(splitList \",\" \"1\")",
    "(semver \"1.0.0\").Major",
    "(semver \"1.0.0\")",
];

pub const SEPARATORS: &[&str] = &[",", "-", "/", " ", "", "o", "ab", "\n"];

pub const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "-1",
    "-5",
    "42",
    "255",
    "1000",
    "65536",
    "1000000",
    "2147483648",
    "0x1F",
    "0b11",
    "0o17",
    "017",
    "1_000",
    "'a'",
];

pub const FLOATS: &[&str] = &[
    "0.0",
    "1.0",
    "1.5",
    "2.5",
    "-0.5",
    "-2.5",
    "3.14159",
    "100000.0",
    "1000000.0",
    "1234567.5",
    "1e3",
    "1e21",
    "1e-5",
    "0.1",
    "123456789.125",
    "2.0",
    "0.00001234",
    "1e100",
];

/// What casts make numbers of, as template literals.
pub const NUMERIC: &[&str] = &[
    "\"12\"",
    "\"0x10\"",
    "\"010\"",
    "\"08\"",
    "\"7.0\"",
    "\"1.7\"",
    "\"1e3\"",
    "\"abc\"",
    "\"\"",
    "true",
    "false",
    "nil",
    "3.9",
    "-3.9",
    "2.5",
    "7",
    "-7",
    "1e6",
    "\" 5\"",
    "\"+5\"",
    "\"-5\"",
    "\"1_000\"",
];

pub const PATTERNS: &[&str] = &[
    "a",
    "[a-z]+",
    "a(x*)b",
    "^h",
    "d$",
    "(?i)HELLO",
    "\\\\d+",
    "\\\\w+",
    "(\\\\w)(\\\\w)",
    "[^a-z]",
    "a|b",
    ".*",
    "",
    "x*",
    "(?P<first>\\\\w+) (?P<second>\\\\w+)",
    "\\\\s+",
    "\\\\bl",
    "[[:upper:]]",
    "o{1,2}",
    "(?s).+",
    "(?m)^.",
    "\\\\pL",
    "é",
];

pub const BAD_PATTERNS: &[&str] = &[
    "(",
    "[a",
    "a**",
    "x{2000}",
    "\\\\8",
    "(?P<n",
    "\\\\pX",
    "[b-a]",
    "*",
    "(?<a>.)(?<a>.)",
];

pub const REPLACEMENTS: &[&str] = &[
    "", "X", "${1}W", "$1W", "$0$0", "[$1]", "$$", "${first}", "$", "<$2>",
];

pub const DURATIONS: &[&str] = &[
    "1h",
    "90m",
    "2400h10m5s",
    "2h10m5s",
    "1.5h",
    "100ms",
    "-5m",
    "0s",
    "1us",
    "36h",
    "1h0m0.5s",
    "8760h",
    "95",
    "300ns",
];

pub const BAD_DURATIONS: &[&str] = &["", "abc", "1", "1x", "h", "1h-", "9999999999h", "1d"];

pub const TIMES: &[&str] = &[
    "0",
    "86400",
    "1580518861",
    "1234567890",
    "-1",
    "951782400",
    "1700000000",
    "253402300799",
];

pub const LAYOUTS: &[&str] = &[
    "2006-01-02",
    "2006-01-02T15:04:05Z07:00",
    "Mon Jan _2 15:04:05.000 MST 2006",
    "Monday, 02-Jan-06 15:04:05 MST",
    "3:04PM",
    "002 __2 06",
    "Jan 2 '06 at 3:04pm (MST)",
    "15h04m05,999s",
    "-0700 -07:00 Z0700 -07",
    "20060102150405",
    "January 1 1",
    "",
    "x",
];

pub const ZONES: &[&str] = &[
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Nowhere/City",
    "",
];

pub const VERSIONS: &[&str] = &[
    "1.2.3",
    "v1.3.0",
    "1.29.3-gke.1",
    "1.2",
    "2",
    "1.2.3-beta.1+meta",
    "0.2.5",
    "0.0.3",
    "v1.37.0",
    "10.0.0-rc1",
    "1.2.9",
];

pub const BAD_VERSIONS: &[&str] = &[
    "", "x", "1.x", "1.2.3.4", "01.2.3", "v", "1.2.3-", "1.2.3-01", "-1.0",
];

pub const CONSTRAINTS: &[&str] = &[
    "^1.2.0",
    ">=1.21",
    ">=1.21-0",
    "~1.2 || >3",
    "*",
    "1.x",
    ">1 <3",
    "1.2 - 2.3",
    "=1.2.3",
    "!=1.2.3",
    "~1",
    "^0.2.3",
    "^0.0.3",
    ">= 1.0, < 2.0",
    "1.2.3",
    ">1.2.3-alpha",
    "<=2",
    "=>1.0",
    "~>1.2.3",
    "x",
    "<v2.0.0-0",
];

pub const BAD_CONSTRAINTS: &[&str] = &["", "abc", ">>1", "1.2.3.4", "^", "1 ||", "> >1"];

pub const PATHS: &[&str] = &[
    "a/b/c.txt",
    "/abs/path/",
    "../up",
    "./x//y/../z",
    "",
    ".",
    "/",
    "noext",
    "a.tar.gz",
    "dir/.hidden",
    "a/b/",
    "//",
];

pub const URLS: &[&str] = &[
    "http://u:p@h:80/p?q=1#f",
    "https://example.com",
    "example.com/path",
    "mailto:a@b.c",
    "http://[::1]:8080/x%20y?a=b&c",
    "",
    "/just/path?x",
    "ftp://h/a b",
    "HTTP://EXAMPLE.com/%7Efoo",
    "//host/path",
    "http://user@host",
    "a:b:c",
    "?q",
    "#f",
];

pub const BAD_URLS: &[&str] = &[
    "http://h:x/",
    "%zz",
    "http://[::1",
    "1http://x",
    "\\u007f",
    ":a",
    "http://a b/",
];

pub const JSONS: &[&str] = &[
    r#"{"a":1,"b":[1,2,{"c":null}],"d":"x"}"#,
    r#"{}"#,
    r#"{"x":1.5,"y":true,"z":1e21}"#,
    r#"{"u":"\u00e9\ud83d\ude00\n"}"#,
    r#"{"big":12345678901234567890,"n":-0}"#,
    r#"{"a":{"b":{"c":{}}}}"#,
    r#"{"a":1,"a":2}"#,
    r#" {"sp" : [ ] } "#,
];

pub const JSON_LISTS: &[&str] = &[
    "[]",
    "[1,2,3]",
    r#"["a",null,{"b":[]}]"#,
    "[[1],[2,[3]]]",
    " [ true , 1e3 ] ",
];

pub const BAD_JSONS: &[&str] = &[
    "",
    "[1",
    "{",
    "{a:1}",
    "null",
    "1",
    "\"x\"",
    "[1,]",
    "{\"a\":1,}",
    "nul",
    "{\"a\" 1}",
    "{\"a\": 1e400, \"b\": [-1e999, 2]}",
    "tru",
    "[1] x",
    "\"\\x\"",
    "{\"a\":01}",
    "{\"a\":\"\u{1}\"}",
    "1e999",
];

pub const YAMLS: &[&str] = &[
    "a: 1\nb: [x, y]\nc:\n  d: null\n",
    "{}",
    "x: yes\non: off\n",
    "n: 0644\nt: 12:30:45\nd: 2020-01-01\n",
    "s: |\n  line\n  more\nf: >-\n  folded\n  text\n",
    "a: &x {k: v}\nb: *x\n",
    "base: &b {p: 1}\nm:\n  <<: *b\n  q: 2\n",
    "# comment\nkey: value # c\n",
    "1: int\n2.5: float\ntrue: bool\n",
    "e: ''\nq: \"\\u00e9\\n\"\n",
    "---\na: 1\n",
    "big: 1e6\nhex: 0x1F\n",
    "a:\n- 1\n-  - 2\n",
];

pub const YAML_LISTS: &[&str] = &[
    "- 1\n- a\n- {b: c}\n",
    "[]",
    "[1, [2], three]",
    "- - x\n- |\n  t\n",
    "- yes\n- ~\n",
];

pub const BAD_YAMLS: &[&str] = &[
    "",
    "a",
    "- x",
    "a: b: c",
    "{",
    "[",
    "a: [1",
    "\ta: 1",
    "a: *nope",
    "'x",
    "\"x",
    "a: 1\n b: 2\n",
    "null",
    "a: !!int x",
    "%YAML 3\n---\na: 1",
    "a: 1\n---\nb: 2\n",
    "@",
    "`",
    "a:\n\t- 1",
    "<<: 1",
    "a: .inf",
    "k: !!binary aGk=",
    "{a: 1, a: 2}",
    "{a: 1}: b",
    "? [1, x, 1.5, null]\n: b",
    "a: {~: [b, 1]}",
];

pub const TOMLS: &[&str] = &[
    "a = 1\nb = \"x\"\n",
    "[t]\nk = [1, 2]\n[t.u]\nz = true\n",
    "f = 1.5\nd = 1979-05-27T07:32:00Z\n",
    "[[p]]\nn = 1\n[[p]]\nn = 2\n",
    "a.b.c = 'lit'\n",
    "s = \"\"\"\nmulti\nline\"\"\"\n",
    "x = {y = 1, z = [\"a\"]}\n",
    "h = 0xff\ne = 1e3\n",
    "",
    "# c\n",
];

pub const BAD_TOMLS: &[&str] = &[
    "a",
    "a = ",
    "[",
    "a = 1\na = 2",
    "= 1",
    "a = \"x",
    "[t]\n[t]",
    "a = 01",
    "a = [1",
    "a = nope",
];

pub const BASE64: &[&str] = &["aGVsbG8=", "", "YQ==", "8J+YgA==", "/////w==", "YWJj"];

pub const BAD_BASE64: &[&str] = &["@@", "YQ", "YQ=", "a b", "Y\nQ==", "====", "YWJj!"];

pub const KINDS: &[&str] = &[
    "ConfigMap",
    "Secret",
    "Service",
    "Deployment",
    "Namespace",
    "CustomResourceDefinition",
    "Ingress",
    "Job",
    "Foo",
    "ServiceAccount",
    "ClusterRole",
    "Pod",
    "List",
    "ValidatingWebhookConfiguration",
    "Bar",
];

pub const HOOKS: &[&str] = &[
    "pre-install",
    "post-install",
    "test",
    "test-success",
    "pre-upgrade,post-upgrade",
    "pre-delete, post-delete",
    "nope",
    "pre-install,nope",
    "",
    "post-rollback",
];
