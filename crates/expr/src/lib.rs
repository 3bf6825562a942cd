//! CEL over [`object::Node`]: parse, check and evaluate within a cost budget.
