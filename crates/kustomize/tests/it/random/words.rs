//! Small pools of names, so that references and collisions happen, and awkward texts.

pub const NAMES: &[&str] = &["web", "api", "db", "cache"];
pub const NAMESPACES: &[&str] = &["prod", "dev", "default"];
pub const LABEL_KEYS: &[&str] = &["app", "tier", "app.kubernetes.io/name", "team"];
pub const LABEL_VALUES: &[&str] = &["web", "api", "front", "v1", "1"];
pub const IMAGES: &[&str] = &[
    "nginx",
    "nginx:1.25",
    "busybox:latest",
    "registry.example.com:5000/team/app:v1.2.3",
    "ghcr.io/org/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "nginx:1.0@sha256:abc",
    "alpine:3",
    "app:{{TAG}}",
];

/// Plain scalars of every shape that a version of YAML gives a meaning to.
pub const PLAIN: &[&str] = &[
    "yes", "no", "on", "off", "y", "n", "Y", "N", "Yes", "NO", "On", "OFF", "true", "True", "TRUE",
    "false", "False", "null", "Null", "NULL", "~", "", "0", "1", "-1", "+1", "-0", "+0", "00", "07",
    "08", "0755", "0x1F", "0XFF", "0o17", "0b11", "-0x1f", "0b-1", "0x", "1_000", "1__0", "_1",
    "1_", "1e3", "1E3", "1e+3", "1e-3", "1e400", "6e2e10", ".5", "5.", "-.5", "+.5", "1.0", "1.50",
    "-0.0", "0.1", "1e21", "1e20", "1e-7", "0.00001", "1000000.0", "123456789.125", "1:30",
    "12:30:45", "190:20:30.15", "1.2.3", "2001-01-01", "2001-1-1", "2001-01-01 1:2:3",
    "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "2001-12-15T02:59:43.1Z",
    "2001-13-01", "2001-02-30", "0001-01-01", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
    "18446744073709551616", "0xFFFFFFFFFFFFFFFF", "0x7FFFFFFFFFFFFFFF", "9007199254740993",
    "123456789012345678901234567890", "4294967296", "3.141592653589793238", "100000000000000000000",
    "0.30000000000000004", "1e15", "1e16", "12345678.9", "=", "10Mi", "500m", "1k", "0.0.0.0/0",
    "nullx", "~x", "x9", "x10", "a:b", "http://x/y?z=1#f", "c2VjcmV0",
];

/// Plain scalars that no JSON can hold, or that clash with YAML's own signs.
pub const HOSTILE_PLAIN: &[&str] = &[
    ".inf", "-.inf", ".nan", ".Inf", "+.inf", "<<", "!!binary aGk=", "!!binary /w==", "!!str 1",
    "!!int 1", "!!int \"1\"", "!!float 1", "!!bool yes", "!!null x", "!custom x", "!!timestamp 2001-01-01",
    "! x", "!!str", "!!float 0x10", "!!int 1.0", "!!str true", "!!bool true", "!!str null",
];

/// Texts that are hard to write.
pub const TEXTS: &[&str] = &[
    "", " ", "  x", "x ", " x ", "a b", "a  b", "a: b", "a #b", "a # b", "#x", "-x", "- x", "--- x",
    "---", "...", "... x", "?x", "? x", ":x", ": x", "*x", "&x y", "!x y", "%x", "@x", "`x", "{x",
    "}x", "[x", "]x", ",x", "x,", "|x", ">x", "'x", "\"x", "x'y", "x\"y", "x\\y", "it's: \"x\"",
    "true", "null", "1", "1.0", "0x10", "yes", "~", "2001-01-01", "1e3", "1_000", "0755", "1:30",
    "18446744073709551616", ".5", "y", "=", "<<", "é", "日本語", "\u{1F600}", "x \u{1F600} y",
    "\u{a0}", "\u{85}", "\u{2028}", "\u{2029}", "\u{feff}x", "\u{200b}", "\u{200e}x", "\u{e000}",
    "\u{fffd}", "\u{7f}", "\u{1}", "\u{1b}[0m", "\t", "\tx", "x\ty", "x\t", "x\n", "x\ny", "x\ny\n",
    "x\n\ny\n", "x\n\n", "\nx", "\n\nx\n", "\n", "\n\n", " \n", "  x\ny\n", "x \ny\n", "x\n y\n", "x\n \ny",
    "x\ny \n", "\tx\ny\n", "x\n\ty\n", "x\r\ny", "x\ry", "# c\nx\n", "x\n# c\n", "---\nx\n", "x\n---\ny\n",
    "key: value\nother: [1, 2]\n", "{\"a\": {\"b\": 1}, \"c\": [1, \"x\"]}", "[1, 2]", "a:b:c", "a,b,c", "x.y-z",
    "aaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbb ccccccccccccccccccccc ddddddddddddddd eeeeee fff ggg",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  bbb  cc dddddd",
    "one two  three four five six seven eight nine ten eleven twelve  thirteen fourteen it's: fifteen",
    "one two three four five six seven eight nine ten eleven: \"twelve\" thirteen # fourteen fifteen sixteen",
    "é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é é",
    "first line that goes on and on and on and on and on and on and on and on and on and on\nsecond\n",
    "tab\there tab\there tab\there tab\there tab\there tab\there tab\there tab\there tab\there tab\there",
    "<a href=\"x\">&amp;</a>", "$(VAR)", "$(VAR_A) and $(VAR_B)", "$$(VAR)", "$x", "${x}", "{{ .Values.x }}", "c2VjcmV0\n",
];

/// Keys that are hard to write or to order.
pub const KEYS: &[&str] = &[
    "a", "b", "x9", "x10", "X1", "a1b2", "a1b10", "a01", "a1", "_", "key with spaces", "file.txt",
    "app.properties", "yes", "1", "true", "null", "1.5", "~", "", "a:b", "a: b", "#x", "é", "日本",
    "\u{1F600}", "-", "a/b", "a~b", "a.b", "a[0]", "<<", "=", "'q'", "\"q\"", "x\ny", "0x10",
    "2001-01-01", "A", "B", "aa", "a-b", "a_b", "10", "9", "$patch",
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk129",
];
