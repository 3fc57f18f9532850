//! Seating plans of real proportions, to show and to test with: a concert hall of 1,900, a festival of 25,000, a stadium of 60,000.
//!
//! Never: a plan that changes between two calls with the same ids; what is measured on one should stay comparable.
//! To add a plan: a file here that ends in drafts for `Layout::build`, and its row in `tests`.

mod concert_hall;
mod festival;
mod shape;
mod stadium;
#[cfg(test)]
mod tests;

pub use concert_hall::concert_hall;
pub use festival::festival;
pub use stadium::stadium;
