//! Generates seating plans of real proportions for demos and benchmarks: a concert hall of 1,900, a festival of 25,000, a stadium of 60,000.
//!
//! Never: a plan that differs between two calls with the same ids; benchmarks have to stay comparable.
//! To add a plan: a file here that returns drafts for `Layout::build`, and its row in `tests`.

mod concert_hall;
mod festival;
mod seat_geometry;
mod stadium;
#[cfg(test)]
mod tests;

pub use concert_hall::concert_hall;
pub use festival::festival;
pub use stadium::stadium;
