//! Who did what: written after the deed, in a commit of its own; a lost line is logged, never a reason to fail it.
//!
//! Not part of the deed's commit on purpose: the actor is known to the surface alone, and every port method would have to carry it. Between the
//! two commits a crash loses the line and leaves the log's `audited`. What must never be lost, of money, stands in the journal and in refunds.

use voelgoed_domain::ids::OrganizationId;

use super::ports::AuditLine;
use crate::platform::Platform;

/// Appends a line.
pub async fn audit(
    platform: &Platform,
    organization: OrganizationId,
    actor: &str,
    action: &str,
    subject: impl ToString,
) {
    let line = AuditLine {
        id: platform.environment.uuid(),
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: subject.to_string(),
        at: platform.environment.now(),
    };
    tracing::info!(%organization, actor, action, subject = line.subject, slice = "accounts", "audited");
    if let Err(fault) = platform.accounts.audit(organization, line).await {
        tracing::error!(%organization, actor, action, %fault, slice = "accounts", "an audit line was lost");
    }
}
