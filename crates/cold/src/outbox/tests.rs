//! Tests the stored format of outbox events and their order within a commit; `testing/contracts` has the suite of the port.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::outbox::event::{OutboxEvent, OutboxRow};
use voelgoed_app::outbox::ports::OutboxStore;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{ApiKeyId, DeviceId, EventId, HoldId, OrderId, OrganizationId, TicketId};
use voelgoed_domain::ticketing::place::{PlaceEffect, PlaceState, PlaceVersion};
use voelgoed_domain::ticketing::place_number::PlaceNumber;

use super::{append, event_body};
use crate::db::Value;
use crate::testing::{CountingEnvironment, NOW, TempDir};
use crate::{Cold, ColdConfig};

fn events() -> Vec<OutboxEvent> {
    let id = Uuid::from_u128;
    let event = EventId::from_uuid(id(1));
    let (hold, order) = (HoldId::from_uuid(id(2)), OrderId::from_uuid(id(3)));
    let effect =
        |place, state| PlaceEffect { place: PlaceNumber(place), state, owner: Some(id(3)), version: PlaceVersion(7) };
    vec![
        OutboxEvent::PlacesChanged {
            event,
            claimed_by: Some((hold, order)),
            effects: vec![effect(1, PlaceState::Claimed)],
        },
        OutboxEvent::PlacesChanged {
            event,
            claimed_by: None,
            effects: vec![effect(1, PlaceState::Sold), effect(2, PlaceState::Sold)],
        },
        OutboxEvent::OrderChanged { event, order, state: OrderState::Paid },
        OutboxEvent::TicketAdmitted { event, ticket: TicketId::from_uuid(id(4)) },
        OutboxEvent::TicketsRevoked { event, tickets: vec![TicketId::from_uuid(id(4)), TicketId::from_uuid(id(5))] },
        OutboxEvent::ListingChanged { event },
        OutboxEvent::CredentialRevoked { revoked: RevokedCredential::ApiKey(ApiKeyId::from_uuid(id(6))) },
        OutboxEvent::CredentialRevoked { revoked: RevokedCredential::Device(DeviceId::from_uuid(id(7))) },
    ]
}

#[test]
fn every_event_is_decoded_as_written_and_a_newer_format_is_refused() {
    for event in events() {
        let Value::Json(Some(text)) = event_body::write(&event).unwrap() else { panic!("not JSON") };
        assert_eq!(event_body::read(&text).unwrap(), event, "{text}");
        let newer = text.replacen("\"v\":1", "\"v\":2", 1);
        assert!(event_body::read(&newer).unwrap_err().to_string().contains("version 2"), "{newer}");
    }
}

#[tokio::test]
async fn events_of_one_commit_are_taken_in_the_order_of_their_append() {
    let directory = TempDir::new();
    let cold =
        Cold::open(ColdConfig::embedded(directory.path()), Arc::new(CountingEnvironment::default())).await.unwrap();
    let organization = OrganizationId::from_uuid(Uuid::from_u128(1));
    // Identifiers decrease while versions increase, so that a test by identifier would fail.
    let row = |version: u32, part: usize, event| {
        let id = Uuid::from_u128(1_000 - u128::from(version) * 100 - part as u128);
        OutboxRow { id, organization, aggregate: Uuid::from_u128(9), version, outbox_event: event, at: NOW }
    };
    let mut expected = Vec::new();
    for version in 1..=2 {
        let rows: Vec<_> = events().into_iter().enumerate().map(|(part, event)| row(version, part, event)).collect();
        let mut tx = cold.db.begin(organization).await.unwrap();
        append(&mut tx, &rows).await.unwrap();
        tx.commit().await.unwrap();
        expected.extend(rows);
    }
    assert_eq!(cold.take(500, NOW, Duration::from_secs(1)).await.unwrap().rows, expected);
}

#[tokio::test]
async fn events_of_a_dropped_transaction_are_not_written() {
    let directory = TempDir::new();
    let cold =
        Cold::open(ColdConfig::embedded(directory.path()), Arc::new(CountingEnvironment::default())).await.unwrap();
    let organization = OrganizationId::from_uuid(Uuid::from_u128(1));
    let event = events().remove(0);
    let mut tx = cold.db.begin(organization).await.unwrap();
    let row = OutboxRow {
        id: Uuid::from_u128(1),
        organization,
        aggregate: Uuid::from_u128(9),
        version: 1,
        outbox_event: event,
        at: NOW,
    };
    append(&mut tx, &[row]).await.unwrap();
    drop(tx);
    assert_eq!(cold.pending(NOW).await.unwrap(), (0, 0));
}
