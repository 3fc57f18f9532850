//! Who stands at a gate on this node: signals of tickets that were admitted or revoked, so that scanners know before they ask.

use tokio::sync::broadcast;
use voelgoed_domain::ids::{DeviceId, TicketId};

use crate::ticketing::ports::EventScope;

/// Signals kept for slow devices; one that lags fetches its package anew.
const SIGNALS_KEPT: usize = 4096;

/// What a gate should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateSignal {
    /// This ticket has admitted.
    Admitted(TicketId),
    /// These tickets no longer admit.
    Revoked(Vec<TicketId>),
    /// The event's listing changed, and with it perhaps when its tickets admit.
    Listing,
    /// This device's key was revoked.
    Gone(DeviceId),
    /// Signals may have been missed: the package must be fetched anew.
    Missed,
}

/// Signals for the gates of all events on this node.
#[derive(Debug, Clone)]
pub struct GateWatch(broadcast::Sender<(Option<EventScope>, GateSignal)>);

impl Default for GateWatch {
    fn default() -> Self {
        Self(broadcast::channel(SIGNALS_KEPT).0)
    }
}

impl GateWatch {
    /// Tells every device on this node.
    pub fn signal(&self, scope: EventScope, signal: GateSignal) {
        // Nobody listening is the usual case.
        let _unheard = self.0.send((Some(scope), signal));
    }

    /// Tells a device on this node that it may listen no longer.
    pub fn gone(&self, device: DeviceId) {
        let _unheard = self.0.send((None, GateSignal::Gone(device)));
    }

    /// Tells every device on this node, of whatever event, that it may have missed something.
    pub fn missed(&self) {
        let _unheard = self.0.send((None, GateSignal::Missed));
    }

    /// Hears the signals of all events; the caller picks its own.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<(Option<EventScope>, GateSignal)> {
        self.0.subscribe()
    }
}
