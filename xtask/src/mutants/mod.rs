//! Builds the mutated tree: a copy of the source tree in which every patch of `testing/mutants/patches` is applied, behind one run-time switch.

mod patch;
mod tree;

pub use patch::parse;
pub use tree::create;

/// Where the patches are.
pub const PATCHES: &str = "testing/mutants/patches/";
