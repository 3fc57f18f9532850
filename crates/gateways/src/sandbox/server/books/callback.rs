//! The messages that wait to be taken by the shop, and where they go.
//!
//! Keeps: a callback waits until it was answered with 2xx or its life is over, whatever restarts in between.

use voelgoed_domain::time::Timestamp;

use super::{Books, Decision};
use crate::sandbox::protocol::CallbackBody;
use crate::sandbox::server::record::{CallbackState, Record};

/// A message to the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to; none while nobody has said.
    pub url: Option<String>,
    /// What it says.
    pub body: CallbackBody,
    /// Since when it waits.
    pub since: Timestamp,
}

impl Books {
    /// The identifiers of all callbacks that wait.
    pub fn waiting_callbacks(&self) -> Vec<String> {
        self.waiting.keys().cloned().collect()
    }

    /// How many callbacks wait.
    pub fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    /// The message called `id`, if it still waits.
    pub fn outgoing(&self, id: &str) -> Option<Outgoing> {
        let body = self.charges.get(self.waiting.get(id)?)?.message(id.to_owned())?;
        Some(Outgoing { url: self.callback_url.clone(), since: body.at, body })
    }

    /// The message called `id` waits no longer.
    pub fn finish_callback(&self, id: &str, end: CallbackState) -> Decision<()> {
        let entry = self.waiting.get(id).and_then(|key| self.charges.get(key));
        let record = entry.and_then(|entry| {
            let (position, _) = entry.waiting().find(|(_, waiting)| waiting == id)?;
            let mut entry = entry.clone();
            *entry.callbacks.get_mut(position)? = end;
            Some(Record::Charge(entry))
        });
        Decision { record, answer: () }
    }

    /// Callbacks go to `url` from now on; the answer says whether that is news.
    pub fn retarget(&self, url: &str) -> Decision<bool> {
        if self.callback_url.as_deref() == Some(url) {
            return Decision { record: None, answer: false };
        }
        Decision { record: Some(Record::CallbackUrl { url: url.to_owned() }), answer: true }
    }
}
