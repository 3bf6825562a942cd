//! Templates: YAML whose texts hold `${…}` expressions.
