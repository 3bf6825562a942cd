//! A unit's files turned into the objects meant for one target.
