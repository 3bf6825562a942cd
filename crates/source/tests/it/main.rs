//! Fetching from a served repository, and storing on a disk that fails.

mod fetch;
mod storage;
