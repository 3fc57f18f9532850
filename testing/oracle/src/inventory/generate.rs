//! Random commands in a small world, where everything collides with everything.

use std::net::IpAddr;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;
use voelgoed_domain::ids::{AreaId, HoldId, OrderId, SessionId, TicketId};
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::inventory::{AreaSpan, Install};
use voelgoed_domain::ticketing::place::{Epoch, PlaceEffect, PlaceNumber, PlaceState, PlaceVersion};
use voelgoed_domain::time::Timestamp;

use super::Command;

/// How much there is of everything.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// Numbered seats, the first places.
    pub seats: u32,
    /// Places of a general-admission area behind them.
    pub floor: u32,
    /// Different holds.
    pub holds: u8,
    /// Different sessions.
    pub sessions: u8,
    /// When it begins; holds are minted about then.
    pub begins: Timestamp,
}

impl World {
    /// A world in which everybody is in everybody's way.
    #[must_use]
    pub const fn narrow(begins: Timestamp) -> Self {
        Self { seats: 8, floor: 70, holds: 8, sessions: 3, begins }
    }

    /// A world with so many holds that no step sweeps them all.
    #[must_use]
    pub const fn crowded(begins: Timestamp) -> Self {
        Self { seats: 20, floor: 400, holds: 250, sessions: 8, begins }
    }

    /// All places.
    #[must_use]
    pub const fn places(&self) -> u32 {
        self.seats + self.floor
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

    /// A hold's id: version 7, minted around the beginning, some long before it, some after.
    #[must_use]
    pub fn hold(&self, number: u8) -> HoldId {
        let minutes = [0, -30, -90, 5][usize::from(number % 4)];
        let millis = u64::try_from(self.begins.millis() + minutes * 60_000).unwrap_or(0);
        HoldId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &[number; 10]).into_uuid())
    }

    fn any_hold(self) -> impl Strategy<Value = HoldId> {
        (0..self.holds).prop_map(move |number| self.hold(number))
    }

    fn any_pick(self) -> impl Strategy<Value = Pick> {
        let everywhere = 0..self.places() + 2;
        prop_oneof![
            4 => everywhere.clone().prop_map(|place| Pick::Place(PlaceNumber(place))),
            3 => (1..4_u32).prop_map(move |quantity| Pick::Any { range: self.seats..self.places(), quantity }),
            1 => (everywhere.clone(), everywhere, 0..60_u32)
                .prop_map(|(start, end, quantity)| Pick::Any { range: start..end, quantity }),
        ]
    }

    fn any_request(self) -> impl Strategy<Value = HoldRequest> {
        let lasts = select(vec![0, 1000, 60_000, 600_000, 3_600_000, 3_600_001]);
        let most = select(vec![3_u32, 10, 120]);
        // Few holds are changed often.
        let version = select(vec![1_u32, 1, 1, 2, 2, 3]);
        let addresses = select(vec![
            None,
            Some(IpAddr::from([10, 0, 0, 1])),
            Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, 0])),
        ]);
        let per_address = (addresses, select(vec![4_u32, 60, u32::MAX]));
        (self.any_hold(), 0..self.sessions, vec(self.any_pick(), 0..4), lasts, most, 0..3_u8, version, per_address)
            .prop_map(
                |(
                    hold,
                    session,
                    picks,
                    lasts_millis,
                    places_per_session,
                    terms,
                    of_version,
                    (address, places_per_address),
                )| HoldRequest {
                    hold,
                    session: session_id(session),
                    picks,
                    terms: format!("terms {terms}"),
                    lasts_millis,
                    places_per_session,
                    of_version,
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
pub fn commands(world: World) -> impl Strategy<Value = Command> {
    let claim = (world.any_hold(), (0..5_u128).prop_map(|order| OrderId::from_uuid(Uuid::from_u128(order))));
    let claimed_by = prop_oneof![Just(None), claim.prop_map(Some)];
    let effects = vec(world.any_effect(), 0..5);
    prop_oneof![
        10 => world.any_request().prop_map(Command::Hold),
        4 => world.any_request().prop_map(Command::Change),
        2 => world.any_hold().prop_map(Command::Read),
        3 => world.any_hold().prop_map(Command::Release),
        4 => world.any_hold().prop_map(Command::Pin),
        1 => world.any_hold().prop_map(Command::Unpin),
        5 => (claimed_by, effects).prop_map(|(claimed_by, effects)| Command::Apply { claimed_by, effects }),
        1 => (0..150_usize).prop_map(Command::Sweep),
        1 => (0..world.sessions).prop_map(|session| Command::HeldBy(session_id(session))),
        1 => world.any_install().prop_map(Command::Install),
        1 => any_ticket().prop_map(Command::Admitted),
        1 => vec(any_ticket(), 0..3).prop_map(Command::Revoked),
        1 => any_ticket().prop_map(Command::Filter),
    ]
}

/// Commands, each with the milliseconds since the one before; now and then the clock goes back.
pub fn steps(world: World, most: usize) -> impl Strategy<Value = Vec<(i64, Command)>> {
    let wait = prop_oneof![
        12 => Just(0_i64),
        3 => 0..5_000_i64,
        2 => select(vec![-10_000_i64, 59_999, 60_000, 60_001, 600_000]),
    ];
    vec((wait, commands(world)), 1..most)
}
