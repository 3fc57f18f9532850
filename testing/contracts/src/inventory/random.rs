//! Random commands, each answer compared with the oracle's.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use voelgoed_app::environment::Environment as _;
use voelgoed_oracle::inventory::{Command, Model, Told, Verdict, World, steps, verdict};

use super::*;

/// So many runs, each on an event of its own.
const RUNS: usize = 40;
/// The most commands of a run.
const STEPS: usize = 80;

/// The store says what the model says, answer by answer and place by place.
pub async fn random_commands_are_answered_as_the_model_says<S: InventoryStore>(subject: Subject<S>) {
    let mut runner = TestRunner::deterministic();
    for run in 0..RUNS {
        let begins = subject.environment.now();
        let world = if run % 10 == 0 { World::crowded(begins) } else { World::narrow(begins) };
        let scope = new_event(&subject);
        installed(&subject.store, scope, world.install(1)).await.unwrap();
        let mut model = Model::new(world.install(1), begins);
        let mut done = vec![];
        for (wait, command) in steps(world, STEPS).new_tree(&mut runner).unwrap().current() {
            // The store's clock is not turned back here.
            let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
            let now = subject.environment.advance(wait);
            done.push(format!("{command:?} after {wait:?}"));
            let expected = model.decide(command.clone(), now);
            if let Some(answer) = perform(&subject, scope, command).await {
                assert_eq!(answer, expected, "run {run}, after:\n{}", done.join("\n"));
            }
            let snapshot = subject.store.snapshot(scope).await.unwrap();
            assert_eq!(snapshot, model.snapshot(), "run {run}, after:\n{}", done.join("\n"));
        }
    }
}

/// The store's answer, where it can be compared.
async fn perform<S: InventoryStore>(subject: &Subject<S>, scope: EventScope, command: Command) -> Option<Verdict> {
    let store = &subject.store;
    Some(match command {
        Command::Install(install) => told(installed(store, scope, install).await, Told::Position),
        Command::Hold(request) => told(store.hold(scope, request).await, Told::Hold),
        Command::Change(request) => told(store.change_hold(scope, request).await, Told::Hold),
        Command::Read(hold) => told(store.read_hold(scope, hold).await, Told::Hold),
        Command::Release(hold) => told(store.release(scope, hold).await, |()| Told::Done),
        Command::Pin(hold) => told(store.pin(scope, hold).await, Told::Hold),
        Command::Unpin(hold) => told(store.unpin(scope, hold).await, |()| Told::Done),
        Command::Apply { claimed_by, effects } => told(store.apply(scope, claimed_by, &effects).await, Told::Position),
        Command::Sweep(most) => {
            // It counts the lapsed holds of all events, those of earlier runs too.
            store.sweep(most).await.unwrap();
            return None;
        }
        Command::HeldBy(session) => told(store.held_by(scope, session).await, |held| Told::Count(held as usize)),
        Command::Admitted(ticket) => told(store.mark_admitted(scope, ticket).await, |()| Told::Done),
        Command::Revoked(tickets) => told(store.mark_revoked(scope, &tickets).await, |()| Told::Done),
        Command::Filter(ticket) => told(store.gate_filter(scope, ticket).await, Told::Filter),
    })
}

fn told<T>(answer: Answer<T>, told: impl FnOnce(T) -> Told) -> Verdict {
    match answer {
        Ok(answer) => Ok(told(answer)),
        Err(InventoryError::Refused(refusal)) => verdict(Err(refusal), told),
        Err(InventoryError::Unloaded) => Ok(Told::Unloaded),
        Err(InventoryError::Fault(fault)) => panic!("{fault}"),
    }
}
