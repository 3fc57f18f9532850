//! The lines of the data file: each is the whole of one thing, and the last line of a key is the one that counts.
//!
//! Never: a line that only makes sense after another; compaction keeps just the last of each key.
//! To add a field: with a default, so that older files read; to change a meaning, raise [`VERSION`].

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use voelgoed_domain::time::Timestamp;

use crate::sandbox::protocol::{CallbackBody, ChargeState};

/// The version of the shapes below.
pub const VERSION: u8 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// [`VERSION`].
    pub v: u8,
    /// What it says.
    #[serde(flatten)]
    pub record: Record,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A charge as it now stands.
    Charge(ChargeEntry),
    /// A refund.
    Refund(RefundEntry),
    /// A key that was cancelled before any charge came with it, and never takes one.
    Barred {
        /// The shop's key.
        key: String,
        /// When.
        at: Timestamp,
    },
    /// Where callbacks go from now on.
    CallbackUrl {
        /// An absolute URL.
        url: String,
    },
}

/// A charge as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeEntry {
    /// The shop's key.
    pub key: String,
    /// Minor units.
    pub amount: i64,
    /// Three capital letters.
    pub currency: String,
    /// A name of the table of methods.
    pub method: String,
    /// The provider's own reference.
    pub provider_ref: String,
    /// Where it stands.
    pub state: ChargeState,
    /// When it arrived.
    pub created_at: Timestamp,
    /// When it will be captured, while it is pending.
    pub capture_at: Option<Timestamp>,
    /// When it was captured, declined or voided.
    pub settled_at: Option<Timestamp>,
    /// The messages that tell of it, first to last.
    pub callbacks: Vec<CallbackState>,
}

/// How far a callback got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// Not yet answered with 2xx.
    Waiting,
    /// Answered with 2xx.
    Delivered,
    /// Never answered with 2xx in all its life.
    GivenUp,
}

/// A refund as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundEntry {
    /// The shop's key.
    pub key: String,
    /// The key of the charge.
    pub charge: String,
    /// Minor units.
    pub amount: i64,
    /// Three capital letters.
    pub currency: String,
    /// The provider's own reference.
    pub provider_ref: String,
    /// When it was accepted.
    pub at: Timestamp,
}

impl ChargeEntry {
    /// The same charge, settled, with its callbacks waiting.
    pub fn settled(mut self, state: ChargeState, now: Timestamp, callbacks: usize) -> Self {
        self.state = state;
        self.capture_at = None;
        self.settled_at = Some(now);
        self.callbacks = vec![CallbackState::Waiting; callbacks];
        self
    }

    /// The identifiers of its callbacks that still wait, with their position.
    pub fn waiting(&self) -> impl Iterator<Item = (usize, String)> + '_ {
        let waiting = |state: &CallbackState| *state == CallbackState::Waiting;
        let positions = self.callbacks.iter().enumerate().filter(move |(_, state)| waiting(state));
        positions.map(|(position, _)| (position, format!("{}-{}", self.provider_ref, position + 1)))
    }

    /// What the callback called `id` says; none while the charge is not settled.
    pub fn message(&self, id: String) -> Option<CallbackBody> {
        Some(CallbackBody {
            id,
            key: self.key.clone(),
            state: self.state,
            amount: self.amount,
            currency: self.currency.clone(),
            provider_ref: self.provider_ref.clone(),
            at: self.settled_at?,
        })
    }
}

impl Record {
    /// The identifiers of the callbacks that wait after this record.
    pub fn waiting_callbacks(&self) -> Vec<String> {
        match self {
            Self::Charge(entry) => entry.waiting().map(|(_, id)| id).collect(),
            Self::Refund(_) | Self::Barred { .. } | Self::CallbackUrl { .. } => Vec::new(),
        }
    }
}

/// The provider's own reference for `key`: the same after any restart, and telling nothing of the key.
pub fn reference(prefix: &str, key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let hex: String = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}_{hex}")
}
