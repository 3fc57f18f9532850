//! The one table of what still works when something is away (P10). Commands, `/readyz`, the pages and the runbook read it.
//!
//! Never: an exception elsewhere. To change what happens: change the cell in [`TABLE`], then the runbook that a test compares with it, and
//! the test that takes the real thing away.

use serde::Serialize;

use crate::retry_after::RetryAfter;

/// Something that the platform can do for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Look at events and seat maps.
    Browse,
    /// Hold places.
    Hold,
    /// Order and pay.
    OrderAndPay,
    /// Take callbacks of payment providers.
    Callbacks,
    /// Issue tickets and return money.
    IssueAndRefund,
    /// Let people in.
    Scan,
    /// Look at lists and figures.
    Dashboards,
    /// Wait for one's turn.
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

    /// Its name in metrics and `/readyz`.
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

    /// As the table's row says it.
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

/// A way in which something is away: a column of the table. Several can hold at once; the worst answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The warm tier is away or failing over.
    WarmAway,
    /// The cold tier's primary is away, a replica answers.
    ColdReplicaOnly,
    /// The cold tier is gone.
    ColdGone,
    /// The warm tier is away and the cold tier cannot write.
    WarmAndColdAway,
    /// No payment provider answers.
    ProviderAway,
}

impl Mode {
    /// Every mode, in the order of the table.
    pub const ALL: [Self; 5] =
        [Self::WarmAway, Self::ColdReplicaOnly, Self::ColdGone, Self::WarmAndColdAway, Self::ProviderAway];

    /// As the table's head says it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::WarmAway => "warm away or failing over",
            Self::ColdReplicaOnly => "cold primary away, replica up",
            Self::ColdGone => "cold gone",
            Self::WarmAndColdAway => "warm away and cold not writable",
            Self::ProviderAway => "payment provider away",
        }
    }
}

/// What is less than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Degradation {
    /// Shown from memory.
    Stale,
    /// Holds are capped and extended.
    HoldsCapped,
    /// The order is kept without being charged.
    PayLater,
    /// The cold tier decides alone.
    ColdDecides,
    /// The warm tier decides alone.
    WarmDecides,
    /// Reads come from a replica.
    FromReplica,
    /// What the warm tier would show follows later.
    WarmFollows,
    /// What is captured is issued, money goes back later.
    RefundsWait,
    /// Nobody is admitted.
    Frozen,
    /// Fewer are admitted.
    AdmitsHoldable,
    /// Fewer are admitted.
    AdmitsPayable,
}

impl Degradation {
    /// In words, for pages and the runbook.
    #[must_use]
    pub const fn words(self) -> &'static str {
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

/// Whether something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// As usual.
    Yes,
    /// Yes, but less than usual.
    Degraded {
        /// How.
        why: Degradation,
    },
    /// Not now.
    Refused {
        /// The stable code that the caller is told.
        code: &'static str,
        /// When it is worth asking again.
        retry_after: RetryAfter,
    },
}

const YES: Answer = Answer::Yes;
const fn but(why: Degradation) -> Answer {
    Answer::Degraded { why }
}
const OFFLINE: Answer = Answer::Refused { code: "offline_rules", retry_after: RetryAfter::seconds(5) };
const fn no(seconds: u32) -> Answer {
    Answer::Refused { code: "try_again", retry_after: RetryAfter::seconds(seconds) }
}

use Degradation::{
    AdmitsHoldable, AdmitsPayable, ColdDecides, FromReplica, Frozen, HoldsCapped, PayLater, RefundsWait, Stale,
    WarmDecides, WarmFollows,
};

/// The table: a row per [`Capability`], a column per [`Mode`], both in the order of their `ALL`. A failover of the warm tier takes seconds, of
/// the cold tier a person's decision.
#[rustfmt::skip]
pub const TABLE: [[Answer; Mode::ALL.len()]; Capability::ALL.len()] = [
    // warm away        replica only        cold gone         warm and cold    provider away
    [but(Stale),        YES,                but(Stale),       but(Stale),      YES],
    [no(5),             but(HoldsCapped),   no(10),           no(10),          YES],
    [no(5),             no(10),             no(10),           no(10),          but(PayLater)],
    [YES,               no(10),             no(10),           no(10),          YES],
    [but(WarmFollows),  no(10),             no(10),           no(10),          but(RefundsWait)],
    [but(ColdDecides),  but(WarmDecides),   but(WarmDecides), OFFLINE,         YES],
    [but(Stale),        but(FromReplica),   but(Stale),       but(Stale),      YES],
    [but(Frozen),       but(AdmitsHoldable), but(Frozen),     but(Frozen),     but(AdmitsPayable)],
];

/// The worst answer of the table for `capability` under these modes.
#[must_use]
pub fn answer(capability: Capability, modes: &[Mode]) -> Answer {
    let row = &TABLE[capability as usize];
    modes
        .iter()
        .map(|mode| row[*mode as usize])
        .fold(YES, |worst, next| if rank(next) > rank(worst) { next } else { worst })
}

/// Refusals before degradations before yes; a longer wait before a shorter; frozen before merely slower.
const fn rank(answer: Answer) -> (u8, u32) {
    match answer {
        Answer::Yes => (0, 0),
        Answer::Degraded { why: Frozen } => (1, 1),
        Answer::Degraded { .. } => (1, 0),
        Answer::Refused { retry_after, .. } => (2, retry_after.as_seconds()),
    }
}

/// The table as markdown, as the runbook shows it.
#[must_use]
pub fn markdown() -> String {
    let head: String = Mode::ALL.iter().map(|mode| format!(" {} |", mode.title())).collect();
    let rows = Capability::ALL.iter().zip(&TABLE).map(|(capability, row)| {
        let cells: String = row.iter().map(|cell| format!(" {} |", words(*cell))).collect();
        format!("| {} |{cells}\n", capability.title())
    });
    format!("| |{head}\n|---|{}\n{}", "---|".repeat(Mode::ALL.len()), rows.collect::<String>())
}

fn words(answer: Answer) -> String {
    match answer {
        Answer::Yes => "yes".to_owned(),
        Answer::Degraded { why } => why.words().to_owned(),
        Answer::Refused { code, retry_after } => format!("refused `{code}`, {retry_after}"),
    }
}

#[cfg(test)]
mod tests;
