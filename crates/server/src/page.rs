//! The status page: one table of what is, one list of what happened.

use runtime::{Recorded, Summary, SyncState, UnitSummary};

/// Events shown, newest first.
const EVENTS_SHOWN: usize = 30;

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td.message { white-space: pre-line; overflow-wrap: anywhere; }
code { font-size: 13px; }
:root { color-scheme: light dark; }
";

/// The page as HTML; it loads itself again every five seconds.
pub(crate) fn render(summary: &Summary, events: &[Recorded]) -> String {
    let needing = summary
        .units
        .iter()
        .filter(|unit| unit.sync == SyncState::Blocked || unit.health == runtime::Health::Degraded)
        .count();
    let headline = match (summary.units.len(), needing) {
        (0, _) => "No unit is known yet.".to_owned(),
        (all, 0) => format!("All {all} units are fine or on their way."),
        (all, needing) => format!("{needing} of {all} units need you."),
    };
    let units: String = summary
        .sources
        .iter()
        .chain(&summary.units)
        .map(row)
        .collect();
    let events: String = events.iter().rev().take(EVENTS_SHOWN).map(event).collect();
    format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8>\
         <meta http-equiv=refresh content=5><title>Fleetwright</title><style>{STYLE}</style></head>\
         <body><h1>{headline}</h1>\
         <table><thead><tr><th scope=col>Unit<th scope=col>Sync<th scope=col>Health\
         <th scope=col>Revision<th scope=col>Why</tr></thead><tbody>{units}</tbody></table>\
         <h2>What happened</h2>\
         <table><thead><tr><th scope=col>When<th scope=col>Object<th scope=col>Reason\
         <th scope=col>Message</tr></thead><tbody>{events}</tbody></table></body></html>"
    )
}

fn row(unit: &UnitSummary) -> String {
    let mark = match (unit.sync, unit.health) {
        _ if unit.suspended => "‖",
        (SyncState::Blocked, _) | (_, runtime::Health::Degraded) => "✗",
        (SyncState::Synced, _) => "✔",
        _ => "◎",
    };
    let sync = if unit.suspended {
        "Suspended"
    } else {
        unit.sync.as_str()
    };
    format!(
        "<tr><td>{mark} {} <code>{}/{}</code><td>{sync}<td>{}<td><code>{}</code><td class=message>{}</tr>",
        escape(&unit.key.kind),
        escape(&unit.key.namespace),
        escape(&unit.key.name),
        unit.health.as_str(),
        escape(&unit.revision),
        escape(&unit.message),
    )
}

fn event(recorded: &Recorded) -> String {
    format!(
        "<tr><td><time>{}</time><td>{}<td>{}<td class=message>{}</tr>",
        recorded.at,
        escape(&recorded.key.to_string()),
        escape(&recorded.event.reason),
        escape(&recorded.event.message),
    )
}

/// Text as HTML shows it.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_cluster_cannot_become_markup() {
        let mut unit = Summary::default();
        unit.units.push(UnitSummary {
            key: object::ObjectKey::default(),
            sync: SyncState::Blocked,
            health: runtime::Health::Unknown,
            suspended: false,
            revision: String::new(),
            reason: String::new(),
            message: "<script>alert('x')</script>".into(),
            objects: 0,
            settled: true,
        });
        let page = render(&unit, &[]);
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)"));
        assert!(!page.contains("<script>"));
        assert!(page.contains("1 of 1 units need you."));
    }
}
