//! Compares every reply and every place with the model of `voelgoed_oracle` for random commands.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use voelgoed_app::environment::Environment as _;
use voelgoed_oracle::inventory::{
    GeneratorConfig, InventoryCommand, InventoryModel, InventoryOutcome, InventoryReply, comparable_outcome,
    timed_commands,
};

use super::*;

/// The number of runs, each with its own event.
const RUNS: usize = 40;
/// The maximum number of commands per run.
const COMMANDS_MAX: usize = 80;

/// Every answer and every place match the model.
pub async fn random_commands_match_the_model<S: InventoryStore>(sut: Sut<S>) {
    let mut runner = TestRunner::deterministic();
    for run in 0..RUNS {
        let start = sut.environment.now();
        let config = if run % 10 == 0 { GeneratorConfig::many_holds(start) } else { GeneratorConfig::contended(start) };
        let scope = new_scope(&sut);
        install_event(&sut.store, scope, config.install(1)).await.unwrap();
        let mut model = InventoryModel::new(config.install(1), start);
        let mut done = vec![];
        for (wait, command) in timed_commands(config, COMMANDS_MAX).new_tree(&mut runner).unwrap().current() {
            // The store's clock does not go back here.
            let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
            let now = sut.environment.advance(wait);
            done.push(format!("{command:?} after {wait:?}"));
            let expected = model.execute(command.clone(), now);
            if let Some(answer) = perform(&sut, scope, command).await {
                assert_eq!(answer, expected, "run {run}, after:\n{}", done.join("\n"));
            }
            let snapshot = sut.store.snapshot(scope).await.unwrap();
            assert_eq!(snapshot, model.snapshot(), "run {run}, after:\n{}", done.join("\n"));
        }
    }
}

/// The store's answer, if it can be compared.
async fn perform<S: InventoryStore>(
    sut: &Sut<S>,
    scope: EventScope,
    command: InventoryCommand,
) -> Option<InventoryOutcome> {
    let store = &sut.store;
    Some(match command {
        InventoryCommand::Install(install) => {
            comparable(install_event(store, scope, install).await, InventoryReply::Position)
        }
        InventoryCommand::Hold(request) => comparable(store.hold(scope, request).await, InventoryReply::Hold),
        InventoryCommand::Change(request) => comparable(store.change_hold(scope, request).await, InventoryReply::Hold),
        InventoryCommand::Read(hold) => comparable(store.read_hold(scope, hold).await, InventoryReply::Hold),
        InventoryCommand::Release(hold) => comparable(store.release(scope, hold).await, |()| InventoryReply::Done),
        InventoryCommand::Pin(hold) => comparable(store.pin(scope, hold).await, InventoryReply::Hold),
        InventoryCommand::Unpin(hold) => comparable(store.unpin(scope, hold).await, |()| InventoryReply::Done),
        InventoryCommand::Apply { claimed_by, effects } => {
            comparable(store.apply(scope, claimed_by, &effects).await, InventoryReply::Position)
        }
        InventoryCommand::FreeExpired(limit) => {
            // The count includes expired holds of earlier runs.
            store.free_expired_holds(limit).await.unwrap();
            return None;
        }
        InventoryCommand::HeldBy(session) => {
            comparable(store.held_by(scope, session).await, |held| InventoryReply::Count(held as usize))
        }
        InventoryCommand::Admitted(ticket) => {
            comparable(store.mark_admitted(scope, ticket).await, |()| InventoryReply::Done)
        }
        InventoryCommand::Revoked(tickets) => {
            comparable(store.mark_revoked(scope, &tickets).await, |()| InventoryReply::Done)
        }
        InventoryCommand::Filter(ticket) => comparable(store.gate_filter(scope, ticket).await, InventoryReply::Filter),
    })
}

fn comparable<T>(answer: InventoryResult<T>, wrap: impl FnOnce(T) -> InventoryReply) -> InventoryOutcome {
    match answer {
        Ok(answer) => Ok(wrap(answer)),
        Err(InventoryError::Refused(refusal)) => comparable_outcome(Err(refusal), wrap),
        Err(InventoryError::Unloaded) => Ok(InventoryReply::Unloaded),
        Err(InventoryError::Fault(fault)) => panic!("{fault}"),
    }
}
