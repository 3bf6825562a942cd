//! The tasks that CI runs.

fn main() {}
