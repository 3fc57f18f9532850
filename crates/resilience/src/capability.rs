//! The one table that says which capabilities work, degrade or are refused while a dependency is unavailable (P10).
//!
//! Never: an exception elsewhere; commands, `/readyz`, pages and the runbook all read this table. To change a behaviour: change the cell in
//! [`TABLE`], the runbook that a test compares with the table, and the chaos test that stops the real dependency.

use serde::Serialize;

use crate::retry_after::RetryAfter;

/// An operation of the platform that can be switched off or degraded on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Show events and seat maps.
    Browse,
    /// Hold places.
    Hold,
    /// Order and pay.
    OrderAndPay,
    /// Accept callbacks of payment providers.
    Callbacks,
    /// Issue tickets and refund money.
    IssueAndRefund,
    /// Admit tickets at a gate.
    Scan,
    /// Show lists and figures to organizers.
    Dashboards,
    /// Queue buyers before a sale.
    WaitingRoom,
}

impl Capability {
    /// Every capability, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Browse,
        Self::Hold,
        Self::OrderAndPay,
        Self::Callbacks,
        Self::IssueAndRefund,
        Self::Scan,
        Self::Dashboards,
        Self::WaitingRoom,
    ];

    /// The name in metrics and `/readyz`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Browse => "browse",
            Self::Hold => "hold",
            Self::OrderAndPay => "order_and_pay",
            Self::Callbacks => "callbacks",
            Self::IssueAndRefund => "issue_and_refund",
            Self::Scan => "scan",
            Self::Dashboards => "dashboards",
            Self::WaitingRoom => "waiting_room",
        }
    }

    /// The title of the row in the runbook.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Browse => "browse, seat map",
            Self::Hold => "hold",
            Self::OrderAndPay => "order, pay",
            Self::Callbacks => "provider callbacks",
            Self::IssueAndRefund => "issue, refund",
            Self::Scan => "scan",
            Self::Dashboards => "dashboards, lists",
            Self::WaitingRoom => "waiting room",
        }
    }
}

/// A way in which dependencies fail: a column of the table. Several modes can hold at once; the worst answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureMode {
    /// The warm tier is unavailable or failing over.
    WarmUnavailable,
    /// The cold tier's primary is unavailable, a replica answers reads.
    ColdReplicaOnly,
    /// The cold tier answers neither reads nor writes.
    ColdUnavailable,
    /// The warm tier is unavailable and the cold tier cannot write.
    WarmAndColdUnavailable,
    /// No payment provider answers.
    ProviderUnavailable,
}

impl FailureMode {
    /// Every mode, in the order of the table.
    pub const ALL: [Self; 5] = [
        Self::WarmUnavailable,
        Self::ColdReplicaOnly,
        Self::ColdUnavailable,
        Self::WarmAndColdUnavailable,
        Self::ProviderUnavailable,
    ];

    /// The title of the column in the runbook.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::WarmUnavailable => "warm unavailable or failing over",
            Self::ColdReplicaOnly => "cold primary unavailable, replica up",
            Self::ColdUnavailable => "cold unavailable",
            Self::WarmAndColdUnavailable => "warm unavailable and cold not writable",
            Self::ProviderUnavailable => "payment provider unavailable",
        }
    }
}

/// How a capability is restricted while it is degraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Degradation {
    /// Served from this node's memory, marked with its age.
    Stale,
    /// Holds are limited in number and last longer.
    HoldsCapped,
    /// The order is stored without a charge.
    PayLater,
    /// The cold tier decides alone.
    ColdDecides,
    /// The warm tier decides alone.
    WarmDecides,
    /// Reads come from a replica.
    FromReplica,
    /// The cold tier decides; the warm tier is updated afterwards.
    WarmFollows,
    /// Captured orders are issued; refunds wait.
    RefundsWait,
    /// The waiting room admits no buyer.
    Frozen,
    /// The waiting room admits as many buyers as can hold places.
    AdmitsHoldable,
    /// The waiting room admits as many buyers as can pay.
    AdmitsPayable,
}

impl Degradation {
    /// The text of the cell in the runbook.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Stale => "last known, marked with its age",
            Self::HoldsCapped => "yes, capped and extended",
            Self::PayLater => "order kept, to be paid within the hold; another provider if configured",
            Self::ColdDecides => "cold decides alone",
            Self::WarmDecides => "warm decides alone, answered `durable: false`",
            Self::FromReplica => "from the replica",
            Self::WarmFollows => "yes, cold decides and warm is repaired after",
            Self::RefundsWait => "issues what is captured, refunds wait",
            Self::Frozen => "frozen, and says why",
            Self::AdmitsHoldable => "admits only what can be held",
            Self::AdmitsPayable => "slows to what can be paid",
        }
    }
}

