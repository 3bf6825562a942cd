//! Builds compared with the reference's.

mod krusty;
