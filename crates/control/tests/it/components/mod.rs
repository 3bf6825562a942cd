//! Decisions about OpenChoreo's kinds, as stories that are played to their end.

mod collection;
mod connections;
mod demo;
mod hostile;
mod lifecycle;
mod promotion;
mod readiness;
mod stories;
mod world;