/// Whether a capability is available, degraded or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum CapabilityAnswer {
    /// Works without restriction.
    Yes,
    /// Works with a restriction.
    Degraded {
        /// The restriction.
        why: Degradation,
    },
    /// Refused while the failure lasts.
    Refused {
        /// The stable error code of the API.
        code: &'static str,
        /// When a retry is worthwhile.
        retry_after: RetryAfter,
    },
}

const YES: CapabilityAnswer = CapabilityAnswer::Yes;
const fn degraded(why: Degradation) -> CapabilityAnswer {
    CapabilityAnswer::Degraded { why }
}
const OFFLINE: CapabilityAnswer =
    CapabilityAnswer::Refused { code: "offline_rules", retry_after: RetryAfter::seconds(5) };
const fn refused(seconds: u32) -> CapabilityAnswer {
    CapabilityAnswer::Refused { code: "try_again", retry_after: RetryAfter::seconds(seconds) }
}

use Degradation::{
    AdmitsHoldable, AdmitsPayable, ColdDecides, FromReplica, Frozen, HoldsCapped, PayLater, RefundsWait, Stale,
    WarmDecides, WarmFollows,
};

/// A row per [`Capability`], a column per [`FailureMode`], both in the order of their `ALL`. The retry times differ because a failover of the warm
/// tier takes seconds, while one of the cold tier waits for an operator.
#[rustfmt::skip]
pub const TABLE: [[CapabilityAnswer; FailureMode::ALL.len()]; Capability::ALL.len()] = [
    // warm unavailable     replica only              cold unavailable        warm and cold      provider unavailable
    [degraded(Stale),        YES,                      degraded(Stale),        degraded(Stale),   YES],
    [refused(5),             degraded(HoldsCapped),    refused(10),            refused(10),       YES],
    [refused(5),             refused(10),              refused(10),            refused(10),       degraded(PayLater)],
    [YES,                    refused(10),              refused(10),            refused(10),       YES],
    [degraded(WarmFollows),  refused(10),              refused(10),            refused(10),       degraded(RefundsWait)],
    [degraded(ColdDecides),  degraded(WarmDecides),    degraded(WarmDecides),  OFFLINE,           YES],
    [degraded(Stale),        degraded(FromReplica),    degraded(Stale),        degraded(Stale),   YES],
    [degraded(Frozen),       degraded(AdmitsHoldable), degraded(Frozen),       degraded(Frozen),  degraded(AdmitsPayable)],
];

/// The worst answer of the table for `capability` under these modes.
#[must_use]
pub fn worst_answer(capability: Capability, modes: &[FailureMode]) -> CapabilityAnswer {
    let row = &TABLE[capability as usize];
    modes
        .iter()
        .map(|mode| row[*mode as usize])
        .fold(YES, |worst, next| if rank(next) > rank(worst) { next } else { worst })
}

/// A refusal is worse than a degradation, a longer wait is worse than a shorter one, and frozen is worse than slow.
const fn rank(answer: CapabilityAnswer) -> (u8, u32) {
    match answer {
        CapabilityAnswer::Yes => (0, 0),
        CapabilityAnswer::Degraded { why: Frozen } => (1, 1),
        CapabilityAnswer::Degraded { .. } => (1, 0),
        CapabilityAnswer::Refused { retry_after, .. } => (2, retry_after.as_seconds()),
    }
}

/// The table as the runbook `docs/runbooks/capabilities.md` contains it.
#[must_use]
pub fn runbook_table() -> String {
    let head: String = FailureMode::ALL.iter().map(|mode| format!(" {} |", mode.title())).collect();
    let rows = Capability::ALL.iter().zip(&TABLE).map(|(capability, row)| {
        let cells: String = row.iter().map(|cell| format!(" {} |", cell_text(*cell))).collect();
        format!("| {} |{cells}\n", capability.title())
    });
    format!("| |{head}\n|---|{}\n{}", "---|".repeat(FailureMode::ALL.len()), rows.collect::<String>())
}

fn cell_text(answer: CapabilityAnswer) -> String {
    match answer {
        CapabilityAnswer::Yes => "yes".to_owned(),
        CapabilityAnswer::Degraded { why } => why.text().to_owned(),
        CapabilityAnswer::Refused { code, retry_after } => format!("refused `{code}`, {retry_after}"),
    }
}

#[cfg(test)]
mod tests;
