//! Moves events of a demo that are over or near to later dates, so that a demo can always sell and scan; ids, gate and device stay.
//!
//! Never: an event of an organization that the demo did not make.

use std::convert::Infallible;
use std::time::Duration;

use voelgoed_app::slices::Slices;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::catalog::event::{EventChange, SaleWindow};

use super::command_results::into_anyhow;
use super::seed_demo::{DAYS_AHEAD, Seeded, start};

/// An event that begins sooner is moved.
const RENEW_BEFORE_START: Duration = Duration::from_secs(6 * 3600);
/// Between checks of a running demo.
const RENEW_INTERVAL: Duration = Duration::from_secs(1800);

/// Moves events that are over or near; returns the number of moved events.
///
/// # Errors
/// If an event cannot be read or moved.
pub async fn renew(slices: &Slices, seeded: &Seeded) -> anyhow::Result<usize> {
    let mut moved = 0;
    for (event, days_ahead) in seeded.events.iter().zip(DAYS_AHEAD) {
        let scope = EventScope { organization: seeded.organization, event: event.id };
        let now = slices.context.now();
        let found = slices.catalog.listings.listing(scope).await.map_err(into_anyhow)?.event.clone();
        if now.plus(RENEW_BEFORE_START) < found.starts_at.min(found.sale.closes_at) {
            continue;
        }
        let starts_at = start(now, days_ahead);
        let sale = SaleWindow { opens_at: found.sale.opens_at.min(now), closes_at: starts_at };
        let change = EventChange { starts_at: Some(starts_at), sale: Some(sale), ..EventChange::default() };
        slices.catalog.change_event(scope, change).await.map_err(into_anyhow)?;
        moved += 1;
    }
    if moved > 0 {
        tracing::info!(moved, "events of the demo were over; they have new dates");
    }
    Ok(moved)
}

/// Renews the events while the demo runs.
pub async fn keep_renewed(slices: &Slices, seeded: &Seeded) -> Infallible {
    loop {
        tokio::time::sleep(RENEW_INTERVAL).await;
        if let Err(error) = renew(slices, seeded).await {
            tracing::warn!(%error, "the demo's events keep their dates");
        }
    }
}
