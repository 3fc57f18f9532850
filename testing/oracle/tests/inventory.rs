//! Compares the domain's inventory with the model for random commands: every reply, every snapshot, every entry of the change log.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use uuid::Uuid;
use voelgoed_domain::ids::{OrderId, SessionId};
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::inventory::{CatchUp, Inventory};
use voelgoed_domain::ticketing::place::{PlaceEffect, PlaceState, PlaceVersion};
use voelgoed_domain::ticketing::place_number::PlaceNumber;
use voelgoed_domain::time::Timestamp;
use voelgoed_oracle::inventory::{
    GeneratorConfig, InventoryCommand, InventoryModel, InventoryOutcome, InventoryReply, comparable_outcome,
    timed_commands,
};

const START: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// Executes a command on the domain's inventory.
fn run(inventory: &mut Inventory, command: InventoryCommand, now: Timestamp) -> InventoryOutcome {
    match command {
        InventoryCommand::Install(install) => Ok(match Inventory::install(Some(inventory), install, now) {
            Ok(next) => {
                *inventory = next;
                InventoryReply::Position(inventory.position())
            }
            Err(_) => InventoryReply::Unloaded,
        }),
        InventoryCommand::Hold(request) => comparable_outcome(inventory.hold(request, now), InventoryReply::Hold),
        InventoryCommand::Change(request) => {
            comparable_outcome(inventory.change_hold(request, now), InventoryReply::Hold)
        }
        InventoryCommand::Read(hold) => comparable_outcome(inventory.read_hold(hold, now), InventoryReply::Hold),
        InventoryCommand::Release(hold) => comparable_outcome(inventory.release(hold, now), |()| InventoryReply::Done),
        InventoryCommand::Pin(hold) => comparable_outcome(inventory.pin(hold, now), InventoryReply::Hold),
        InventoryCommand::Unpin(hold) => {
            inventory.unpin(hold, now);
            Ok(InventoryReply::Done)
        }
        InventoryCommand::Apply { claimed_by, effects } => {
            Ok(InventoryReply::Position(inventory.apply(claimed_by, &effects, now)))
        }
        InventoryCommand::FreeExpired(limit) => Ok(InventoryReply::Count(inventory.free_expired_holds(limit, now))),
        InventoryCommand::HeldBy(session) => Ok(InventoryReply::Count(inventory.held_by(session, now) as usize)),
        InventoryCommand::Admitted(ticket) => {
            inventory.mark_admitted(ticket);
            Ok(InventoryReply::Done)
        }
        InventoryCommand::Revoked(tickets) => {
            inventory.mark_revoked(&tickets);
            Ok(InventoryReply::Done)
        }
        InventoryCommand::Filter(ticket) => Ok(InventoryReply::Filter(inventory.gate_filter(ticket))),
    }
}

fn compare(config: GeneratorConfig, steps: Vec<(i64, InventoryCommand)>) -> TestCaseResult {
    let mut model = InventoryModel::new(config.install(1), START);
    let mut inventory = Inventory::install(None, config.install(1), START).unwrap();
    let mut now = START;
    for (wait, command) in steps {
        now = Timestamp::from_micros(now.micros() + wait * 1000);
        let before = model.snapshot();
        let expected = model.execute(command.clone(), now);
        let answer = run(&mut inventory, command.clone(), now);
        prop_assert_eq!(&answer, &expected, "{:?}", &command);
        let after = model.snapshot();
        prop_assert_eq!(&inventory.snapshot(), &after, "{:?}", &command);
        for (span, counts) in after.areas.iter().zip(&after.counts) {
            prop_assert_eq!(counts.total(), span.places.end - span.places.start);
        }
        match inventory.changes_since(before.position) {
            CatchUp::Snapshot(snapshot) => {
                prop_assert!(after.position.epoch > before.position.epoch, "only a new epoch needs a snapshot here");
                prop_assert_eq!(snapshot, after);
            }
            CatchUp::Changes(changes) => {
                prop_assert_eq!(changes.len() as u64, after.position.seq - before.position.seq);
                let logged: Vec<_> = changes.into_iter().flat_map(|change| change.places).collect();
                let states = before.places.iter().zip(&after.places).enumerate();
                let changed: Vec<_> = states
                    .filter(|(_, (was, is))| was != is)
                    .map(|(place, (_, is))| (PlaceNumber(u32::try_from(place).unwrap()), *is))
                    .collect();
                prop_assert_eq!(logged, changed);
            }
        }
    }
    Ok(())
}

/// The effects of an order's places in cold: claimed, then sold or freed.
fn order_effects(hold: u32, paid: bool) -> Vec<(bool, Vec<PlaceEffect>)> {
    let effects = |state, version| {
        let places = [2 * hold, 2 * hold + 1];
        places
            .map(|place| PlaceEffect { place: PlaceNumber(place), state, owner: None, version: PlaceVersion(version) })
            .to_vec()
    };
    let end = if paid { PlaceState::Sold } else { PlaceState::Free };
    vec![(true, effects(PlaceState::Claimed, 1)), (false, effects(end, 2))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn inventory_matches_the_model(steps in timed_commands(GeneratorConfig::contended(START), 120)) {
        compare(GeneratorConfig::contended(START), steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn inventory_matches_the_model_with_more_expired_holds_than_a_step_frees(steps in timed_commands(GeneratorConfig::many_holds(START), 700)) {
        compare(GeneratorConfig::many_holds(START), steps)?;
    }

    /// Effects may arrive twice, late or in another order.
    #[test]
    fn effects_in_any_order_leave_the_same_places(
        paid in proptest::collection::vec(any::<bool>(), 4),
        order in Just((0..16_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let config = GeneratorConfig::contended(START);
        let mut in_order = Inventory::install(None, config.install(1), START).unwrap();
        let mut deliveries = vec![];
        for (number, paid) in (0..4_u8).zip(&paid) {
            let hold = config.hold(number);
            let request = HoldRequest {
                expected_version: 1,
                address: None,
                places_per_address: u32::MAX,
                hold,
                session: SessionId::from_uuid(Uuid::from_u128(u128::from(number))),
                picks: [0, 1].map(|seat| Pick::Place(PlaceNumber(2 * u32::from(number) + seat))).to_vec(),
                terms: String::new(),
                lasts_millis: 600_000,
                places_per_session: 2,
            };
            in_order.hold(request, START).unwrap();
            in_order.pin(hold, START).unwrap();
            let by = (hold, OrderId::from_uuid(Uuid::from_u128(u128::from(number))));
            deliveries.extend(order_effects(u32::from(number), *paid).into_iter().map(|(claims, effects)| (claims.then_some(by), effects)));
        }
        let mut shuffled = in_order.clone();
        for (by, effects) in &deliveries {
            in_order.apply(*by, effects, START);
        }
        for index in order {
            let (by, effects) = &deliveries[index % deliveries.len()];
            shuffled.apply(*by, effects, START);
        }
        prop_assert_eq!(shuffled.snapshot().places, in_order.snapshot().places);
        let held = in_order.snapshot().counts.iter().map(|counts| counts.held).sum::<u32>();
        prop_assert_eq!(held, 0, "places with a decision of cold have no hold");
    }
}
