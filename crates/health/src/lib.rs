//! Whether an object has reached what its spec asks for.
