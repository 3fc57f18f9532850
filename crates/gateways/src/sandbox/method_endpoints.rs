//! Remembers the base URL for charges of each method, as the provider lists them at `GET /methods`.
//!
//! Never: a remembered URL for a method at another address than the provider's own. The gateway asks again for each such charge, since a
//! port that the provider has given up may belong to another program.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::messages::MethodsView;

/// The base URL of each method.
#[derive(Debug, Default)]
pub struct MethodEndpoints {
    urls: Mutex<BTreeMap<String, String>>,
}

impl MethodEndpoints {
    pub fn replace(&self, methods: MethodsView) {
        let urls = methods.methods.into_iter().map(|method| (method.name, method.url)).collect();
        *self.urls.lock().unwrap_or_else(PoisonError::into_inner) = urls;
    }

    pub fn clear(&self) {
        self.urls.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The base URL for charges of `method`; none where the provider has not listed it.
    pub fn url_of(&self, method: &str) -> Option<String> {
        self.urls.lock().unwrap_or_else(PoisonError::into_inner).get(method).cloned()
    }
}
