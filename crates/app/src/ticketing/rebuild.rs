//! Loading an event into the warm tier from cold, under a raised epoch, one rebuild per event at a time.
//!
//! Never acknowledges anything that the warm tier answered `unloaded`: the call is repeated after the rebuild (P1, P8).

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;
use uuid::Uuid;
use voelgoed_domain::catalog::layout::AreaKind;
use voelgoed_domain::catalog::listing::Listing;
use voelgoed_domain::ids::TicketId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::place::Position;

use super::ports::{Answer, AreaSpan, EventScope, Install, InventoryError, Lease, Moved};
use crate::error::{Error, Result};
use crate::platform::Platform;

/// A call is repeated at most so often after a rebuild, then answered `try_again`.
const MOST_REBUILDS: usize = 3;

/// A node that rebuilds an event has it to itself for so long; one that dies meanwhile holds the others up no longer.
const LEASE_LASTS: Duration = Duration::from_secs(5);
/// While another node rebuilds, its signal is waited for, and its work looked at this often in case the signal is lost.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// One lock per event that is being rebuilt by this node; who waited for one rebuild does not begin another.
#[derive(Debug, Default)]
pub struct Rebuilds(Mutex<BTreeMap<EventScope, Arc<tokio::sync::Mutex<()>>>>);

impl Rebuilds {
    fn of(&self, scope: EventScope) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A lock that nobody holds or waits for says nothing.
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        locks.entry(scope).or_default().clone()
    }
}

/// The areas of a listing as the warm tier needs them.
#[must_use]
pub fn spans(listing: &Listing) -> Vec<AreaSpan> {
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

/// Runs `call` against the warm tier; loads the event and repeats where the tier has not (or no longer) loaded it.
///
/// # Errors
/// The call's own refusal or fault; `try_again` where the event will not stay loaded.
pub async fn loaded<T, F, Fut>(platform: &Platform, scope: EventScope, call: F) -> Result<T>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Answer<T>>,
{
    for _ in 0..MOST_REBUILDS {
        match call().await {
            Ok(answer) => return Ok(answer),
            Err(InventoryError::Refused(refusal)) => return Err(refusal.into()),
            Err(InventoryError::Fault(fault)) => return Err(fault.into()),
            Err(InventoryError::Unloaded) => rebuild(platform, scope).await?,
        }
    }
    Err(Refusal::try_again(1, "The event is being loaded. Try again in a moment.").into())
}

/// Loads the event from cold, unless another task or node has done so meanwhile.
async fn rebuild(platform: &Platform, scope: EventScope) -> Result<()> {
    let rebuilds = platform.rebuilds.of(scope);
    let Ok(_guard) = rebuilds.try_lock() else {
        // Whoever has it loads the event for all who wait here.
        drop(rebuilds.lock().await);
        return Ok(());
    };
    let lease = platform.environment.uuid();
    let mut moved = platform.inventory.subscribe();
    while let Lease::Taken { free_in } = platform.inventory.lease_rebuild(scope, lease, LEASE_LASTS).await? {
        tokio::select! {
            () = signalled(&mut moved, scope) => {}
            () = sleep(free_in.min(LOOK_INTERVAL)) => {}
        }
        if is_loaded(platform, scope).await {
            return Ok(());
        }
    }
    if is_loaded(platform, scope).await {
        return Ok(());
    }
    let position = install(platform, scope, lease).await?;
    tracing::info!(
        organization = %scope.organization, event = %scope.event, %position, slice = "ticketing",
        "loaded the event into the warm tier"
    );
    Ok(())
}

/// Waits for a signal of the event; for ever where the store sends none.
async fn signalled(moved: &mut Receiver<Moved>, scope: EventScope) {
    loop {
        match moved.recv().await {
            Ok(signal) if signal.scope == scope => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// Asks the smallest question there is. What is not known to be unloaded is left to the call itself.
async fn is_loaded(platform: &Platform, scope: EventScope) -> bool {
    let nobody = TicketId::from_uuid(Uuid::nil());
    !matches!(platform.inventory.gate_filter(scope, nobody).await, Err(InventoryError::Unloaded))
}

async fn install(platform: &Platform, scope: EventScope, lease: Uuid) -> Result<Position> {
    let listing = platform.listings.listing(scope).await?;
    let epoch = platform.places.raise_epoch(scope.organization, scope.event).await?;
    let cold = platform.places.read_inventory(scope.organization, scope.event).await?;
    let install =
        Install { epoch, areas: spans(&listing), places: cold.places, revoked: cold.revoked, admitted: cold.admitted };
    match platform.inventory.install(scope, lease, install).await {
        Ok(position) => Ok(position),
        // Another node installed a higher epoch in between, or the lease ran out: the call finds out.
        Err(InventoryError::Unloaded) => Ok(Position { epoch, seq: 0 }),
        Err(InventoryError::Refused(refusal)) => Err(Error::Refused(refusal)),
        Err(InventoryError::Fault(fault)) => Err(Error::Fault(fault)),
    }
}
