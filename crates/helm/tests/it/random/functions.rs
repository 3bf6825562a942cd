//! What every function takes, and what it gives.
//!
//! One line per function: its name, a letter per argument, a colon and the letter of the result.
//! `*` behind a letter: none to three of it, `+`: one to three.

use super::expression::Kind;

/// Functions that are called with what is read from [`TABLE`].
#[derive(Clone, Debug)]
pub struct Call {
    pub name: &'static str,
    pub params: Vec<(Kind, Times)>,
    pub gives: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Times {
    Once,
    Any,
    Some,
}

/// Functions whose results differ from call to call, or that take long: they come in fixed forms, with
/// the kind of what they give.
pub const FORMS: &[(&str, &str, Kind)] = &[
    ("now", "(now).IsZero", Kind::Bool),
    ("now", "typeOf now", Kind::Text),
    ("now", "(dateModify \"1h\" now).After (now)", Kind::Bool),
    ("ago", "ago (now)", Kind::Text),
    ("randAlphaNum", "len (randAlphaNum 5)", Kind::Int),
    ("randAlphaNum", "randAlphaNum 0", Kind::Text),
    (
        "randAlpha",
        "regexMatch \"^[a-zA-Z]{7}$\" (randAlpha 7)",
        Kind::Bool,
    ),
    ("randAscii", "len (randAscii 9)", Kind::Int),
    (
        "randNumeric",
        "regexMatch \"^[0-9]{4}$\" (randNumeric 4)",
        Kind::Bool,
    ),
    ("randBytes", "len (b64dec (randBytes 12))", Kind::Int),
    ("randInt", "randInt 3 4", Kind::Int),
    ("uuidv4", "len uuidv4", Kind::Int),
    (
        "uuidv4",
        "regexMatch \"^[0-9a-f]{8}-[0-9a-f]{4}-4\" (uuidv4)",
        Kind::Bool,
    ),
    ("shuffle", "len (shuffle \"abcdef\")", Kind::Int),
    ("shuffle", "shuffle \"aaa\"", Kind::Text),
    ("keys", "keys (dict \"only\" 1)", Kind::Texts),
    (
        "keys",
        "keys (dict \"b\" 1 \"a\" 2) (dict \"c\" 1) | sortAlpha",
        Kind::Texts,
    ),
    ("values", "values (dict \"only\" 1)", Kind::List),
    ("values", "len (values (dict \"b\" 1 \"a\" 2))", Kind::Int),
    (
        "htpasswd",
        "hasPrefix \"u:$2a$10$\" (htpasswd \"u\" \"p\")",
        Kind::Bool,
    ),
    ("htpasswd", "htpasswd \"a:b\" \"p\"", Kind::Text),
    ("bcrypt", "len (bcrypt \"p\")", Kind::Int),
    (
        "encryptAES",
        "encryptAES \"key\" \"plain\" | decryptAES \"key\"",
        Kind::Text,
    ),
    (
        "decryptAES",
        "decryptAES \"secretkey\" \"30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=\" | quote",
        Kind::Text,
    ),
    (
        "derivePassword",
        "derivePassword 1 \"long\" \"p\" \"u\" \"s\"",
        Kind::Text,
    ),
    (
        "derivePassword",
        "derivePassword 7 \"pin\" \"é\" \"\" \"site\"",
        Kind::Text,
    ),
    (
        "derivePassword",
        "derivePassword 1 \"nope\" \"a\" \"b\" \"c\"",
        Kind::Text,
    ),
    (
        "genPrivateKey",
        "hasPrefix \"-----BEGIN EC PRIVATE KEY-----\" (genPrivateKey \"ecdsa\")",
        Kind::Bool,
    ),
    (
        "genPrivateKey",
        "genPrivateKey \"ed25519\" | trimAll \"\\n\" | splitList \"\\n\" | first",
        Kind::Any,
    ),
    ("genPrivateKey", "genPrivateKey \"nope\"", Kind::Text),
    ("genCA", "typeOf (genCA \"ca\" 1)", Kind::Text),
    (
        "genCAWithKey",
        "(genCAWithKey \"ca\" 1 (genPrivateKey \"ecdsa\")).Cert | trunc 27",
        Kind::Text,
    ),
    (
        "genSelfSignedCert",
        "(genSelfSignedCert \"cn\" nil nil 1).Key | trunc 31",
        Kind::Text,
    ),
    (
        "genSelfSignedCertWithKey",
        "(genSelfSignedCertWithKey \"cn\" (list \"10.0.0.1\") (list \"a.b\") 1 (genPrivateKey \"ecdsa\")).Cert | trunc 27",
        Kind::Text,
    ),
    (
        "genSignedCert",
        "(genSignedCert \"cn\" nil (list \"a.b\") 1 (genCAWithKey \"ca\" 1 (genPrivateKey \"ecdsa\"))).Cert | trunc 27",
        Kind::Text,
    ),
    (
        "genSignedCertWithKey",
        "(genSignedCertWithKey \"cn\" nil nil 1 (genCAWithKey \"ca\" 1 (genPrivateKey \"ecdsa\")) (genPrivateKey \"ecdsa\")).Key | trunc 30",
        Kind::Text,
    ),
    ("toJson", "$.Capabilities.KubeVersion | toJson", Kind::Text),
    (
        "toString",
        "toString $.Capabilities.KubeVersion",
        Kind::Text,
    ),
    ("print", "$.Capabilities.KubeVersion", Kind::Any),
    (
        "printf",
        "printf \"%s %v %d %#x\" $.Capabilities.KubeVersion $.Capabilities.KubeVersion $.Capabilities.KubeVersion $.Capabilities.KubeVersion",
        Kind::Text,
    ),
    (
        "first",
        "list $.Capabilities.KubeVersion | first | toString",
        Kind::Text,
    ),
    (
        "toToml",
        "toToml (dict \"v\" $.Capabilities.KubeVersion)",
        Kind::Text,
    ),
    ("toYaml", "toYaml $.Capabilities", Kind::Text),
    ("toJson", "toJson $.Files", Kind::Text),
    ("typeOf", "typeOf $.Files", Kind::Text),
    ("keys", "keys $.Subcharts | sortAlpha", Kind::Texts),
    ("toJson", "toJson $.Subcharts", Kind::Text),
    ("substr", "substr -1 3 \"hello\"", Kind::Text),
    ("substr", "substr 2 -1 \"héllo\"", Kind::Text),
    ("substr", "substr 1 3 \"héllo\"", Kind::Text),
    ("fail", "and false (fail \"never\")", Kind::Any),
    ("call", "and false (call 1)", Kind::Any),
];

/// Fixed forms that always fail.
pub const FAILING_FORMS: &[(&str, &str)] = &[
    ("fail", "fail \"no %d way\""),
    ("fail", "fail \"two\\nlines: here\""),
    ("required", "required \"need it\" .Values.nope"),
    ("required", "required \"need: it\" \"\""),
    ("call", "call 1"),
    ("call", "call nil"),
    ("call", "call .Values"),
    ("call", "call .Capabilities.APIVersions.Has \"v1\""),
    ("buildCustomCert", "buildCustomCert \"a\" \"b\""),
    ("buildCustomCert", "buildCustomCert \"YQ==\" \"YQ==\""),
    ("genCAWithKey", "genCAWithKey \"a\" 1 \"nope\""),
    ("genSignedCert", "genSignedCert \"a\" nil nil 1 \"ca\""),
    (
        "genSelfSignedCert",
        "genSelfSignedCert \"a\" (list 1) nil 1",
    ),
    (
        "genSelfSignedCert",
        "genSelfSignedCert \"a\" (list \"x\") nil 1",
    ),
    ("decryptAES", "decryptAES \"key\" \"@@\""),
    ("decryptAES", "decryptAES \"key\" \"YWJj\""),
    ("randInt", "randInt 5 5"),
    ("randAlpha", "randAlpha -1"),
    ("randBytes", "randBytes -1"),
    ("include", "include \"nope\" ."),
    ("tpl", "tpl \"{{ nofn }}\" ."),
    ("tpl", "tpl \"{{ .Values.s.x.y.z }}\" ."),
    ("tpl", "tpl \"{{ fail \\\"x\\\" }}\" ."),
    ("tpl", "tpl \"{{ if }}\" ."),
    ("tpl", "tpl \"{{ include \\\"nope\\\" . }}\" ."),
    ("tpl", "tpl \"{{ index 1 2 }}\" $"),
    ("index", "index .Values \"absent\" \"b\""),
    ("index", "index (dict \"a\" nil) \"a\" \"b\""),
    ("index", "index (list 1) 5"),
    ("index", "index (list 1) \"0\""),
    ("index", "index nil 1"),
    ("index", "index (dict) 1"),
    ("slice", "slice (list 1 2) 2 1"),
    ("len", "len .Values.nope"),
    ("len", "len 5"),
    ("eq", "eq 1 \"1\""),
    ("eq", "eq (list) (list)"),
    ("lt", "lt (list) 1"),
    ("lt", "lt 1 1.0"),
    ("upper", "upper (index .Values \"absent\")"),
    ("upper", "upper nil"),
    ("add", "(dict).a.b"),
    ("keys", "keys .Values.nope 1"),
    ("first", "first 1"),
    ("range", "(list 1).x"),
];

const TABLE: &str = "
hello : s
date_in_zone y t Z : s
dateInZone y t Z : s
date y t : s
date_modify d W : W
dateModify d W : W
must_date_modify d W : W
mustDateModify d W : W
mustToDate o O : W
toDate y s : W
unixEpoch W : s
duration D : s
durationRound D : s
htmlDate t : s
htmlDateInZone t Z : s
mustToDuration D : D
durationSeconds D : f
durationMilliseconds D : I
durationMicroseconds D : I
durationNanoseconds D : I
durationMinutes D : f
durationHours D : f
durationDays D : f
durationWeeks D : f
durationRoundTo D D : a
durationTruncateTo D D : a
abbrev z s : s
abbrevboth n z s : s
trunc z s : s
trim s : s
upper s : s
lower s : s
title s : s
untitle s : s
substr 0 z s : s
repeat n s : s
trimall w s : s
trimAll w s : s
trimSuffix w s : s
trimPrefix w s : s
nospace s : s
initials s : s
swapcase s : s
snakecase s : s
camelcase s : s
kebabcase s : s
wrap p s : s
wrapWith p w s : s
contains w s : b
hasPrefix w s : b
hasSuffix w s : b
quote a* : s
squote a* : s
cat a* : s
indent n s : s
nindent n s : s
replace w s s : s
plural s s z : s
sha1sum s : s
sha256sum s : s
sha512sum s : s
adler32sum s : s
toString a : s
atoi s : i
int64 N : I
int N : i
float64 N : f
seq z : s
seq z z : s
seq n p n : s
toDecimal N : I
split / s : q
splitn / p s : q
splitList / s : L
toStrings l : L
until z : J
untilStep z z p : J
add1 N : I
add N* : I
sub N N : I
div N p : I
mod N p : I
mul N N* : I
add1f N : f
addf N* : f
subf N N : f
divf N p : f
mulf N N : f
biggest N N* : I
max N N* : I
min N N* : I
maxf N N* : f
minf N N* : f
ceil N : f
floor N : f
round N z : f
round N z f : f
join / a : s
sortAlpha l : L
default a a : a
empty a : b
coalesce a* : a
all a* : b
any a* : b
compact l : l
mustCompact l : l
fromJson j : m
fromJsonArray k : l
toJson a : s
mustToJson a : s
toPrettyJson a : s
mustToPrettyJson a : s
toRawJson a : s
mustToRawJson a : s
mustFromJson j : a
ternary a a b : a
deepCopy l : l
deepCopy m : m
mustDeepCopy m : m
typeOf a : s
typeIs w a : b
typeIsLike T a : b
kindOf a : s
kindIs K a : b
deepEqual a a : b
getHostByName w : s
base P : s
dir P : s
clean P : s
ext P : s
isAbs P : b
osBase P : s
osClean P : s
osDir P : s
osExt P : s
osIsAbs P : b
b64enc s : s
b64dec x : s
b32enc s : s
b32dec x : s
tuple a* : l
list a* : l
get m w : a
set m w a : m
unset m w : m
hasKey m w : b
pluck w m+ : l
pick m w* : m
omit m w* : m
merge m m* : m
mergeOverwrite m m* : m
mustMerge m m* : m
mustMergeOverwrite m m* : m
append l a : l
push l a : l
mustAppend l a : l
mustPush l a : l
prepend l a : l
mustPrepend l a : l
first l : a
mustFirst l : a
rest l : l
mustRest l : l
last l : a
mustLast l : a
initial l : l
mustInitial l : l
reverse l : l
mustReverse l : l
uniq l : l
mustUniq l : l
without l a* : l
mustWithout l a+ : l
has a l : b
mustHas a l : b
slice l : a
mustSlice l : a
concat l* : l
dig w a m : a
dig w w a m : a
chunk p l : a
mustChunk p l : a
semver V : v
semverCompare c V : b
regexMatch r s : b
mustRegexMatch r s : b
regexFindAll r s z : L
mustRegexFindAll r s z : L
regexFind r s : s
mustRegexFind r s : s
regexReplaceAll r s R : s
mustRegexReplaceAll r s R : s
regexReplaceAllLiteral r s R : s
mustRegexReplaceAllLiteral r s R : s
regexSplit r s z : L
mustRegexSplit r s z : L
regexQuoteMeta s : s
urlParse u : m
urlJoin U : s
toToml m : s
mustToToml M : s
fromToml g : m
toYaml a : s
mustToYaml a : s
toYamlPretty a : s
fromYaml h : m
fromYamlArray H : l
required s e : a
lookup w w w w : m
and a+ : a
or a+ : a
not a : b
len l : i
len m : i
len s : i
index m w : a
print a* : s
println a* : s
html a* : s
js a* : s
urlquery a* : s
eq s s : b
eq f f : b
eq i I : b
eq i X : b
eq X i i : b
eq s s s s : b
eq i i i : b
eq b b b : b
ne s s : b
ne i i : b
lt s s : b
lt i I : b
lt i X : b
lt X i : b
le X i : b
gt i X : b
ge X X : b
le f f : b
le i i : b
gt s s : b
gt f f : b
ge i i : b
ge s s : b
";

/// Functions that the grammar calls by itself.
pub const ELSEWHERE: &[&str] = &["dict", "printf", "include", "tpl"];

pub fn table() -> Vec<Call> {
    TABLE
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (call, gives) = line.split_once(" : ").expect("a result is named");
            let mut words = call.split(' ');
            let name = words.next().expect("a function is named");
            let params = words.map(|word| {
                let times = match word.get(1..) {
                    Some("*") => Times::Any,
                    Some("+") => Times::Some,
                    _ => Times::Once,
                };
                (kind(&word[..1]), times)
            });
            Call {
                name,
                params: params.collect(),
                gives: kind(gives),
            }
        })
        .collect()
}

