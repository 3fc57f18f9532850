//! The domain's inventory against the model: every answer, every look, every entry of the log, for random commands.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use uuid::Uuid;
use voelgoed_domain::ids::{OrderId, SessionId};
use voelgoed_domain::ticketing::hold::{HoldRequest, Pick};
use voelgoed_domain::ticketing::inventory::{CatchUp, Inventory};
use voelgoed_domain::ticketing::place::{PlaceEffect, PlaceNumber, PlaceState, PlaceVersion};
use voelgoed_domain::time::Timestamp;
use voelgoed_oracle::inventory::{Command, Model, Told, Verdict, World, steps, verdict};

const BEGINS: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// Runs a command on the real machine and makes its answer comparable.
fn run(inventory: &mut Inventory, command: Command, now: Timestamp) -> Verdict {
    match command {
        Command::Install(install) => Ok(match Inventory::install(Some(inventory), install, now) {
            Ok(next) => {
                *inventory = next;
                Told::Position(inventory.position())
            }
            Err(_) => Told::Unloaded,
        }),
        Command::Hold(request) => verdict(inventory.hold(request, now), Told::Hold),
        Command::Change(request) => verdict(inventory.change_hold(request, now), Told::Hold),
        Command::Read(hold) => verdict(inventory.read_hold(hold, now), Told::Hold),
        Command::Release(hold) => verdict(inventory.release(hold, now), |()| Told::Done),
        Command::Pin(hold) => verdict(inventory.pin(hold, now), Told::Hold),
        Command::Unpin(hold) => {
            inventory.unpin(hold, now);
            Ok(Told::Done)
        }
        Command::Apply { claimed_by, effects } => Ok(Told::Position(inventory.apply(claimed_by, &effects, now))),
        Command::Sweep(most) => Ok(Told::Count(inventory.sweep(most, now))),
        Command::HeldBy(session) => Ok(Told::Count(inventory.held_by(session, now) as usize)),
        Command::Admitted(ticket) => {
            inventory.mark_admitted(ticket);
            Ok(Told::Done)
        }
        Command::Revoked(tickets) => {
            inventory.mark_revoked(&tickets);
            Ok(Told::Done)
        }
        Command::Filter(ticket) => Ok(Told::Filter(inventory.gate_filter(ticket))),
    }
}

fn compare(world: World, steps: Vec<(i64, Command)>) -> TestCaseResult {
    let mut model = Model::new(world.install(1), BEGINS);
    let mut inventory = Inventory::install(None, world.install(1), BEGINS).unwrap();
    let mut now = BEGINS;
    for (wait, command) in steps {
        now = Timestamp::from_micros(now.micros() + wait * 1000);
        let before = model.snapshot();
        let expected = model.decide(command.clone(), now);
        let answer = run(&mut inventory, command.clone(), now);
        prop_assert_eq!(&answer, &expected, "{:?}", &command);
        let after = model.snapshot();
        prop_assert_eq!(&inventory.snapshot(), &after, "{:?}", &command);
        for (span, counts) in after.areas.iter().zip(&after.counts) {
            prop_assert_eq!(counts.total(), span.places.end - span.places.start);
        }
        match inventory.changes_since(before.position) {
            CatchUp::Snapshot(snapshot) => {
                prop_assert!(after.position.epoch > before.position.epoch, "only a new epoch starts anew here");
                prop_assert_eq!(snapshot, after);
            }
            CatchUp::Changes(changes) => {
                prop_assert_eq!(changes.len() as u64, after.position.seq - before.position.seq);
                let told: Vec<_> = changes.into_iter().flat_map(|change| change.places).collect();
                let looks = before.places.iter().zip(&after.places).enumerate();
                let changed: Vec<_> = looks
                    .filter(|(_, (was, is))| was != is)
                    .map(|(place, (_, is))| (PlaceNumber(u32::try_from(place).unwrap()), *is))
                    .collect();
                prop_assert_eq!(told, changed);
            }
        }
    }
    Ok(())
}

/// What became of an order in cold, as the effects that its places went through.
fn fate(hold: u32, paid: bool) -> Vec<(bool, Vec<PlaceEffect>)> {
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
    fn the_machine_answers_as_the_model(steps in steps(World::narrow(BEGINS), 120)) {
        compare(World::narrow(BEGINS), steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn it_does_so_where_sweeps_never_end(steps in steps(World::crowded(BEGINS), 700)) {
        compare(World::crowded(BEGINS), steps)?;
    }

    /// Effects that come twice, late or the wrong way round leave what they leave in order.
    #[test]
    fn the_order_of_effects_does_not_matter(
        paid in proptest::collection::vec(any::<bool>(), 4),
        order in Just((0..16_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let world = World::narrow(BEGINS);
        let mut straight = Inventory::install(None, world.install(1), BEGINS).unwrap();
        let mut deliveries = vec![];
        for (number, paid) in (0..4_u8).zip(&paid) {
            let hold = world.hold(number);
            let request = HoldRequest {
                of_version: 1,
                address: None,
                places_per_address: u32::MAX,
                hold,
                session: SessionId::from_uuid(Uuid::from_u128(u128::from(number))),
                picks: [0, 1].map(|seat| Pick::Place(PlaceNumber(2 * u32::from(number) + seat))).to_vec(),
                terms: String::new(),
                lasts_millis: 600_000,
                places_per_session: 2,
            };
            straight.hold(request, BEGINS).unwrap();
            straight.pin(hold, BEGINS).unwrap();
            let by = (hold, OrderId::from_uuid(Uuid::from_u128(u128::from(number))));
            deliveries.extend(fate(u32::from(number), *paid).into_iter().map(|(claims, effects)| (claims.then_some(by), effects)));
        }
        let mut shuffled = straight.clone();
        for (by, effects) in &deliveries {
            straight.apply(*by, effects, BEGINS);
        }
        for index in order {
            let (by, effects) = &deliveries[index % deliveries.len()];
            shuffled.apply(*by, effects, BEGINS);
        }
        prop_assert_eq!(shuffled.snapshot().places, straight.snapshot().places);
        let held = straight.snapshot().counts.iter().map(|counts| counts.held).sum::<u32>();
        prop_assert_eq!(held, 0, "what was decided is held by nobody");
    }
}
