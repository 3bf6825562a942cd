//! The component model from outside.

mod patch;
mod patch_vectors;
mod template;
mod template_hostile;
mod template_vectors;
