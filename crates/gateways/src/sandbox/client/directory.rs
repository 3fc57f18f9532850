//! Where each method's charges are taken, as the provider says at `GET /methods`.
//!
//! Never: an old address for a method that is not at the provider's own: it is asked for anew each time, since a port that nobody holds
//! any more may be anybody's.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::sandbox::protocol::MethodList;

/// What is known of the provider's addresses.
#[derive(Debug, Default)]
pub struct Directory {
    /// The base URL of each method.
    known: Mutex<BTreeMap<String, String>>,
}

impl Directory {
    /// Takes over what the provider says.
    pub fn learn(&self, list: MethodList) {
        let fresh = list.methods.into_iter().map(|entry| (entry.name, entry.url)).collect();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    /// Nothing is known any more.
    pub fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The base URL for charges of `method`, where the provider has named one.
    pub fn base_of(&self, method: &str) -> Option<String> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(method).cloned()
    }
}
