//! Defines a finding: what an import reports about one place of the file (a fault, an omission, an assumption or a change).

use serde::{Deserialize, Serialize};

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A fault: the file is refused.
    Wrong,
    /// A part of the file is not in the plan.
    LeftOut,
    /// A value that the file does not give.
    Assumed,
    /// A value that differs from the file.
    Changed,
}

impl FindingKind {
    /// The stable text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::LeftOut => "left_out",
            Self::Assumed => "assumed",
            Self::Changed => "changed",
        }
    }
}

/// A fault, omission, assumption or change at one place of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// A path (`zones[0].rows[2]`), or a line and a column.
    pub at: String,
    /// Kind of the finding.
    pub kind: FindingKind,
    /// A sentence for a person.
    pub detail: String,
}
