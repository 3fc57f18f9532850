//! Every transaction runs for one organization or one system role; Postgres' row security hides all other rows from it (P7).
//!
//! Never: a scope that is guessed from a statement. To add a system role: a variant, its name, and that name in the policies of the tables that it
//! needs (a step of `migrations/` with `{secured:…}`); `tests/postgres/row_security.rs` tests what each role sees.

use uuid::Uuid;
use voelgoed_domain::ids::OrganizationId;

/// The organization or system role that a transaction runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxScope {
    /// One organization, which sees only its own rows.
    Tenant(Uuid),
    /// A system role, which acts for all organizations.
    System(SystemRole),
}

impl From<OrganizationId> for TxScope {
    fn from(organization: OrganizationId) -> Self {
        Self::Tenant(organization.uuid())
    }
}

impl From<SystemRole> for TxScope {
    fn from(role: SystemRole) -> Self {
        Self::System(role)
    }
}

/// A part of the platform that acts for all organizations. Each role sees only the tables that its work needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemRole {
    /// Finds the organization of a slug, an e-mail address, a token or a key.
    Directory,
    /// Lists the published events of all organizations.
    Shop,
    /// Lists the orders of a buyer's session, of all organizations.
    Buyer,
    /// Reconciles unpaid orders and unresolved payment attempts.
    Reconciler,
    /// Delivers the outbox.
    Relay,
    /// Runs jobs.
    Jobs,
    /// Deletes rows whose retention period has passed.
    Retention,
    /// Checks that the ledger balances.
    Audit,
    /// Maintains the list of nodes and other tables that belong to no organization.
    Nodes,
}

impl SystemRole {
    /// Every role, for tests of what each sees.
    pub const ALL: [Self; 9] = [
        Self::Directory,
        Self::Shop,
        Self::Buyer,
        Self::Reconciler,
        Self::Relay,
        Self::Jobs,
        Self::Retention,
        Self::Audit,
        Self::Nodes,
    ];

    /// The name of the role in row security policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Shop => "shop",
            Self::Buyer => "buyer",
            Self::Reconciler => "reconciler",
            Self::Relay => "relay",
            Self::Jobs => "jobs",
            Self::Retention => "retention",
            Self::Audit => "audit",
            Self::Nodes => "nodes",
        }
    }
}

/// Isolation and durability of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TxMode {
    /// Read committed; the commit waits for the disk.
    Write,
    /// Read committed; the commit is on disk with the next flushed one. For rows that are written again if a crash of the machine loses them.
    Unflushed,
    /// One reading statement.
    Read,
    /// Read only; every statement sees the same moment.
    Snapshot,
}

impl TxMode {
    pub(super) const fn is_read_only(self) -> bool {
        matches!(self, Self::Read | Self::Snapshot)
    }
}
