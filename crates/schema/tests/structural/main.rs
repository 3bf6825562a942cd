//! Structural schemas: what becomes of custom resources and their definitions.

mod recorded;
