//! Runs random orders, payments, refunds and blocks against the store and a model that keeps places in a map.
//!
//! After each command the answers and the places are the model's, and the journal's clearing account has the model's balance (P1, P2, P4, P5).

mod command;
mod simulation;

use proptest::prelude::*;

use crate::command::command;
use crate::simulation::Simulation;

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn store_agrees_with_the_model_after_random_commands(commands in prop::collection::vec(command(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut simulation = Simulation::open().await;
            for command in commands {
                simulation.apply(command).await;
                simulation.check().await;
            }
            simulation.check_orders().await;
        });
    }
}
