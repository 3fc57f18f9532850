//! Loads an event from cold into the warm tier under a raised epoch, one rebuild per event at a time.
//!
//! Never: an acknowledgement of a call that the warm tier answered `unloaded`; [`load_and_retry`] repeats the call after the rebuild (P1, P8).

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;
use uuid::Uuid;
use voelgoed_domain::catalog::layout::AreaKind;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::TicketId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::place::Position;

use super::ports::{
    AreaSpan, EventScope, Install, InventoryError, InventoryResult, InventorySignal, InventoryStore, PlaceStore,
    RebuildLease,
};
use crate::catalog::listings::Listings;
use crate::environment::Environment;
use crate::error::{CommandError, CommandResult};

/// Rebuilds that one call waits for before `try_again`.
const LOADS_PER_CALL_MAX: usize = 3;

/// The lease of an event's rebuild; a node that dies during it, or a load that is cancelled, delays the others no longer than this.
const LEASE_DURATION: Duration = Duration::from_secs(5);
/// While another node rebuilds, this node waits for its signal and polls this often in case the signal is lost.
const LOADED_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// One lock per event that this node rebuilds, so that a task that waited for one rebuild does not begin another.
#[derive(Debug, Default)]
struct Rebuilds(Mutex<BTreeMap<EventScope, Arc<tokio::sync::Mutex<()>>>>);

impl Rebuilds {
    fn of(&self, scope: EventScope) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Drops locks without owner and waiter.
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        locks.entry(scope).or_default().clone()
    }
}

/// The areas of a listing as the warm tier stores them.
#[must_use]
pub fn area_spans(listing: &Listing) -> Vec<AreaSpan> {
    let areas = &listing.layout.areas;
    areas
        .iter()
        .enumerate()
        .map(|(at, area)| {
            let end = areas.get(at + 1).map_or(listing.layout.place_count(), |next| next.first.0);
            AreaSpan { area: area.id, places: area.first.0..end, seated: matches!(area.kind, AreaKind::Seated { .. }) }
        })
        .collect()
}

/// Loads events into the warm tier.
#[async_trait]
pub trait LoadEvent: Send + Sync + 'static {
    /// Loads the event from cold, unless another task or node has loaded it meanwhile.
    ///
    /// # Errors
    /// A refusal or a fault of the stores that are read and written.
    async fn load(&self, scope: EventScope) -> CommandResult<()>;
}

/// Runs `call` against the warm tier; after an `unloaded` loads the event and repeats the call.
///
/// # Errors
/// The call's own refusal or fault; `try_again` if the event does not stay loaded.
pub async fn load_and_retry<T, F, Fut>(loader: &dyn LoadEvent, scope: EventScope, call: F) -> CommandResult<T>
where
    F: Fn() -> Fut,
    Fut: Future<Output = InventoryResult<T>>,
{
    for _ in 0..LOADS_PER_CALL_MAX {
        match call().await {
            Ok(answer) => return Ok(answer),
            Err(InventoryError::Refused(refusal)) => return Err(refusal.into()),
            Err(InventoryError::Fault(fault)) => return Err(fault.into()),
            Err(InventoryError::Unloaded) => loader.load(scope).await?,
        }
    }
    Err(Refusal::try_again(1, "The event is being loaded. Try again in a moment.").into())
}

/// Loads events from the cold tier's places and listings.
pub struct EventLoader {
    /// The source of the leases' identifiers.
    pub environment: Arc<dyn Environment>,
    /// The warm inventory, which is loaded.
    pub inventory: Arc<dyn InventoryStore>,
    /// The places in cold.
    pub places: Arc<dyn PlaceStore>,
    /// The listings, for the areas of events.
    pub listings: Arc<dyn Listings>,
    rebuilds: Rebuilds,
}

impl EventLoader {
    /// A loader between these stores.
    #[must_use]
    pub fn new(
        environment: Arc<dyn Environment>,
        inventory: Arc<dyn InventoryStore>,
        places: Arc<dyn PlaceStore>,
        listings: Arc<dyn Listings>,
    ) -> Self {
        Self { environment, inventory, places, listings, rebuilds: Rebuilds::default() }
    }

    /// Makes the smallest call that answers `unloaded`. Any other error is left to the caller's own call.
    async fn is_loaded(&self, scope: EventScope) -> bool {
        let any_ticket = TicketId::from_uuid(Uuid::nil());
        !matches!(self.inventory.gate_filter(scope, any_ticket).await, Err(InventoryError::Unloaded))
    }

    /// Ends the lease of a load that installs nothing, so that the next load need not wait for its end. Does nothing where another node has the lease.
    async fn return_lease(&self, scope: EventScope, lease: Uuid) {
        if let Err(fault) = self.inventory.lease_rebuild(scope, lease, Duration::ZERO).await {
            tracing::debug!(organization = %scope.organization, event = %scope.event, %fault, slice = "ticketing", "the lease of a failed load was not returned; it ends by itself");
        }
    }

    async fn install(&self, scope: EventScope, lease: Uuid) -> CommandResult<Position> {
        let listing = self.listings.listing(scope).await?;
        let epoch = self.places.raise_epoch(scope.organization, scope.event).await?;
        let cold = self.places.read_inventory(scope.organization, scope.event).await?;
        let areas = area_spans(&listing);
        let install = Install { epoch, areas, places: cold.places, revoked: cold.revoked, admitted: cold.admitted };
        match self.inventory.install(scope, lease, install).await {
            Ok(position) => Ok(position),
            // Another node installed a higher epoch, or the lease ended: the repeated call finds out.
            Err(InventoryError::Unloaded) => Ok(Position { epoch, seq: 0 }),
            Err(InventoryError::Refused(refusal)) => Err(CommandError::Refused(refusal)),
            Err(InventoryError::Fault(fault)) => Err(CommandError::Fault(fault)),
        }
    }
}

#[async_trait]
impl LoadEvent for EventLoader {
    async fn load(&self, scope: EventScope) -> CommandResult<()> {
        let rebuilds = self.rebuilds.of(scope);
        let Ok(_guard) = rebuilds.try_lock() else {
            // The task that holds the lock loads the event for all that wait here.
            drop(rebuilds.lock().await);
            return Ok(());
        };
        let lease = self.environment.uuid();
        let mut signals = self.inventory.subscribe();
        while let RebuildLease::Taken { free_in } = self.inventory.lease_rebuild(scope, lease, LEASE_DURATION).await? {
            tokio::select! {
                () = signalled(&mut signals, scope) => {}
                () = sleep(free_in.min(LOADED_POLL_INTERVAL)) => {}
            }
            if self.is_loaded(scope).await {
                return Ok(());
            }
        }
        if self.is_loaded(scope).await {
            self.return_lease(scope, lease).await;
            return Ok(());
        }
        let position = match self.install(scope, lease).await {
            Ok(position) => position,
            Err(error) => {
                self.return_lease(scope, lease).await;
                return Err(error);
            }
        };
        tracing::info!(
            organization = %scope.organization, event = %scope.event, %position, slice = "ticketing",
            "loaded the event into the warm tier"
        );
        Ok(())
    }
}

/// Waits for a signal of the event; does not return if the store sends none.
async fn signalled(signals: &mut Receiver<InventorySignal>, scope: EventScope) {
    loop {
        match signals.recv().await {
            Ok(signal) if signal.scope == scope => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}
