//! Points in time as values with methods: Go's `time.Time`.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use golang::Timestamp;
use golang::strconv::quote_bytes;
use golang::time::layout::{
    self, Civil, LayoutError, MONTHS, Moment, Parsed, ParsedZone, WEEKDAYS,
};
use gotemplate::{CallError, Context, Field, Host, IntType, Kind, Method, Type, UintType, Value};

use super::duration::SECOND;
use super::{DURATION, Duration, location, takes};
use crate::take;

/// A point in time that templates hold, in UTC or at an offset from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    unix: i64,
    nanoseconds: u32,
    zone: ParsedZone,
}

/// Seconds from 1970 to the start of year 1, Go's zero time.
const ZERO: i64 = -62_135_596_800;

impl Default for Time {
    fn default() -> Self {
        Self::from_unix(ZERO)
    }
}

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self {
            nanoseconds: time.subsecond(),
            zone: ParsedZone::Local,
            ..Self::from_unix(time.unix())
        }
    }
}

impl Time {
    /// So many seconds after 1970.
    pub fn from_unix(seconds: i64) -> Self {
        Self {
            unix: seconds,
            nanoseconds: 0,
            zone: ParsedZone::Utc,
        }
    }

    /// Reads a text in the form that `layout` shows.
    ///
    /// # Errors
    /// [`LayoutError`] when it has another form, or names a date or time that does not exist.
    pub fn parse(layout: &[u8], text: &[u8]) -> Result<Self, LayoutError> {
        let Parsed {
            unix,
            nanoseconds,
            zone,
        } = layout::parse(layout, text)?;
        Ok(Self {
            unix,
            nanoseconds,
            zone,
        })
    }

    /// The same time with another name for its zone, which is UTC.
    pub fn named(self, zone: &str) -> Self {
        let zone = ParsedZone::Fixed {
            offset: 0,
            name: zone.into(),
        };
        Self { zone, ..self }
    }

    /// What its zone is called.
    pub fn zone(&self) -> &[u8] {
        self.place().1
    }

    /// Seconds after 1970.
    pub fn unix(&self) -> i64 {
        self.unix
    }

    /// Nanoseconds within the second.
    pub fn nanoseconds(&self) -> u32 {
        self.nanoseconds
    }

    /// The text in the form that `layout` shows, at its own offset.
    pub fn format(&self, layout: &[u8]) -> Vec<u8> {
        let (offset, zone) = self.place();
        let moment = Moment {
            unix: self.unix,
            nanoseconds: self.nanoseconds,
            offset,
            zone,
        };
        layout::format(&moment, layout)
    }

    fn place(&self) -> (i32, &[u8]) {
        match &self.zone {
            ParsedZone::Utc | ParsedZone::Local => (0, b"UTC"),
            ParsedZone::Fixed { offset, name } => (*offset, name),
        }
    }

    fn civil(&self) -> Civil {
        Civil::of(self.unix.saturating_add(self.place().0.into()))
    }

    /// The time so much later.
    pub fn plus(&self, duration: golang::Duration) -> Self {
        let nanoseconds = i64::from(self.nanoseconds) + duration.0.rem_euclid(SECOND);
        let seconds = duration.0.div_euclid(SECOND) + nanoseconds / SECOND;
        Self {
            unix: self.unix.saturating_add(seconds),
            nanoseconds: (nanoseconds % SECOND) as u32,
            zone: self.zone.clone(),
        }
    }

    /// From `earlier` to this; saturates at 292 years.
    pub fn since(&self, earlier: &Self) -> golang::Duration {
        golang::Duration(
            (self.nanos() - earlier.nanos()).clamp(i64::MIN.into(), i64::MAX.into()) as i64,
        )
    }

    /// Nanoseconds after 1970.
    fn nanos(&self) -> i128 {
        i128::from(self.unix) * i128::from(SECOND) + i128::from(self.nanoseconds)
    }

    fn add_date(&self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.civil();
        let offset = i64::from(self.place().0);
        let date = Civil::date_to_seconds(
            civil.year.saturating_add(years),
            i64::from(civil.month).saturating_add(months),
            i64::from(civil.day).saturating_add(days),
        );
        let second = i64::from(civil.hour * 3600 + civil.minute * 60 + civil.second);
        Self {
            unix: date.saturating_add(second - offset),
            ..self.clone()
        }
    }

    /// Down to a multiple of `unit` since year 1, or to the nearest one, halves up.
    fn to_multiple(&self, unit: i64, nearest: bool) -> Self {
        if unit <= 0 {
            return self.clone();
        }
        let since_zero = self.nanos() - i128::from(ZERO) * i128::from(SECOND);
        let rest = since_zero.rem_euclid(unit.into()) as i64;
        let up = nearest && rest > 0 && rest >= unit - rest;
        self.plus(golang::Duration(if up { unit - rest } else { -rest }))
    }

    fn in_zone(&self, zone: ParsedZone) -> Self {
        Self {
            zone,
            ..self.clone()
        }
    }
}

