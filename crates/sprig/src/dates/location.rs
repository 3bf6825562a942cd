//! What Go keeps of a zone: verbs of `printf` that mean nothing for a time show it.
//!
//! # Source
//! golang/go `src/time/zoneinfo.go`.

use std::any::Any;
use std::rc::Rc;

use golang::time::layout::ParsedZone;
use gotemplate::{ElementType, Field, Host, IntType, Kind, List, UintType, Value};

/// The pointer to the zone of a time; nil for UTC.
pub(super) fn pointer(zone: &ParsedZone) -> Value {
    let fields = match zone {
        ParsedZone::Utc => None,
        ParsedZone::Local => Some(location("UTC".into(), None, 0, 0)),
        ParsedZone::Fixed { offset, name } => {
            let name = Value::from(&name[..]);
            let zone = vec![
                Field::new("name", name.clone()),
                Field::new("offset", Value::int(i64::from(*offset))),
                Field::new("isDST", Value::Bool(false)),
            ];
            Some(location(name, Some(zone), i64::MIN, i64::MAX))
        }
    };
    part("*time.Location", fields)
}

/// A zone with at most one offset, and from when until when that holds.
fn location(name: Value, zone: Option<Vec<Field>>, start: i64, end: i64) -> Vec<Field> {
    let change = zone.as_ref().map(|_| {
        let fields = vec![
            Field::new("when", Value::int64(start)),
            Field::new("index", Value::Uint(0, UintType::Uint8)),
            Field::new("isstd", Value::Bool(false)),
            Field::new("isutc", Value::Bool(false)),
        ];
        part("time.zoneTrans", Some(fields))
    });
    let list = |item: Option<Value>| {
        let items: Vec<Value> = item.into_iter().collect();
        Value::List(List::new(items, ElementType::Any))
    };
    vec![
        Field::new("name", name),
        Field::new(
            "zone",
            list(zone.clone().map(|zone| part("time.zone", Some(zone)))),
        ),
        Field::new("tx", list(change)),
        Field::new("extend", ""),
        Field::new("cacheStart", Value::Int(start, IntType::Int64)),
        Field::new("cacheEnd", Value::Int(end, IntType::Int64)),
        Field::new("cacheZone", part("*time.zone", zone)),
    ]
}

/// A structure, or a pointer to one, that templates can only print.
#[derive(Debug)]
struct Part {
    type_name: &'static str,
    fields: Option<Vec<Field>>,
}

fn part(type_name: &'static str, fields: Option<Vec<Field>>) -> Value {
    Value::Host(Rc::new(Part { type_name, fields }))
}

impl Host for Part {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn kind(&self) -> Kind {
        match self.type_name.starts_with('*') {
            true => Kind::Pointer,
            false => Kind::Struct,
        }
    }

    fn fields(&self) -> Option<Vec<Field>> {
        self.fields.clone()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
