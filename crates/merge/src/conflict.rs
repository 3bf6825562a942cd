//! What stands in the way of an apply.

use std::fmt;

use crate::element::Path;
use crate::managers::ManagerId;

/// Fields that one other manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The other manager.
    pub manager: ManagerId,
    /// Its fields that would change; never empty.
    pub fields: Vec<Path>,
}

/// Everything that stands in the way of an apply, ordered by manager; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflicts(Vec<Conflict>);

/// One conflict as a `StatusCause` of reason `FieldManagerConflict`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `conflict with "manager" using version`.
    pub message: String,
    /// Path of the field.
    pub field: String,
}

impl Conflicts {
    pub(crate) fn new(mut conflicts: Vec<Conflict>) -> Self {
        conflicts.sort_by_cached_key(|conflict| conflict.manager.sort_key());
        Self(conflicts)
    }

    /// The conflicts, ordered by manager.
    pub fn managers(&self) -> &[Conflict] {
        &self.0
    }

    /// One cause for each field.
    pub fn causes(&self) -> Vec<Cause> {
        let causes = self.0.iter().flat_map(|conflict| {
            conflict.fields.iter().map(|field| Cause {
                message: format!("conflict with {}", conflict.manager),
                field: field.to_string(),
            })
        });
        causes.collect()
    }
}

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice()
            && let [field] = only.fields.as_slice()
        {
            let manager = &only.manager;
            return write!(
                f,
                "Apply failed with 1 conflict: conflict with {manager}: {field}"
            );
        }
        let count: usize = self.0.iter().map(|conflict| conflict.fields.len()).sum();
        write!(f, "Apply failed with {count} conflicts: ")?;
        for (at, conflict) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "conflicts with {}:", conflict.manager)?;
            let mut fields = conflict.fields.iter();
            fields.try_for_each(|field| write!(f, "\n- {field}"))?;
        }
        Ok(())
    }
}

impl std::error::Error for Conflicts {}
