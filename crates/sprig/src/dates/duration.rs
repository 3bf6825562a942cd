//! Lengths of time as values with methods: Go's `time.Duration`.

use std::any::Any;
use std::rc::Rc;

use gotemplate::{CallError, Context, Host, IntType, Kind, Method, Value};

use super::{DURATION, takes};
use crate::take;

/// A length of time that templates hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub golang::Duration);

impl Duration {
    /// Hours, minutes or seconds, by the nanoseconds of one.
    ///
    /// Whole units are divided as integers first, as Go does.
    pub fn count(self, unit: i64) -> f64 {
        let nanoseconds = self.0.0;
        (nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64
    }
}

/// Nanoseconds of a second.
pub(super) const SECOND: i64 = 1_000_000_000;

impl Host for Duration {
    fn type_name(&self) -> &'static str {
        "time.Duration"
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntType::Int64)
    }

    fn text(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn truth(&self) -> bool {
        self.0.0 != 0
    }

    fn method(&self, name: &str) -> Method {
        match name {
            "Round" | "Truncate" => takes(&[DURATION]),
            "Hours" | "Minutes" | "Seconds" | "Milliseconds" | "Microseconds" | "Nanoseconds"
            | "Abs" | "String" => takes(&[]),
            _ => Method::Absent,
        }
    }

    fn call(
        &self,
        name: &str,
        args: &[Value],
        _: &mut Context<'_>,
    ) -> Option<Result<Value, CallError>> {
        let nanoseconds = self.0.0;
        let unit = golang::Duration(take::int(args, 0));
        Some(Ok(match name {
            "Hours" => Value::Float(self.count(3600 * SECOND)),
            "Minutes" => Value::Float(self.count(60 * SECOND)),
            "Seconds" => Value::Float(self.count(SECOND)),
            "Milliseconds" => Value::int64(nanoseconds / 1_000_000),
            "Microseconds" => Value::int64(nanoseconds / 1_000),
            "Nanoseconds" => Value::int64(nanoseconds),
            "Round" => Self(self.0.round(unit)).into(),
            "Truncate" => Self(self.0.truncate(unit)).into(),
            "Abs" => Self(golang::Duration(nanoseconds.saturating_abs())).into(),
            "String" => self.0.to_string().into(),
            _ => return None,
        }))
    }

    fn contents(&self) -> Option<Value> {
        Some(Value::int64(self.0.0))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl From<Duration> for Value {
    fn from(duration: Duration) -> Self {
        Self::Host(Rc::new(duration))
    }
}
