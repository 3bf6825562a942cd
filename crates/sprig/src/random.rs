//! What nobody can guess: texts, numbers, bytes, identifiers.
//!
//! All of it is made of [`World::random`](gotemplate::World::random), so a seeded world gives the
//! same every time; other values than Go's, of course.
//!
//! # Source
//! Masterminds/sprig v3.3 `strings.go`, `crypto.go`; Masterminds/goutils `cryptorandomstringutils.go`;
//! huandu/xstrings `convert.go`.

use gotemplate::{CallError, Context, Function, Functions, Type, Value, World};

use crate::take;

pub(crate) fn add(functions: &mut Functions) {
    let mut add = |name, params, body| {
        let function = Function {
            params,
            variadic: None,
            body,
        };
        functions.insert(name, function);
    };
    add(
        "randAlphaNum",
        &[Type::Int],
        rand_alpha_num as gotemplate::Body,
    );
    add("randAlpha", &[Type::Int], rand_alpha);
    add("randNumeric", &[Type::Int], rand_numeric);
    add("randAscii", &[Type::Int], rand_ascii);
    add("randBytes", &[Type::Int], rand_bytes);
    add("randInt", &[Type::Int, Type::Int], rand_int);
    add("shuffle", &[Type::String], shuffle);
    add("uuidv4", &[], uuid);
    functions.impure(&[
        "randAlphaNum",
        "randAlpha",
        "randNumeric",
        "randAscii",
        "randBytes",
        "randInt",
        "shuffle",
        "uuidv4",
    ]);
}

type Outcome = Result<Value, CallError>;

/// Longest text or number of bytes made at once. A password has a few dozen characters, a padded
/// test file a few thousand.
const LENGTH_MAX: i64 = 1 << 20;

/// Random bytes, fetched in blocks.
struct Dice<'a> {
    world: &'a dyn World,
    block: [u8; 64],
    used: usize,
}

impl<'a> Dice<'a> {
    fn new(world: &'a dyn World) -> Self {
        Self {
            world,
            block: [0; 64],
            used: 64,
        }
    }

    fn byte(&mut self) -> u8 {
        if self.used == self.block.len() {
            self.world.random(&mut self.block);
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// A number below `end`, each as likely as any other.
    fn below(&mut self, end: u64) -> u64 {
        let Some(last) = end.checked_sub(1).filter(|last| *last > 0) else {
            return 0;
        };
        let bits = 64 - last.leading_zeros();
        let mask = u64::MAX >> (64 - bits);
        // Each turn succeeds with a chance of at least one half.
        loop {
            let bytes = (0..bits.div_ceil(8)).fold(0, |sum, _| sum << 8 | u64::from(self.byte()));
            if bytes & mask <= last {
                return bytes & mask;
            }
        }
    }
}

fn length(args: &[Value], function: &str) -> Result<usize, CallError> {
    let count = take::int(args, 0);
    if count > LENGTH_MAX {
        let text = format!("{function} makes at most {LENGTH_MAX} characters, not {count}");
        return Err(CallError::Limit(text));
    }
    // A negative length is an error there that nobody looks at.
    Ok(usize::try_from(count).unwrap_or(0))
}

/// So many characters of an alphabet.
fn characters(
    context: &Context<'_>,
    args: &[Value],
    function: &'static str,
    alphabet: &[u8],
) -> Outcome {
    let length = length(args, function)?;
    let mut dice = Dice::new(context.world);
    let text: Vec<u8> = (0..length)
        .map(|_| alphabet[dice.below(alphabet.len() as u64) as usize])
        .collect();
    Ok(text.into())
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn rand_alpha_num(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    characters(context, args, "randAlphaNum", LETTERS)
}

fn rand_alpha(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    characters(context, args, "randAlpha", &LETTERS[..52])
}

fn rand_numeric(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    characters(context, args, "randNumeric", &LETTERS[52..])
}

fn rand_ascii(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let printable: Vec<u8> = (b' '..=b'~').collect();
    characters(context, args, "randAscii", &printable)
}

fn rand_bytes(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    if take::int(args, 0) < 0 {
        return Err("runtime error: makeslice: len out of range".into());
    }
    let mut bytes = vec![0; length(args, "randBytes")?];
    context.world.random(&mut bytes);
    Ok(golang::base64::encode(&bytes).into())
}

fn rand_int(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let (min, max) = (take::int(args, 0), take::int(args, 1));
    let Ok(span @ 1..) = u64::try_from(max.wrapping_sub(min)) else {
        return Err("invalid argument to Intn".into());
    };
    let random = Dice::new(context.world).below(span);
    Ok(Value::int(min.wrapping_add(random as i64)))
}

fn shuffle(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let text = take::text(args, 0);
    let mut characters: Vec<char> = text.to_text().chars().collect();
    let mut dice = Dice::new(context.world);
    for last in (1..characters.len()).rev() {
        characters.swap(last, dice.below(last as u64 + 1) as usize);
    }
    Ok(characters.into_iter().collect::<String>().into())
}

fn uuid(context: &mut Context<'_>, _: &mut [Value]) -> Outcome {
    let mut bytes = [0; 16];
    context.world.random(&mut bytes);
    // Version 4, variant of RFC 4122.
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = |part: &[u8]| -> String { part.iter().map(|byte| format!("{byte:02x}")).collect() };
    let parts = [
        &bytes[..4],
        &bytes[4..6],
        &bytes[6..8],
        &bytes[8..10],
        &bytes[10..],
    ];
    Ok(parts.map(hex).join("-").into())
}
