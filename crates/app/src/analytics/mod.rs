//! Analytics: each node counts the steps of a sale, the warm tier's streams keep the counts, and workers write them to cold.
//!
//! Never: a decision by one of these counts; a count that cold can compute from its own rows. To add a step: a variant of [`sale_step::SaleStep`] and its column.

pub mod collect_counts;
pub mod counters;
pub mod funnel;
pub mod ports;
pub mod sale_step;
pub mod slice;

use std::sync::Arc;

use counters::Counters;
use ports::{AnalyticsStore, CountStream};

use crate::context::Context;

/// Counts the steps of a sale and reads the funnel.
#[derive(Clone)]
pub struct Analytics {
    /// The context that all slices share.
    pub context: Context,
    /// The counts of this node that are not in a stream yet.
    pub counters: Arc<Counters>,
    /// The streams of counts in the warm tier.
    pub stream: Arc<dyn CountStream>,
    /// The counts in the cold tier.
    pub store: Arc<dyn AnalyticsStore>,
}
