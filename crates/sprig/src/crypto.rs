//! Hashes, passwords, keys and certificates.
//!
//! Random are salts, initialization vectors, serial numbers and keys; all come from
//! [`World::random`](gotemplate::World::random), and nothing else does: equal worlds give equal keys
//! and certificates. They are as secret as what the world makes its randomness of.
//!
//! # Source
//! Masterminds/sprig v3.3 `crypto.go`.

mod certificates;
mod der;
mod derive;
mod dsa;
mod ecdsa;
mod keys;
mod pem;
mod primes;
mod rsa;

use std::fmt::Write as _;

use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use aws_lc_rs::digest;
use gotemplate::{CallError, Context, Function, Functions, Type, Value};

use crate::{encoding, take};

/// Steps of a call that takes milliseconds by design: making a key, hashing a password.
///
/// Charts make a certificate authority and a handful of certificates, each of which takes some
/// hundred milliseconds. A budget of 50 million steps is enough for 64 of them, which end within
/// half a minute.
pub const STEPS_PER_KEY: u64 = 780_000;

/// Steps of making a key of 4,096 bits or a group for DSA: seconds at worst, and less than one on
/// average. A budget of 50 million steps is enough for 16.
pub const STEPS_PER_LONG_KEY: u64 = 4 * STEPS_PER_KEY;

/// Takes the steps of one call off the budget.
fn charge(context: &mut Context<'_>, steps: u64) -> Result<(), CallError> {
    context.charge(steps).map_err(|error| match error {
        CallError::Limit(limit) => {
            CallError::Limit(format!("{limit}, of which a key or password takes {steps}"))
        }
        other => other,
    })
}

type Outcome = Result<Value, CallError>;

pub(crate) fn add(functions: &mut Functions) {
    let mut add = |name, params, body| {
        let function = Function {
            params,
            variadic: None,
            body,
        };
        functions.insert(name, function);
    };
    const ONE: &[Type] = &[Type::String];
    const TWO: &[Type] = &[Type::String, Type::String];
    add("sha1sum", ONE, sha1sum as gotemplate::Body);
    add("sha256sum", ONE, sha256sum);
    add("sha512sum", ONE, sha512sum);
    add("adler32sum", ONE, adler32sum);
    add("bcrypt", ONE, bcrypt);
    add("htpasswd", TWO, htpasswd);
    add("encryptAES", TWO, encrypt_aes);
    add("decryptAES", TWO, decrypt_aes);
    derive::add(functions);
    certificates::add(functions);
    functions.impure(&["bcrypt", "htpasswd", "encryptAES"]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes every write");
        out
    })
}

fn sum(args: &[Value], algorithm: &'static digest::Algorithm) -> Outcome {
    let hash = digest::digest(algorithm, take::text(args, 0).as_bytes());
    Ok(hex(hash.as_ref()).into())
}

fn sha1sum(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    sum(args, &digest::SHA1_FOR_LEGACY_USE_ONLY)
}

fn sha256sum(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    sum(args, &digest::SHA256)
}

fn sha512sum(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    sum(args, &digest::SHA512)
}

fn adler32sum(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let sum = adler2::adler32_slice(take::text(args, 0).as_bytes());
    Ok(sum.to_string().into())
}

/// Cost of a password's hash, and its longest password.
const BCRYPT_COST: u32 = 10;
const BCRYPT_BYTES_MAX: usize = 72;

fn hash_password(context: &mut Context<'_>, password: &[u8]) -> Result<String, CallError> {
    if password.len() > BCRYPT_BYTES_MAX {
        return Ok(format!(
            "failed to encrypt string with bcrypt: bcrypt: password length exceeds \
             {BCRYPT_BYTES_MAX} bytes"
        ));
    }
    charge(context, STEPS_PER_KEY)?;
    let mut salt = [0; 16];
    context.world.random(&mut salt);
    let parts = bcrypt::hash_with_salt(password, BCRYPT_COST, salt)
        .map_err(|error| format!("failed to encrypt string with bcrypt: {error}"))?;
    Ok(parts.format_for_version(bcrypt::Version::TwoA))
}

fn bcrypt(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let hash = hash_password(context, take::text(args, 0).as_bytes())?;
    Ok(hash.into())
}

fn htpasswd(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let user = take::text(args, 0);
    let mut out = Vec::new();
    if user.as_bytes().contains(&b':') {
        out.extend_from_slice(b"invalid username: ");
        out.extend_from_slice(user.as_bytes());
        return Ok(out.into());
    }
    let hash = hash_password(context, take::text(args, 1).as_bytes())?;
    out.extend_from_slice(user.as_bytes());
    out.push(b':');
    out.extend_from_slice(hash.as_bytes());
    Ok(out.into())
}

const BLOCK: usize = 16;

/// The first 32 bytes of a password, with zeros behind a shorter one.
fn aes_key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let length = password.len().min(32);
    key[..length].copy_from_slice(&password[..length]);
    key
}

fn blocks(bytes: &mut [u8]) -> &mut [aes::Block] {
    aes::Block::slice_as_chunks_mut(bytes).0
}

fn encrypt_aes(context: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let plain = take::text(args, 1);
    if plain.is_empty() {
        return Ok("".into());
    }
    let mut iv = [0; BLOCK];
    context.world.random(&mut iv);
    let padding = BLOCK - plain.len() % BLOCK;
    let mut out = iv.to_vec();
    out.extend_from_slice(plain.as_bytes());
    out.extend(std::iter::repeat_n(padding as u8, padding));
    let key = aes_key(take::text(args, 0).as_bytes());
    cbc::Encryptor::<aes::Aes256>::new(&key.into(), &iv.into())
        .encrypt_blocks(blocks(&mut out[BLOCK..]));
    Ok(golang::base64::encode(&out).into())
}

fn decrypt_aes(_: &mut Context<'_>, args: &mut [Value]) -> Outcome {
    let text = take::text(args, 1);
    if text.is_empty() {
        return Ok("".into());
    }
    let mut bytes = encoding::base64(text.as_bytes())
        .map_err(|at| format!("illegal base64 data at input byte {at}"))?;
    // What is too short or no whole number of blocks makes the reference panic, each in its way.
    let (length, capacity) = (bytes.len(), text.len() / 4 * 3);
    if capacity < BLOCK {
        let text = format!("slice bounds out of range [:{BLOCK}] with capacity {capacity}");
        return Err(format!("runtime error: {text}").into());
    }
    if length < BLOCK {
        let text = format!("runtime error: slice bounds out of range [{BLOCK}:{length}]");
        return Err(text.into());
    }
    if length % BLOCK != 0 {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let iv: [u8; BLOCK] = std::array::from_fn(|at| bytes[at]);
    let key = aes_key(take::text(args, 0).as_bytes());
    let plain = &mut bytes[BLOCK..];
    cbc::Decryptor::<aes::Aes256>::new(&key.into(), &iv.into()).decrypt_blocks(blocks(plain));
    let Some(&padding) = plain.last() else {
        return Err("runtime error: index out of range [-1]".into());
    };
    match plain.len().checked_sub(padding.into()) {
        Some(end) => Ok(plain[..end].into()),
        None => {
            let end = usize::from(padding) - plain.len();
            Err(format!("runtime error: slice bounds out of range [:-{end}]").into())
        }
    }
}
