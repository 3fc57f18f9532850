//! What cold decided reaches warm, loaded or not (P1, P4, P8).

use std::time::Duration;

use voelgoed_app::environment::Environment as _;
use voelgoed_app::outbox::consumer::OutboxConsumer as _;
use voelgoed_app::outbox::consumers::Warm;
use voelgoed_app::outbox::event::OutboxEvent;
use voelgoed_app::ticketing::ports::Block;
use voelgoed_domain::ticketing::place::{PlaceNumber, Shown};

use crate::bench::Bench;

#[tokio::test]
async fn an_effect_is_taken_note_of_once_warm_shows_it() {
    let bench = Bench::open().await;
    let block = Block { id: bench.environment.uuid(), places: vec![PlaceNumber(3)], reason: "for the band".into() };
    bench.platform.places.block(bench.scope.organization, bench.scope.event, block, None).await.unwrap().unwrap();
    assert!(bench.platform.inventory.snapshot(bench.scope).await.is_err(), "nobody has loaded the event");
    let lease = Duration::from_secs(60);
    let rows = bench.platform.outbox.take(100, bench.environment.now(), lease).await.unwrap().rows;
    let row = rows.iter().find(|row| matches!(row.fact, OutboxEvent::PlacesChanged { .. })).unwrap();
    let reader = Warm(bench.platform.clone());
    for _ in 0..2 {
        reader.read(row).await.unwrap();
        let shown = bench.platform.inventory.snapshot(bench.scope).await.unwrap().places;
        assert_eq!((shown[3], shown[2]), (Shown::Blocked, Shown::Free), "a redelivery changes nothing");
    }
}
