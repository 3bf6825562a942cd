//! The functions of sprig 3.3 for Go templates.
