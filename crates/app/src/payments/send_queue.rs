//! Queues new payment attempts in this process, from the commit of their order to the task that sends them to the provider.
//!
//! The queue may lose an attempt, because it is full or its node dies; the reconciler in `resolve_attempts` sends such attempts (P2).

use std::sync::Mutex;
use std::sync::PoisonError;

use tokio::sync::mpsc;
use voelgoed_domain::ids::{OrganizationId, PaymentId};

/// Attempts in the queue; the reconciler sends further ones.
pub const SEND_QUEUE_LENGTH_MAX: usize = 4096;

/// An attempt to send.
pub type QueuedAttempt = (OrganizationId, PaymentId);

/// The queue of one process.
#[derive(Debug)]
pub struct SendQueue {
    queue: mpsc::Sender<QueuedAttempt>,
    receiver: Mutex<Option<mpsc::Receiver<QueuedAttempt>>>,
}

impl Default for SendQueue {
    fn default() -> Self {
        let (queue, receiver) = mpsc::channel(SEND_QUEUE_LENGTH_MAX);
        Self { queue, receiver: Mutex::new(Some(receiver)) }
    }
}

impl SendQueue {
    /// Adds an attempt.
    pub fn push(&self, organization: OrganizationId, payment: PaymentId) {
        if self.queue.try_send((organization, payment)).is_err() {
            tracing::info!(%organization, %payment, slice = "payments", "the send queue is full; the reconciler sends the attempt");
        }
    }

    /// The receiver, for the one task that sends attempts; none at the second call.
    pub fn take_receiver(&self) -> Option<mpsc::Receiver<QueuedAttempt>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
