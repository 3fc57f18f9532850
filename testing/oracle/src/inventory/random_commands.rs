//! Generates random commands over few holds, sessions and places, so that commands often conflict.

use std::net::IpAddr;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;
use voelgoed_domain::ids::{AreaId, HoldId, OrderId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::inventory::{AreaSpan, Install};
use voelgoed_domain::ticketing::place::{Epoch, PlaceEffect, PlaceState, PlaceVersion};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;

use super::InventoryCommand;

/// The number of places, holds and sessions that random commands choose from.
#[derive(Debug, Clone, Copy)]
pub struct GeneratorConfig {
    /// Numbered seats; they are the first places.
    pub seats: u32,
    /// Places of a general-admission area behind them.
    pub area_places: u32,
    /// Distinct hold ids.
    pub holds: u8,
    /// Distinct sessions.
    pub sessions: u8,
    /// The start of the test; the timestamps in hold ids are near it.
    pub start: Timestamp,
}

impl GeneratorConfig {
    /// Few holds and sessions that compete for few places.
    #[must_use]
    pub const fn contended(start: Timestamp) -> Self {
        Self { seats: 8, area_places: 70, holds: 8, sessions: 3, start }
    }

    /// More holds than one step frees.
    #[must_use]
    pub const fn many_holds(start: Timestamp) -> Self {
        Self { seats: 20, area_places: 400, holds: 250, sessions: 8, start }
    }

    /// All places.
    #[must_use]
    pub const fn places(&self) -> u32 {
        self.seats + self.area_places
    }

    /// The first installation: nothing sold.
    #[must_use]
    pub fn install(&self, epoch: u64) -> Install {
        let span =
            |id, places: Range<u32>, seated| AreaSpan { area: AreaId::from_uuid(Uuid::from_u128(id)), places, seated };
        Install {
            epoch: Epoch(epoch),
            areas: vec![span(1, 0..self.seats, true), span(2, self.seats..self.places(), false)],
            places: vec![],
            revoked: vec![],
            admitted: vec![],
        }
    }

    /// A hold id (UUID version 7) with a timestamp at the start, long before it, or after it.
    #[must_use]
    pub fn hold(&self, number: u8) -> HoldId {
        let minutes = [0, -30, -90, 5][usize::from(number % 4)];
        let millis = u64::try_from(self.start.millis() + minutes * 60_000).unwrap_or(0);
        HoldId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &[number; 10]).into_uuid())
    }

    fn any_hold(self) -> impl Strategy<Value = HoldId> {
        (0..self.holds).prop_map(move |number| self.hold(number))
    }

    fn any_pick(self) -> impl Strategy<Value = Pick> {
        let any_place = 0..self.places() + 2;
        prop_oneof![
            4 => any_place.clone().prop_map(|place| Pick::Place(PlaceNumber(place))),
            3 => (1..4_u32).prop_map(move |quantity| Pick::Any { range: self.seats..self.places(), quantity }),
            1 => (any_place.clone(), any_place, 0..60_u32)
                .prop_map(|(start, end, quantity)| Pick::Any { range: start..end, quantity }),
        ]
    }

    fn any_request(self) -> impl Strategy<Value = HoldRequest> {
        let lasts = select(vec![0, 1000, 60_000, 600_000, 3_600_000, 3_600_001]);
        let places_per_session = select(vec![3_u32, 10, 120]);
        // Few holds are changed more than twice.
        let version = select(vec![1_u32, 1, 1, 2, 2, 3]);
        let addresses = select(vec![
            None,
            Some(IpAddr::from([10, 0, 0, 1])),
            Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, 0])),
        ]);
        let per_address = (addresses, select(vec![4_u32, 60, u32::MAX]));
        (
            self.any_hold(),
            0..self.sessions,
            vec(self.any_pick(), 0..4),
            lasts,
            places_per_session,
            0..3_u8,
            version,
            per_address,
        )
            .prop_map(
                |(
                    hold,
                    session,
                    picks,
                    lasts_millis,
                    places_per_session,
                    terms,
                    expected_version,
                    (address, places_per_address),
                )| HoldRequest {
                    hold,
                    session: session_id(session),
                    picks,
                    terms: format!("terms {terms}"),
                    lasts_millis,
                    places_per_session,
                    expected_version,
                    address,
                    places_per_address,
                },
            )
    }

    fn any_effect(self) -> impl Strategy<Value = PlaceEffect> {
        let states = vec![PlaceState::Free, PlaceState::Blocked, PlaceState::Claimed, PlaceState::Sold];
        (0..self.places() + 2, select(states), 0..6_u32).prop_map(|(place, state, version)| PlaceEffect {
            place: PlaceNumber(place),
            state,
            owner: None,
            version: PlaceVersion(version),
        })
    }

    fn any_install(self) -> impl Strategy<Value = Install> {
        let rows = vec(
            self.any_effect()
                .prop_map(move |row| PlaceEffect { place: PlaceNumber(row.place.0 % self.places()), ..row }),
            0..8,
        );
        (1..12_u64, rows, vec(any_ticket(), 0..2), vec(any_ticket(), 0..2), any::<bool>()).prop_map(
            move |(epoch, places, revoked, admitted, other_plan)| {
                let mut install = Install { places, revoked, admitted, ..self.install(epoch) };
                if other_plan && epoch % 5 == 0 {
                    install.areas[0].seated = false;
                }
                install
            },
        )
    }
}

fn session_id(number: u8) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(u128::from(number)))
}

fn any_ticket() -> impl Strategy<Value = TicketId> {
    (0..4_u128).prop_map(|number| TicketId::from_uuid(Uuid::from_u128(number)))
}

/// One random command.
pub fn random_command(config: GeneratorConfig) -> impl Strategy<Value = InventoryCommand> {
    let claim = (config.any_hold(), (0..5_u128).prop_map(|order| OrderId::from_uuid(Uuid::from_u128(order))));
    let claimed_by = prop_oneof![Just(None), claim.prop_map(Some)];
    let effects = vec(config.any_effect(), 0..5);
    prop_oneof![
        10 => config.any_request().prop_map(InventoryCommand::Hold),
        4 => config.any_request().prop_map(InventoryCommand::Change),
        2 => config.any_hold().prop_map(InventoryCommand::Read),
        3 => config.any_hold().prop_map(InventoryCommand::Release),
        4 => config.any_hold().prop_map(InventoryCommand::Pin),
        1 => config.any_hold().prop_map(InventoryCommand::Unpin),
        5 => (claimed_by, effects).prop_map(|(claimed_by, effects)| InventoryCommand::Apply { claimed_by, effects }),
        1 => (0..150_usize).prop_map(InventoryCommand::FreeExpired),
        1 => (0..config.sessions).prop_map(|session| InventoryCommand::HeldBy(session_id(session))),
        1 => config.any_install().prop_map(InventoryCommand::Install),
        1 => any_ticket().prop_map(InventoryCommand::Admitted),
        1 => vec(any_ticket(), 0..3).prop_map(InventoryCommand::Revoked),
        1 => any_ticket().prop_map(InventoryCommand::Filter),
    ]
}

/// Commands, each with the milliseconds since the previous one; the clock sometimes goes back.
pub fn timed_commands(
    config: GeneratorConfig,
    commands_max: usize,
) -> impl Strategy<Value = Vec<(i64, InventoryCommand)>> {
    let wait = prop_oneof![
        12 => Just(0_i64),
        3 => 0..5_000_i64,
        2 => select(vec![-10_000_i64, 59_999, 60_000, 60_001, 600_000]),
    ];
    vec((wait, random_command(config)), 1..commands_max)
}
