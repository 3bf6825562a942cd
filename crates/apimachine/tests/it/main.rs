//! Tests of the rules through requests.

mod compare;
mod history;
mod hostile;
mod normal;
mod openchoreo;
mod pod_security;
mod replay;
mod scenario;
