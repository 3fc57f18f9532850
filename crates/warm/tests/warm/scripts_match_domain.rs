//! Property test of the scripts against the domain's inventory: the same random commands must give the same replies, states and log entries.
//!
//! Refusals are compared with their texts. Proptest shrinks a failure to the fewest commands.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult};
use uuid::Uuid;
use voelgoed_app::environment::{Environment as _, new_id};
use voelgoed_app::ticketing::ports::{EventScope, InventoryError, InventoryResult, InventoryStore};
use voelgoed_contracts::sut::Sut;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::ticketing::inventory::Inventory;
use voelgoed_domain::time::Timestamp;
use voelgoed_oracle::inventory::{GeneratorConfig, InventoryCommand, InventoryReply, timed_commands};
use voelgoed_warm::redis::RedisWarm;

const LEASE: Uuid = Uuid::from_u128(1);
const LEASE_LASTS: Duration = Duration::from_secs(3600);

/// The outcome of a command: the value, or the refusal with its text.
type Outcome = Result<InventoryReply, Refusal>;

fn run_domain(inventory: &mut Inventory, command: InventoryCommand, now: Timestamp) -> Outcome {
    match command {
        InventoryCommand::Install(install) => Ok(match Inventory::install(Some(inventory), install, now) {
            Ok(next) => {
                *inventory = next;
                InventoryReply::Position(inventory.position())
            }
            Err(_) => InventoryReply::Unloaded,
        }),
        InventoryCommand::Hold(request) => inventory.hold(request, now).map(InventoryReply::Hold),
        InventoryCommand::Change(request) => inventory.change_hold(request, now).map(InventoryReply::Hold),
        InventoryCommand::Read(hold) => inventory.read_hold(hold, now).map(InventoryReply::Hold),
        InventoryCommand::Release(hold) => inventory.release(hold, now).map(|()| InventoryReply::Done),
        InventoryCommand::Pin(hold) => inventory.pin(hold, now).map(InventoryReply::Hold),
        InventoryCommand::Unpin(hold) => {
            inventory.unpin(hold, now);
            Ok(InventoryReply::Done)
        }
        InventoryCommand::Apply { claimed_by, effects } => {
            Ok(InventoryReply::Position(inventory.apply(claimed_by, &effects, now)))
        }
        InventoryCommand::FreeExpired(most) => Ok(InventoryReply::Count(inventory.free_expired_holds(most, now))),
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

async fn run_scripts(store: &RedisWarm, scope: EventScope, command: InventoryCommand) -> Outcome {
    match command {
        InventoryCommand::Install(install) => {
            store.lease_rebuild(scope, LEASE, LEASE_LASTS).await.unwrap();
            outcome(store.install(scope, LEASE, install).await, InventoryReply::Position)
        }
        InventoryCommand::Hold(request) => outcome(store.hold(scope, request).await, InventoryReply::Hold),
        InventoryCommand::Change(request) => outcome(store.change_hold(scope, request).await, InventoryReply::Hold),
        InventoryCommand::Read(hold) => outcome(store.read_hold(scope, hold).await, InventoryReply::Hold),
        InventoryCommand::Release(hold) => outcome(store.release(scope, hold).await, |()| InventoryReply::Done),
        InventoryCommand::Pin(hold) => outcome(store.pin(scope, hold).await, InventoryReply::Hold),
        InventoryCommand::Unpin(hold) => outcome(store.unpin(scope, hold).await, |()| InventoryReply::Done),
        InventoryCommand::Apply { claimed_by, effects } => {
            outcome(store.apply(scope, claimed_by, &effects).await, InventoryReply::Position)
        }
        // Each case has a store of its own prefix, so this event is the only one.
        InventoryCommand::FreeExpired(most) => Ok(InventoryReply::Count(store.free_expired_holds(most).await.unwrap())),
        InventoryCommand::HeldBy(session) => {
            outcome(store.held_by(scope, session).await, |held| InventoryReply::Count(held as usize))
        }
        InventoryCommand::Admitted(ticket) => {
            outcome(store.mark_admitted(scope, ticket).await, |()| InventoryReply::Done)
        }
        InventoryCommand::Revoked(tickets) => {
            outcome(store.mark_revoked(scope, &tickets).await, |()| InventoryReply::Done)
        }
        InventoryCommand::Filter(ticket) => outcome(store.gate_filter(scope, ticket).await, InventoryReply::Filter),
    }
}

fn outcome<T>(result: InventoryResult<T>, wrap: impl FnOnce(T) -> InventoryReply) -> Outcome {
    match result {
        Ok(value) => Ok(wrap(value)),
        Err(InventoryError::Refused(refusal)) => Err(refusal),
        Err(InventoryError::Unloaded) => Ok(InventoryReply::Unloaded),
        Err(InventoryError::Fault(fault)) => panic!("{fault}"),
    }
}

async fn compare(config: GeneratorConfig, steps: Vec<(i64, InventoryCommand)>) -> TestCaseResult {
    let Sut { store, environment, .. } = crate::shared_servers::sut(crate::shared_servers::single().await.url()).await;
    let scope = EventScope { organization: new_id(&*environment), event: new_id(&*environment) };
    let mut inventory = Inventory::install(None, config.install(1), environment.now()).unwrap();
    let begun = run_scripts(&store, scope, InventoryCommand::Install(config.install(1))).await;
    prop_assert_eq!(begun, Ok(InventoryReply::Position(inventory.position())));
    for (wait, command) in steps {
        // The scripts store their clock with each write, so this test never sets it back.
        let now = environment.advance(Duration::from_millis(u64::try_from(wait).unwrap_or(0)));
        let before = inventory.position();
        let expected = run_domain(&mut inventory, command.clone(), now);
        let answer = run_scripts(&store, scope, command.clone()).await;
        prop_assert_eq!(&answer, &expected, "{:?}", &command);
        let fault = |error: InventoryError| TestCaseError::fail(format!("{command:?}: {error}"));
        prop_assert_eq!(store.snapshot(scope).await.map_err(fault)?, inventory.snapshot(), "{:?}", &command);
        let changes = store.changes_since(scope, before).await.map_err(fault)?;
        prop_assert_eq!(changes, inventory.changes_since(before), "{:?}", &command);
    }
    Ok(())
}

fn run(config: fn(Timestamp) -> GeneratorConfig, cases: u32, steps_max: usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = config(voelgoed_contracts::sut::TestEnvironment::default().now());
    let proptest_config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(proptest_config);
    runner.run(&timed_commands(config, steps_max), |steps| runtime.block_on(compare(config, steps))).unwrap();
}

#[test]
fn scripts_match_the_domain() {
    run(GeneratorConfig::contended, 60, 80);
}

#[test]
fn scripts_match_the_domain_with_more_expired_holds_than_a_step_frees() {
    run(GeneratorConfig::many_holds, 4, 500);
}
