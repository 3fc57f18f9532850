//! The way from a committed order to its provider, within this process: a bounded queue.
//!
//! Never the only way: what is lost here (a full queue, a dead node) is found by the `resolve` reconciler (P2).

use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::sync::mpsc;
use voelgoed_domain::ids::{OrganizationId, PaymentId};

/// Attempts waiting to be sent by this process; more are left to the reconciler.
pub const QUEUE_LENGTH: usize = 4096;

/// An attempt to send.
pub type ToSend = (OrganizationId, PaymentId);

/// The sending end, shared by all commands.
#[derive(Debug)]
pub struct Dispatch {
    queue: mpsc::Sender<ToSend>,
    taken: Mutex<Option<mpsc::Receiver<ToSend>>>,
}

impl Default for Dispatch {
    fn default() -> Self {
        let (queue, receiver) = mpsc::channel(QUEUE_LENGTH);
        Self { queue, taken: Mutex::new(Some(receiver)) }
    }
}

impl Dispatch {
    /// Sets an attempt off, soon, elsewhere.
    pub fn send(&self, organization: OrganizationId, payment: PaymentId) {
        if self.queue.try_send((organization, payment)).is_err() {
            tracing::info!(%organization, %payment, slice = "payments", "the send queue is full; the reconciler takes over");
        }
    }

    /// The receiving end, for the one task that runs it.
    pub fn take_receiver(&self) -> Option<mpsc::Receiver<ToSend>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
