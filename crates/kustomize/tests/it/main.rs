//! Builds compared with the reference's.

mod golden;
mod hostile;
mod krusty;
mod random;
