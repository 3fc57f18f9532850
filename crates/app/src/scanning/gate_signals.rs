//! Signals admitted and revoked tickets to the devices that are connected to this node, so that they can refuse such tickets without a request.

use tokio::sync::broadcast;
use voelgoed_domain::ids::{DeviceId, TicketId};

use crate::ticketing::ports::EventScope;

/// Signals buffered for slow devices; a device that lags further fetches its package again.
const SIGNALS_BUFFERED_MAX: usize = 4096;

/// A signal to the devices of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateSignal {
    /// The ticket has admitted.
    Admitted(TicketId),
    /// The tickets no longer admit.
    Revoked(Vec<TicketId>),
    /// The event's listing changed, and perhaps the admission windows.
    Listing,
    /// The device's key was revoked.
    DeviceRevoked(DeviceId),
    /// Signals may have been lost; devices fetch the package again.
    Resync,
}

/// The channel of signals for all events on this node.
#[derive(Debug, Clone)]
pub struct GateWatch(broadcast::Sender<(Option<EventScope>, GateSignal)>);

impl Default for GateWatch {
    fn default() -> Self {
        Self(broadcast::channel(SIGNALS_BUFFERED_MAX).0)
    }
}

impl GateWatch {
    /// Signals the devices of an event.
    pub fn signal(&self, scope: EventScope, signal: GateSignal) {
        // Sending fails if no device is connected.
        let _no_receiver = self.0.send((Some(scope), signal));
    }

    /// Signals that a device's key was revoked.
    pub fn device_revoked(&self, device: DeviceId) {
        let _no_receiver = self.0.send((None, GateSignal::DeviceRevoked(device)));
    }

    /// Signals all devices of all events that signals may have been lost.
    pub fn resync(&self) {
        let _no_receiver = self.0.send((None, GateSignal::Resync));
    }

    /// Receives the signals of all events; none as scope means all events.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<(Option<EventScope>, GateSignal)> {
        self.0.subscribe()
    }
}
