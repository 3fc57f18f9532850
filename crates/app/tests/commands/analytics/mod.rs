//! Covers the counts of a sale: in a node's memory, in warm's streams, in cold.

mod collect_counts;
mod counters;
mod fault_of_cold;
mod funnel;
