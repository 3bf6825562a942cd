//! Charts, values and manifests compared with what the reference printed for them.

mod addresses;
mod again;
mod archive;
mod capabilities;
mod charts;
mod convert;
mod functions;
mod hostile;
mod ignore;
mod keys;
mod limits;
mod lint;
mod manifest;
mod objects;
mod printing;
mod provenance;
mod random;
#[path = "../../../sprig/tests/it/recording.rs"]
mod recording;
mod schema;
mod strvals;
mod support;
mod values;