fn kind(letter: &str) -> Kind {
    match letter {
        "s" => Kind::Text,
        "w" => Kind::Word,
        "/" => Kind::Separator,
        "0" => Kind::Zero,
        "n" => Kind::Small,
        "z" => Kind::Signed,
        "p" => Kind::Positive,
        "i" => Kind::Int,
        "I" => Kind::Int64,
        "X" => Kind::Uint,
        "N" => Kind::Numeric,
        "f" => Kind::Float,
        "b" => Kind::Bool,
        "l" => Kind::List,
        "L" => Kind::Texts,
        "J" => Kind::Ints,
        "m" => Kind::Map,
        "M" => Kind::TomlMap,
        "q" => Kind::TextMap,
        "a" => Kind::Any,
        "e" => Kind::Present,
        "t" => Kind::Time,
        "W" => Kind::Moment,
        "y" => Kind::Layout,
        "o" => Kind::DateLayout,
        "O" => Kind::Date,
        "Z" => Kind::Zone,
        "d" => Kind::DurationText,
        "D" => Kind::Duration,
        "v" => Kind::Semver,
        "V" => Kind::Version,
        "c" => Kind::Constraint,
        "r" => Kind::Pattern,
        "R" => Kind::Replacement,
        "T" => Kind::TypeName,
        "K" => Kind::GoName,
        "P" => Kind::Path,
        "u" => Kind::Url,
        "U" => Kind::UrlParts,
        "x" => Kind::Base64,
        "j" => Kind::Json,
        "k" => Kind::JsonList,
        "h" => Kind::Yaml,
        "H" => Kind::YamlList,
        "g" => Kind::Toml,
        other => panic!("the letter {other} stands for nothing"),
    }
}
