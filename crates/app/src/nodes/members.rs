//! The members as this node last read them: for `/readyz` and the operator's pages, without asking any store.

use std::sync::{Arc, Mutex, PoisonError};

use voelgoed_domain::time::Timestamp;

use super::ports::Node;

/// What is known of the members; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Members(Arc<Mutex<Known>>);

/// The members at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The nodes that lived then, the longest-lived first; empty before the first read.
    pub nodes: Arc<[Node]>,
    /// When that was read.
    pub at: Option<Timestamp>,
}

impl Members {
    /// Takes in what was read at `at`.
    pub fn learn(&self, nodes: Vec<Node>, at: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Known { nodes: nodes.into(), at: Some(at) };
    }

    /// What is known.
    #[must_use]
    pub fn known(&self) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
