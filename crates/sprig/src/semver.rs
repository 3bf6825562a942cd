//! Semantic versions.
//!
//! # Source
//! Masterminds/sprig v3.3 `semver.go`, Masterminds/semver v3.5.

use std::any::Any;
use std::rc::Rc;

use golang::strconv::quote;
use golang::version::ConstraintError;
use golang::{Constraints, Version};
use gotemplate::{
    CallError, Context, Field, Function, Functions, Host, Kind, Method, Signature, Type, UintType,
    Value,
};

use crate::take;

pub(crate) fn add(functions: &mut Functions) {
    functions.insert(
        "semver",
        Function {
            params: &[Type::String],
            variadic: None,
            body: semver,
        },
    );
    functions.insert(
        "semverCompare",
        Function {
            params: &[Type::String, Type::String],
            variadic: None,
            body: semver_compare,
        },
    );
}

/// Longest version, longest constraint in bytes, and most alternatives of one.
const VERSION_MAX: usize = 256;
const CONSTRAINT_MAX: usize = 512;
const ALTERNATIVES_MAX: usize = 32;

fn parse(text: &str) -> Result<Version, CallError> {
    if text.len() > VERSION_MAX {
        return Err(format!("version string is too long (max {VERSION_MAX} bytes)").into());
    }
    text.parse()
        .map_err(|error: golang::VersionError| error.to_string().into())
}

fn semver(_: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let version = parse(&take::text(args, 0).to_text())?;
    Ok(Semver {
        version,
        pointer: true,
    }
    .into())
}

fn semver_compare(_: &mut Context<'_>, args: &mut [Value]) -> Result<Value, CallError> {
    let text = take::text(args, 0);
    if text.len() > CONSTRAINT_MAX {
        let text = format!("constraint string is too long (max {CONSTRAINT_MAX} bytes)");
        return Err(text.into());
    }
    let text = text.to_text();
    if text.split("||").count() > ALTERNATIVES_MAX {
        return Err(format!("too many constraint groups (max {ALTERNATIVES_MAX})").into());
    }
    let constraints: Constraints = text.parse().map_err(|error| match error {
        ConstraintError::Improper(part) => format!("improper constraint: {}", quote(&part)),
        ConstraintError::Version => ConstraintError::Version.to_string(),
    })?;
    let version = parse(&take::text(args, 1).to_text())?;
    Ok(Value::Bool(constraints.check(&version)))
}

/// A version that templates hold.
#[derive(Clone, Debug)]
pub(crate) struct Semver {
    version: Version,
    /// Whether it is what a text was read to, not what was counted up; that has fewer methods.
    pointer: bool,
}

impl Semver {
    /// The next version whose number `name` is higher.
    fn next(&self, name: &str) -> Self {
        let mut version = Version {
            prerelease: String::new(),
            metadata: String::new(),
            ..self.version.clone()
        };
        match name {
            "IncMajor" => {
                version.major = version.major.wrapping_add(1);
                (version.minor, version.patch) = (0, 0);
            }
            "IncMinor" => {
                version.minor = version.minor.wrapping_add(1);
                version.patch = 0;
            }
            // A prerelease comes before the release of its number.
            _ if self.version.is_prerelease() => {}
            _ => version.patch = version.patch.wrapping_add(1),
        }
        let sign = if version.original.starts_with('v') {
            "v"
        } else {
            ""
        };
        version.original = format!("{sign}{version}");
        Self {
            version,
            pointer: false,
        }
    }

    fn compare(&self, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let other = match args {
            [Value::Host(other)] => other.as_any().downcast_ref::<Self>(),
            _ => None,
        };
        let Some(other) = other else {
            return Err("invalid value; expected *semver.Version".into());
        };
        let order = self.version.cmp(&other.version);
        Ok(match name {
            "Compare" => Value::int(order as i64),
            "LessThan" => Value::Bool(order.is_lt()),
            "LessThanEqual" => Value::Bool(order.is_le()),
            "GreaterThan" => Value::Bool(order.is_gt()),
            "GreaterThanEqual" => Value::Bool(order.is_ge()),
            _ => Value::Bool(order.is_eq()),
        })
    }
}

impl Host for Semver {
    fn type_name(&self) -> &'static str {
        if self.pointer {
            "*semver.Version"
        } else {
            "semver.Version"
        }
    }

    fn kind(&self) -> Kind {
        if self.pointer {
            Kind::Pointer
        } else {
            Kind::Struct
        }
    }

    fn text(&self) -> Option<String> {
        Some(self.version.to_string())
    }

    fn fields(&self) -> Option<Vec<Field>> {
        let version = &self.version;
        let number = |name, number| Field::new(name, Value::Uint(number, UintType::Uint64));
        let text = |name, text: &String| Field::new(name, text.as_str());
        Some(vec![
            number("major", version.major),
            number("minor", version.minor),
            number("patch", version.patch),
            text("pre", &version.prerelease),
            text("metadata", &version.metadata),
            text("original", &version.original),
        ])
    }

    /// No field is exported.
    fn deep_copy(&self) -> Option<Value> {
        let version = Version {
            major: 0,
            minor: 0,
            patch: 0,
            prerelease: String::new(),
            metadata: String::new(),
            original: String::new(),
        };
        let pointer = self.pointer;
        Some(Self { version, pointer }.into())
    }

    fn method(&self, name: &str) -> Method {
        const OTHER: &[Type] = &[Type::Named("*semver.Version")];
        let params = match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "String" | "IncMajor"
            | "IncMinor" | "IncPatch" => &[],
            _ if !self.pointer => return Method::Absent,
            "Original" => &[],
            "Compare" | "LessThan" | "LessThanEqual" | "GreaterThan" | "GreaterThanEqual"
            | "Equal" => OTHER,
            _ => return Method::Absent,
        };
        Method::Takes(Signature {
            params,
            variadic: None,
        })
    }

    fn call(
        &self,
        name: &str,
        args: &[Value],
        _: &mut Context<'_>,
    ) -> Option<Result<Value, CallError>> {
        let version = &self.version;
        let number = |number| Value::Uint(number, UintType::Uint64);
        Some(Ok(match name {
            "Major" => number(version.major),
            "Minor" => number(version.minor),
            "Patch" => number(version.patch),
            "Prerelease" => version.prerelease.as_str().into(),
            "Metadata" => version.metadata.as_str().into(),
            "String" => version.to_string().into(),
            "IncMajor" | "IncMinor" | "IncPatch" => self.next(name).into(),
            _ if !self.pointer => return None,
            "Original" => version.original.as_str().into(),
            "Compare" | "LessThan" | "GreaterThan" | "LessThanEqual" | "GreaterThanEqual"
            | "Equal" => return Some(self.compare(name, args)),
            _ => return None,
        }))
    }

    fn json(&self) -> Option<Value> {
        Some(self.version.to_string().into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl From<Semver> for Value {
    fn from(version: Semver) -> Self {
        Self::Host(Rc::new(version))
    }
}
