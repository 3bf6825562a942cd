//! Who owns what after which write.
