//! The scripts against the domain's own machine: the same random commands, and every answer, every look and every entry of the log compared, words included.
//!
//! What fails is shrunk by proptest to the fewest commands that show it.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult};
use uuid::Uuid;
use voelgoed_app::environment::{Environment as _, fresh};
use voelgoed_app::ticketing::ports::{Answer, EventScope, InventoryError, InventoryStore};
use voelgoed_contracts::subject::Subject;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::inventory::Inventory;
use voelgoed_domain::time::Timestamp;
use voelgoed_oracle::inventory::{Command, Told, World, steps};
use voelgoed_warm::redis::RedisWarm;

const LEASE: Uuid = Uuid::from_u128(1);
const LEASE_LASTS: Duration = Duration::from_secs(3600);

/// What was said: the value, or the refusal with its words.
type Said = Result<Told, Refusal>;

fn machine(inventory: &mut Inventory, command: Command, now: Timestamp) -> Said {
    match command {
        Command::Install(install) => Ok(match Inventory::install(Some(inventory), install, now) {
            Ok(next) => {
                *inventory = next;
                Told::Position(inventory.position())
            }
            Err(_) => Told::Unloaded,
        }),
        Command::Hold(request) => inventory.hold(request, now).map(Told::Hold),
        Command::Change(request) => inventory.change_hold(request, now).map(Told::Hold),
        Command::Read(hold) => inventory.read_hold(hold, now).map(Told::Hold),
        Command::Release(hold) => inventory.release(hold, now).map(|()| Told::Done),
        Command::Pin(hold) => inventory.pin(hold, now).map(Told::Hold),
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

async fn scripts(store: &RedisWarm, scope: EventScope, command: Command) -> Said {
    match command {
        Command::Install(install) => {
            store.lease_rebuild(scope, LEASE, LEASE_LASTS).await.unwrap();
            said(store.install(scope, LEASE, install).await, Told::Position)
        }
        Command::Hold(request) => said(store.hold(scope, request).await, Told::Hold),
        Command::Change(request) => said(store.change_hold(scope, request).await, Told::Hold),
        Command::Read(hold) => said(store.read_hold(scope, hold).await, Told::Hold),
        Command::Release(hold) => said(store.release(scope, hold).await, |()| Told::Done),
        Command::Pin(hold) => said(store.pin(scope, hold).await, Told::Hold),
        Command::Unpin(hold) => said(store.unpin(scope, hold).await, |()| Told::Done),
        Command::Apply { claimed_by, effects } => said(store.apply(scope, claimed_by, &effects).await, Told::Position),
        // Each case has a store of its own prefix, so this event is the only one.
        Command::Sweep(most) => Ok(Told::Count(store.sweep(most).await.unwrap())),
        Command::HeldBy(session) => said(store.held_by(scope, session).await, |held| Told::Count(held as usize)),
        Command::Admitted(ticket) => said(store.mark_admitted(scope, ticket).await, |()| Told::Done),
        Command::Revoked(tickets) => said(store.mark_revoked(scope, &tickets).await, |()| Told::Done),
        Command::Filter(ticket) => said(store.gate_filter(scope, ticket).await, Told::Filter),
    }
}

fn said<T>(answer: Answer<T>, told: impl FnOnce(T) -> Told) -> Said {
    match answer {
        Ok(answer) => Ok(told(answer)),
        Err(InventoryError::Refused(refusal)) => Err(refusal),
        Err(InventoryError::Unloaded) => Ok(Told::Unloaded),
        Err(InventoryError::Fault(fault)) => panic!("{fault}"),
    }
}

async fn compare(world: World, steps: Vec<(i64, Command)>) -> TestCaseResult {
    let Subject { store, environment, .. } = crate::servers::subject(crate::servers::single().await.url()).await;
    let scope = EventScope { organization: fresh(&*environment), event: fresh(&*environment) };
    let mut inventory = Inventory::install(None, world.install(1), environment.now()).unwrap();
    let begun = scripts(&store, scope, Command::Install(world.install(1))).await;
    prop_assert_eq!(begun, Ok(Told::Position(inventory.position())));
    for (wait, command) in steps {
        // The scripts keep their clock with what they write; it is not turned back here.
        let now = environment.advance(Duration::from_millis(u64::try_from(wait).unwrap_or(0)));
        let before = inventory.position();
        let expected = machine(&mut inventory, command.clone(), now);
        let answer = scripts(&store, scope, command.clone()).await;
        prop_assert_eq!(&answer, &expected, "{:?}", &command);
        let fault = |error: InventoryError| TestCaseError::fail(format!("{command:?}: {error}"));
        prop_assert_eq!(store.snapshot(scope).await.map_err(fault)?, inventory.snapshot(), "{:?}", &command);
        let news = store.changes_since(scope, before).await.map_err(fault)?;
        prop_assert_eq!(news, inventory.changes_since(before), "{:?}", &command);
    }
    Ok(())
}

fn run(world: fn(Timestamp) -> World, cases: u32, most: usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = world(voelgoed_contracts::subject::TestEnvironment::default().now());
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner.run(&steps(world, most), |steps| runtime.block_on(compare(world, steps))).unwrap();
}

#[test]
fn the_scripts_answer_as_the_machine() {
    run(World::narrow, 60, 80);
}

#[test]
fn they_do_so_where_sweeps_never_end() {
    run(World::crowded, 4, 500);
}
