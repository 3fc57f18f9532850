//! Defines the lines of the data file: each holds one whole charge, refund, barred key or callback URL, and the last line of a key counts.
//!
//! Never: a line that depends on an earlier one, because compaction keeps only the last line of each key.
//! To add a field: with a default, so that older files still read. To change a meaning: raise [`VERSION`].

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use voelgoed_domain::time::Timestamp;

use crate::protocol::{CallbackBody, ChargeState};

/// The version of the shapes below.
pub const VERSION: u8 = 1;

/// One line of the data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLine {
    /// [`VERSION`].
    pub v: u8,
    #[serde(flatten)]
    pub record: Record,
}

/// The content of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A charge with its present state.
    Charge(ChargeEntry),
    Refund(RefundEntry),
    /// A key that was cancelled before a charge came with it, and that never takes one.
    Barred {
        key: String,
        at: Timestamp,
    },
    /// The URL of callbacks from now on.
    CallbackUrl {
        url: String,
    },
}

/// A charge in the data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeEntry {
    pub key: String,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    /// A name of the table of methods.
    pub method: String,
    pub provider_ref: String,
    pub state: ChargeState,
    pub created_at: Timestamp,
    /// When a pending charge falls due.
    pub capture_at: Option<Timestamp>,
    /// When it was captured, declined or voided.
    pub settled_at: Option<Timestamp>,
    /// The state of each of its callbacks, in order.
    pub callbacks: Vec<CallbackState>,
}

/// The delivery state of one callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// Not yet answered with 2xx.
    Waiting,
    /// Answered with 2xx.
    Delivered,
    /// Not answered with 2xx within the lifetime of a callback.
    GivenUp,
}

/// A refund in the data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundEntry {
    pub key: String,
    /// The key of the refunded charge.
    pub charge: String,
    /// In minor units.
    pub amount: i64,
    pub currency: String,
    pub provider_ref: String,
    /// When it was accepted.
    pub at: Timestamp,
}

impl ChargeEntry {
    /// The same charge, settled, with `callbacks` callbacks to deliver.
    pub fn settled(mut self, state: ChargeState, now: Timestamp, callbacks: usize) -> Self {
        self.state = state;
        self.capture_at = None;
        self.settled_at = Some(now);
        self.callbacks = vec![CallbackState::Waiting; callbacks];
        self
    }

    /// The position and the identifier of each undelivered callback.
    pub fn pending_callbacks(&self) -> impl Iterator<Item = (usize, String)> + '_ {
        let pending = |state: &CallbackState| *state == CallbackState::Waiting;
        let positions = self.callbacks.iter().enumerate().filter(move |(_, state)| pending(state));
        positions.map(|(position, _)| (position, format!("{}-{}", self.provider_ref, position + 1)))
    }

    /// The body of the callback `id`; none while the charge is not settled.
    pub fn callback_body(&self, id: String) -> Option<CallbackBody> {
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
    /// The identifiers of the undelivered callbacks in this record.
    pub fn pending_callback_ids(&self) -> Vec<String> {
        match self {
            Self::Charge(entry) => entry.pending_callbacks().map(|(_, id)| id).collect(),
            Self::Refund(_) | Self::Barred { .. } | Self::CallbackUrl { .. } => Vec::new(),
        }
    }
}

/// The provider's own reference for `key`: the same after every restart, and a hash, so that it does not reveal the key.
pub fn reference(prefix: &str, key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    format!("{prefix}_{}", hex::encode(&digest[..10]))
}
