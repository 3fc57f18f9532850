//! How a sale goes, in figures: what only the fast tiers see is counted on each node, kept in the warm tier's streams, and brought to cold by the workers.
//!
//! Never: a decision by one of these figures; nor one that cold can count itself. To count another step: a line in [`ports::Step`] and its column.

pub mod collect;
pub mod counters;
pub mod funnel;
pub mod ports;
