//! Time zones by name.
//!
//! Before 1970 some zones differ from a system whose data keep what is known of single towns.

use std::sync::LazyLock;

use golang::time::layout::{Moment, format as format_moment};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::Time;

/// The data inside the program: what a chart gives does not depend on the machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The text of `time` as a clock in `zone` shows it; UTC when there is no such zone.
pub(super) fn format(time: &Time, zone: &[u8], layout: &[u8]) -> Vec<u8> {
    let found = std::str::from_utf8(zone).ok().and_then(find);
    let unix = time.unix();
    let mut moment = Moment {
        unix,
        nanoseconds: time.nanoseconds(),
        offset: 0,
        zone: b"UTC",
    };
    let Some(found) = found else {
        return format_moment(&moment, layout);
    };
    let seconds = unix.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    let at = Timestamp::from_second(seconds).unwrap_or_default();
    let info = found.to_offset_info(at);
    moment.offset = info.offset().seconds();
    moment.zone = info.abbreviation().as_bytes();
    format_moment(&moment, layout)
}

/// Names are told apart by case, as those of files are.
fn find(name: &str) -> Option<TimeZone> {
    if matches!(name, "" | "UTC" | "Local") {
        return None;
    }
    let zone = ZONES.get(name).ok()?;
    (zone.iana_name() == Some(name)).then_some(zone)
}
