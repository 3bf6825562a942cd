//! Which functions beyond CEL's own an expression may call.

use std::ops::BitOr;

/// A set of function libraries.
///
/// Everywhere there are CEL's own functions and macros, optional values, comprehensions over two
/// variables, `sets` and the string functions up to `format` and `strings.quote`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Libraries(u8);

impl Libraries {
    /// What is there everywhere.
    pub const STANDARD: Self = Self(0);
    /// What the Kubernetes API server has: quantities, addresses, URLs, versions, formats,
    /// patterns, and lists that sum and compare; also [`Self::LATER`] and [`Self::BINDINGS`].
    pub const KUBERNETES: Self = Self(1 | Self::LATER.0 | Self::BINDINGS.0);
    /// `reverse` of text.
    pub const STRINGS: Self = Self(1 << 1);
    /// `base64.encode` and `base64.decode`.
    pub const ENCODERS: Self = Self(1 << 2);
    /// `math.greatest` and its family.
    pub const MATH: Self = Self(1 << 3);
    /// `slice`, `flatten`, `distinct`, `sort`, `sortBy`, `reverse` and `lists.range`.
    pub const LISTS: Self = Self(1 << 4);
    /// What came to cel-go's libraries after version 0.22: `first` and `last` of lists,
    /// `optional.unwrap`, `math.sqrt`, and texts of values in `format` that are no CEL.
    pub const LATER: Self = Self(1 << 5);
    /// `cel.bind`.
    pub const BINDINGS: Self = Self(1 << 6);
    /// What Flux has, and what Kubernetes has besides.
    ///
    /// # Source
    /// fluxcd/pkg `runtime/cel/expression.go`; Kubernetes' own functions are not there.
    pub const FLUX: Self = Self(Self::KUBERNETES.0 | Self::STRINGS.0 | Self::ENCODERS.0);
    /// The extension libraries that come with cel-go 0.22, without bindings.
    pub const CEL_GO_0_22: Self =
        Self(Self::STRINGS.0 | Self::ENCODERS.0 | Self::MATH.0 | Self::LISTS.0);
    /// The extension libraries that come with cel-go, without bindings.
    pub const CEL_GO: Self = Self(Self::CEL_GO_0_22.0 | Self::LATER.0);
    /// Everything.
    pub const ALL: Self = Self(Self::KUBERNETES.0 | Self::CEL_GO.0);

    /// Both sets.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in this set.
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Default for Libraries {
    fn default() -> Self {
        Self::KUBERNETES
    }
}

impl BitOr for Libraries {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}
