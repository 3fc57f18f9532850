//! Builds the mutated tree: a copy of the source tree in which every patch of `testing/mutants/patches` is applied, behind one run-time switch.

mod tree;

pub use tree::create;

/// Where the patches are.
pub const PATCHES: &str = "testing/mutants/patches/";
