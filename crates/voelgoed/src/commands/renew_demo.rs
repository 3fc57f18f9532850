//! Moves the events of a demo whose dates are over or near to dates ahead, so that a newcomer can always buy and scan; ids, gate and device stay.
//!
//! Never: an event of an organization that the demo did not make.

use std::convert::Infallible;
use std::time::Duration;

use voelgoed_app::catalog::change_event::change_event;
use voelgoed_app::platform::Platform;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::catalog::event::{EventChange, SaleWindow};

use super::organizer::refused;
use super::seed::{DAYS_AHEAD, Seeded, start};

/// An event that begins sooner than this is moved.
const RENEW_BEFORE_START: Duration = Duration::from_secs(6 * 3600);
/// A demo that goes on is looked at again this often.
const RENEW_INTERVAL: Duration = Duration::from_secs(1800);

/// Moves what is over or soon over; returns how many events were moved.
///
/// # Errors
/// Where an event cannot be read or moved.
pub async fn renew(platform: &Platform, seeded: &Seeded) -> anyhow::Result<usize> {
    let mut moved = 0;
    for (event, days_ahead) in seeded.events.iter().zip(DAYS_AHEAD) {
        let scope = EventScope { organization: seeded.organization, event: event.id };
        let now = platform.environment.now();
        let found = platform.listings.listing(scope).await.map_err(refused)?.event.clone();
        if now.plus(RENEW_BEFORE_START) < found.starts_at.min(found.sale.closes_at) {
            continue;
        }
        let starts_at = start(now, days_ahead);
        let sale = SaleWindow { opens_at: found.sale.opens_at.min(now), closes_at: starts_at };
        let change = EventChange { starts_at: Some(starts_at), sale: Some(sale), ..EventChange::default() };
        change_event(platform, scope, change).await.map_err(refused)?;
        moved += 1;
    }
    if moved > 0 {
        tracing::info!(moved, "events of the demo were over; they have new dates");
    }
    Ok(moved)
}

/// Looks after the events as long as the demo runs.
pub async fn keep_renewed(platform: &Platform, seeded: &Seeded) -> Infallible {
    loop {
        tokio::time::sleep(RENEW_INTERVAL).await;
        if let Err(error) = renew(platform, seeded).await {
            tracing::warn!(%error, "the demo's events keep their dates");
        }
    }
}
