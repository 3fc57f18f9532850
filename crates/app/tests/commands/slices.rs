//! Checks what the slices run beside requests: stored jobs, logs and the roles of nodes depend on these names and places.

use std::collections::BTreeSet;
use std::sync::Arc;

use voelgoed_app::loops::LoopNodes;
use voelgoed_app::slice::Slice;
use voelgoed_app::slices::Slices;
use voelgoed_testkit::platform::TestPlatform;

/// A slice's consumers, node consumers, kinds of jobs, and loops.
type Declared = (&'static str, Vec<&'static str>, Vec<&'static str>, Vec<&'static str>, Vec<LoopNodes>);

fn declared(slice: Arc<dyn Slice>) -> Declared {
    let consumers = slice.consumers().iter().map(|consumer| consumer.name()).collect();
    let node_consumers = slice.node_consumers().iter().map(|consumer| consumer.name()).collect();
    let jobs = Arc::clone(&slice).jobs().iter().map(|job| job.kind()).collect();
    let loops = Arc::clone(&slice).loops().iter().map(|each| each.nodes).collect();
    (slice.name(), consumers, node_consumers, jobs, loops)
}

#[tokio::test]
async fn consumers_jobs_and_loops_of_a_slice_are_the_declared_ones() {
    use LoopNodes::{All, Workers};
    let shop = TestPlatform::open().await;
    let all: Vec<Declared> = shop.slices.all().into_iter().map(declared).collect();
    for expected in [
        ("accounts", vec![], vec!["credentials"], vec![], vec![]),
        ("catalog", vec![], vec!["listings"], vec![], vec![]),
        ("analytics", vec![], vec![], vec![], vec![All, Workers]),
        ("ticketing", vec!["warm"], vec![], vec![], vec![Workers]),
        ("scanning", vec![], vec!["gates"], vec![], vec![All, Workers]),
        ("payments", vec![], vec![], vec!["payments.carry_out_refund", "payments.late_capture"], vec![All, Workers]),
        ("checkout", vec![], vec!["order_watchers"], vec![], vec![]),
        ("ledger", vec![], vec![], vec![], vec![]),
    ] {
        assert!(all.contains(&expected), "{expected:?} is not in {all:?}");
    }
}

#[tokio::test]
async fn slices_have_distinct_names_in_the_order_of_their_lines() {
    let shop = TestPlatform::open().await;
    let names: Vec<_> = shop.slices.all().iter().map(|slice| slice.name()).collect();
    assert_eq!(names, Slices::NAMES);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}
