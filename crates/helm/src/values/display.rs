//! Values as Go's `fmt` prints them, for messages.

use gotemplate::format::sprintf;
use object::Node;

use crate::convert;

/// `%v`.
pub(crate) fn shown(node: &Node) -> String {
    print("%v", node)
}

/// `%T`.
pub(crate) fn type_shown(node: &Node) -> &'static str {
    convert::to_value(node).type_name()
}

/// `%t`, which is meant for booleans and says so for everything else.
pub(crate) fn shown_as_bool(node: &Node) -> String {
    print("%t", node)
}

/// Nothing for what is too long or nested too deeply to be printed.
fn print(format: &str, node: &Node) -> String {
    let printed = sprintf(format.as_bytes(), &[convert::to_value(node)]);
    String::from_utf8_lossy(&printed.unwrap_or_default()).into_owned()
}
