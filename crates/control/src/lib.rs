//! What each Flux object needs now: synchronous decisions, nothing performed.
