//! Defines a queued command that waits for the reply of its transaction.

use tokio::sync::oneshot;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_resilience::Deadline;

use super::BatchCommit;
use crate::db::DbError;

/// A command that waits for its reply.
pub(super) struct PendingCommand<C: BatchCommit> {
    pub(super) organization: OrganizationId,
    pub(super) command: C::Command,
    pub(super) reply: oneshot::Sender<Result<C::Reply, DbError>>,
    /// The deadline of its request.
    pub(super) deadline: Option<Deadline>,
    /// How many transactions it has been part of.
    pub(super) rounds: u32,
    /// Its number in the order of arrival.
    pub(super) arrival: u64,
}
