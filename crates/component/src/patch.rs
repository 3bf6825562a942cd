//! Operations that traits apply to rendered objects.
