//! Caches the last read list of live nodes, so that `/readyz` and the operator's pages call no store.

use std::sync::{Arc, Mutex, PoisonError};

use voelgoed_domain::time::Timestamp;

use super::ports::MemberNode;

/// The cached list of live nodes; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Members(Arc<Mutex<KnownNodes>>);

/// The live nodes at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownNodes {
    /// The live nodes, longest-lived first; empty before the first read.
    pub nodes: Arc<[MemberNode]>,
    /// The time of the read.
    pub at: Option<Timestamp>,
}

impl Members {
    /// Replaces the list by one that was read at `at`.
    pub fn update(&self, nodes: Vec<MemberNode>, at: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = KnownNodes { nodes: nodes.into(), at: Some(at) };
    }

    /// The list as last read.
    #[must_use]
    pub fn known(&self) -> KnownNodes {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
