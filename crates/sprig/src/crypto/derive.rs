//! Passwords derived from a master password.

use aws_lc_rs::hmac;
use gotemplate::{CallError, Context, Function, Functions, Type, Value};

use crate::take;

pub(super) fn add(functions: &mut Functions) {
    functions.insert(
        "derivePassword",
        Function {
            params: &[
                Type::Uint32,
                Type::String,
                Type::String,
                Type::String,
                Type::String,
            ],
            variadic: None,
            body: derive_password,
        },
    );
}

const SEED: &[u8] = b"com.lyndir.masterpassword";

/// Patterns by the type of the password; each letter stands for an alphabet.
fn patterns(kind: &[u8]) -> Option<&'static [&'static [u8]]> {
    Some(match kind {
        b"maximum" => &[b"anoxxxxxxxxxxxxxxxxx", b"axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            b"CvcvnoCvcvCvcv",
            b"CvcvCvcvnoCvcv",
            b"CvcvCvcvCvcvno",
            b"CvccnoCvcvCvcv",
            b"CvccCvcvnoCvcv",
            b"CvccCvcvCvcvno",
            b"CvcvnoCvccCvcv",
            b"CvcvCvccnoCvcv",
            b"CvcvCvccCvcvno",
            b"CvcvnoCvcvCvcc",
            b"CvcvCvcvnoCvcc",
            b"CvcvCvcvCvccno",
            b"CvccnoCvccCvcv",
            b"CvccCvccnoCvcv",
            b"CvccCvccCvcvno",
            b"CvcvnoCvccCvcc",
            b"CvcvCvccnoCvcc",
            b"CvcvCvccCvccno",
            b"CvccnoCvcvCvcc",
            b"CvccCvcvnoCvcc",
            b"CvccCvcvCvccno",
        ],
        b"medium" => &[b"CvcnoCvc", b"CvcCvcno"],
        b"short" => &[b"Cvcn"],
        b"basic" => &[b"aaanaaan", b"aannaaan", b"aaannaaa"],
        b"pin" => &[b"nnnn"],
        _ => return None,
    })
}

fn alphabet(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn with_length(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(text);
}

fn derive_password(context: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let counter = take::int(args, 0) as u32;
    let kind = take::text(args, 1);
    let Some(patterns) = patterns(kind.as_bytes()) else {
        let mut text = b"cannot find password template ".to_vec();
        text.extend_from_slice(kind.as_bytes());
        return Ok(text.into());
    };
    super::charge(context, super::STEPS_PER_KEY)?;
    let (password, user, site) = (
        take::text(args, 2),
        take::text(args, 3),
        take::text(args, 4),
    );
    let mut salt = SEED.to_vec();
    with_length(&mut salt, user.as_bytes());
    let params = scrypt::Params::new(15, 8, 2).expect("the parameters are within bounds");
    let mut key = [0; 64];
    scrypt::scrypt(password.as_bytes(), &salt, &params, &mut key)
        .expect("64 bytes are within bounds");
    let mut message = SEED.to_vec();
    with_length(&mut message, site.as_bytes());
    message.extend_from_slice(&counter.to_be_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let seed = hmac::sign(&key, &message);
    let seed = seed.as_ref();
    let pattern = patterns[usize::from(seed[0]) % patterns.len()];
    let password: Vec<u8> = pattern
        .iter()
        .zip(&seed[1..])
        .map(|(letter, random)| {
            let alphabet = alphabet(*letter);
            alphabet[usize::from(*random) % alphabet.len()]
        })
        .collect();
    Ok(password.into())
}
