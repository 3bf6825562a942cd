//! Builds compared with the reference's.

mod chart;
mod fix;
mod fleet;
mod golden;
mod hostile;
mod krusty;
mod lint;
mod random;
mod sections;
