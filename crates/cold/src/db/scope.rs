//! For whom a transaction is: one organization, or a named system role. Engines with row security show it nothing else (P7).
//!
//! Never: a scope that is guessed from a statement. To add a system role: a variant, its name, and that name in the policies of the tables that it
//! needs (a step of `migrations/` with `{secured:…}`); `db/row_security.rs` tests what each may see.

use uuid::Uuid;
use voelgoed_domain::ids::OrganizationId;

/// For whom a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One organization: its rows and no others.
    Tenant(Uuid),
    /// A part of the platform that acts for all organizations.
    System(System),
}

impl From<OrganizationId> for Scope {
    fn from(organization: OrganizationId) -> Self {
        Self::Tenant(organization.uuid())
    }
}

impl From<System> for Scope {
    fn from(role: System) -> Self {
        Self::System(role)
    }
}

/// Who acts for all organizations. Each sees only the tables that its work needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Finds the tenant by what names it: a slug, an address, a token, a key.
    Directory,
    /// Shows what all organizations have published.
    Shop,
    /// Shows a buyer's session its own orders, whoever sold them.
    Buyer,
    /// Looks after unpaid orders and unresolved attempts.
    Reconciler,
    /// Carries facts out of the outbox.
    Relay,
    /// Runs jobs.
    Jobs,
    /// Deletes what is over.
    Retention,
    /// Checks the books.
    Audit,
    /// Keeps the list of nodes, which belongs to no organization.
    Nodes,
}

impl System {
    /// Every role.
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

    /// Its name in the policies.
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

/// Which connections a transaction uses, so that one kind of work cannot take another's (P9). The embedded engine has one writer, whose turns go by lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// What admits: people stand and wait.
    Gate,
    /// What sells and charges.
    Sale,
    /// What buyers and gates are shown of that: on the same connections, and on a replica while the primary is away.
    Shown,
    /// What organizers and the shop read and write beside that.
    Desk,
    /// The relay, the jobs, the reconcilers.
    Jobs,
    /// Lists and reports: on a replica that is near enough, else where the desk is.
    Reports,
}

impl Lane {
    /// True where a replica may answer while the primary is away: nothing is decided by what is read there.
    pub(super) const fn is_readable_elsewhere(self) -> bool {
        matches!(self, Self::Shown | Self::Desk | Self::Reports)
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Writing: every statement sees what was committed before it, and the commit is on disk.
    Write,
    /// Writing what is done again where it is lost with the machine: the commit is on disk with the next flushed one.
    Unflushed,
    /// One statement that reads.
    Read,
    /// Reading: every statement sees the same moment.
    Snapshot,
}

impl Mode {
    /// True where nothing is changed.
    pub(super) const fn only_reads(self) -> bool {
        matches!(self, Self::Read | Self::Snapshot)
    }
}
