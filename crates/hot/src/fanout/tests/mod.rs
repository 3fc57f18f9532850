//! Checks the fan-out in virtual time with one or two nodes on a warm tier in memory.

mod client_map;
mod frames;
mod interruptible_warm;
mod lifecycle;
mod reconnects;

use std::future::{Future, pending};

use futures::{FutureExt, StreamExt};
use serde_json::Value;
use uuid::Uuid;
use voelgoed_app::ticketing::ports::InventoryError;
use voelgoed_app::ticketing::seat_view::SeatView;
use voelgoed_domain::ids::EventId;
use voelgoed_domain::ticketing::place::{DisplayState, Epoch, PlaceState};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use self::client_map::{ClientMap, Frames};
use self::interruptible_warm::{InterruptibleWarm, hold_id, scope};
use super::*;
use crate::manual_clock::ManualClock;

async fn watch(node: &Fanout, since: Option<Position>) -> Frames {
    Box::pin(node.subscribe(scope(), since).await.unwrap())
}

/// Runs nodes until the test ends.
async fn with_running<T>(nodes: &[&Fanout], test: impl Future<Output = T>) -> T {
    let running = futures::future::join_all(nodes.iter().map(|node| node.run(pending())));
    tokio::select! {
        outcome = test => outcome,
        _ = running => unreachable!("nodes run until they are stopped"),
    }
}
