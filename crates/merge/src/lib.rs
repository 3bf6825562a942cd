//! Field ownership and patches: server-side apply, strategic merge, JSON patch, merge patch.