/// As Go's method `String`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.format(b"2006-01-02 15:04:05.999999999 -0700 MST");
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl Host for Time {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn syntax(&self) -> Option<String> {
        let Civil {
            year,
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self.civil();
        let month = MONTHS[month as usize - 1];
        let zone = match &self.zone {
            ParsedZone::Utc => "time.UTC".into(),
            ParsedZone::Local => "time.Local".into(),
            ParsedZone::Fixed { name, .. } => format!("time.Location({})", quote_bytes(name)),
        };
        let nanosecond = self.nanoseconds;
        Some(format!(
            "time.Date({year}, time.{month}, {day}, {hour}, {minute}, {second}, {nanosecond}, {zone})"
        ))
    }

    fn fields(&self) -> Option<Vec<Field>> {
        let wall = Value::Uint(self.nanoseconds.into(), UintType::Uint64);
        let seconds = self.unix.saturating_sub(ZERO);
        Some(vec![
            Field::new("wall", wall),
            Field::new("ext", Value::int64(seconds)),
            Field::new("loc", location::pointer(&self.zone)),
        ])
    }

    fn method(&self, name: &str) -> Method {
        const TIME: Type = Type::Named("time.Time");
        let params: &'static [Type] = match name {
            "Format" => &[Type::String],
            "Add" | "Truncate" | "Round" => &[DURATION],
            "AddDate" => &[Type::Int, Type::Int, Type::Int],
            "Sub" | "Before" | "After" | "Equal" | "Compare" => &[TIME],
            "String" | "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "Year" | "Month"
            | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond" | "Weekday" | "YearDay"
            | "IsZero" | "IsDST" | "UTC" | "Local" => &[],
            _ => return Method::Absent,
        };
        takes(params)
    }

    fn call(
        &self,
        name: &str,
        args: &[Value],
        _: &mut Context<'_>,
    ) -> Option<Result<Value, CallError>> {
        let civil = self.civil();
        let int = |value: u32| Value::int(value.into());
        let other = || match args.first() {
            Some(Value::Host(host)) => host.as_any().downcast_ref::<Self>().cloned(),
            _ => None,
        };
        let nanos = |unit: i128| Value::int64((self.nanos().div_euclid(unit)) as i64);
        let value = match name {
            "Format" => self.format(take::text(args, 0).as_bytes()).into(),
            "String" => self.to_string().into(),
            "Unix" => Value::int64(self.unix),
            "UnixMilli" => nanos(1_000_000),
            "UnixMicro" => nanos(1_000),
            "UnixNano" => nanos(1),
            "Year" => Value::int(civil.year),
            "Month" => Named::Month(civil.month).into(),
            "Day" => int(civil.day),
            "Hour" => int(civil.hour),
            "Minute" => int(civil.minute),
            "Second" => int(civil.second),
            "Nanosecond" => int(self.nanoseconds),
            "Weekday" => Named::Weekday(civil.weekday).into(),
            "YearDay" => int(civil.year_day),
            "IsZero" => Value::Bool((self.unix, self.nanoseconds) == (ZERO, 0)),
            "IsDST" => Value::Bool(false),
            "UTC" => self.in_zone(ParsedZone::Utc).into(),
            "Local" => self.in_zone(ParsedZone::Local).into(),
            "Add" => self.plus(golang::Duration(take::int(args, 0))).into(),
            "AddDate" => self
                .add_date(take::int(args, 0), take::int(args, 1), take::int(args, 2))
                .into(),
            "Truncate" => self.to_multiple(take::int(args, 0), false).into(),
            "Round" => self.to_multiple(take::int(args, 0), true).into(),
            "Sub" => Duration(self.since(&other().unwrap_or_default())).into(),
            "Before" | "After" | "Equal" | "Compare" => {
                let order = self.nanos().cmp(&other().unwrap_or_default().nanos());
                match name {
                    "Before" => Value::Bool(order.is_lt()),
                    "After" => Value::Bool(order.is_gt()),
                    "Equal" => Value::Bool(order.is_eq()),
                    _ => Value::int(order as i64),
                }
            }
            _ => return None,
        };
        Some(Ok(value))
    }

    fn equals(&self, other: &dyn Host) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn json(&self) -> Option<Value> {
        Some(self.format(b"2006-01-02T15:04:05.999999999Z07:00").into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl From<Time> for Value {
    fn from(time: Time) -> Self {
        Self::Host(Rc::new(time))
    }
}

/// A month or a day of the week: a number that prints as a name.
#[derive(Clone, Copy, Debug)]
enum Named {
    Month(u32),
    Weekday(u32),
}

impl Named {
    fn number(self) -> u32 {
        match self {
            Self::Month(number) | Self::Weekday(number) => number,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Month(month) => MONTHS[month as usize - 1],
            Self::Weekday(day) => WEEKDAYS[day as usize],
        }
    }
}

impl Host for Named {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Month(_) => "time.Month",
            Self::Weekday(_) => "time.Weekday",
        }
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntType::Int)
    }

    fn text(&self) -> Option<String> {
        Some(self.name().to_owned())
    }

    fn truth(&self) -> bool {
        self.number() != 0
    }

    fn method(&self, name: &str) -> Method {
        match name {
            "String" => takes(&[]),
            _ => Method::Absent,
        }
    }

    fn call(
        &self,
        name: &str,
        _: &[Value],
        _: &mut Context<'_>,
    ) -> Option<Result<Value, CallError>> {
        (name == "String").then(|| Ok(self.name().into()))
    }

    fn contents(&self) -> Option<Value> {
        Some(Value::int(self.number().into()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl From<Named> for Value {
    fn from(named: Named) -> Self {
        Self::Host(Rc::new(named))
    }
}
