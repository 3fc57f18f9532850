//! Decides where callbacks go and when one is no longer pending.
//!
//! A callback stays pending, also over restarts, until it is answered with 2xx or its lifetime ends.

use voelgoed_domain::time::Timestamp;

use super::{ProviderState, StateChange};
use crate::protocol::CallbackBody;
use crate::record::{CallbackState, Record};

/// A callback that is not delivered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingCallback {
    /// None until the shop registers a URL.
    pub url: Option<String>,
    pub body: CallbackBody,
    /// When its charge was settled.
    pub since: Timestamp,
}

impl ProviderState {
    pub fn pending_callback_ids(&self) -> Vec<String> {
        self.pending_callbacks.keys().cloned().collect()
    }

    pub fn pending_callback_count(&self) -> usize {
        self.pending_callbacks.len()
    }

    /// The callback `id`; none once it was delivered or given up.
    pub fn pending_callback(&self, id: &str) -> Option<PendingCallback> {
        let body = self.charges.get(self.pending_callbacks.get(id)?)?.callback_body(id.to_owned())?;
        Some(PendingCallback { url: self.callback_url.clone(), since: body.at, body })
    }

    /// Records that the callback `id` was delivered or given up.
    pub fn finish_callback(&self, id: &str, end: CallbackState) -> StateChange<()> {
        let entry = self.pending_callbacks.get(id).and_then(|key| self.charges.get(key));
        let record = entry.and_then(|entry| {
            let (position, _) = entry.pending_callbacks().find(|(_, pending)| pending == id)?;
            let mut entry = entry.clone();
            *entry.callbacks.get_mut(position)? = end;
            Some(Record::Charge(entry))
        });
        StateChange { record, reply: () }
    }

    /// Sets the URL of callbacks; the reply is true where it differs from the previous URL.
    pub fn set_callback_url(&self, url: &str) -> StateChange<bool> {
        if self.callback_url.as_deref() == Some(url) {
            return StateChange { record: None, reply: false };
        }
        StateChange { record: Some(Record::CallbackUrl { url: url.to_owned() }), reply: true }
    }
}
