//! Checks normalized texts in the tests of this module.

use crate::refusal::{Code, Refusal};

/// Expects the normalized text, or a refusal of the field `it` where `expected` is none.
pub(super) fn check(got: Result<String, Refusal>, expected: Option<&str>, text: &str) {
    match (got, expected) {
        (Ok(got), Some(expected)) => assert_eq!(got, expected, "{text:?}"),
        (Err(refusal), None) => {
            assert_eq!(refusal.code, Code::InvalidRequest);
            assert_eq!(refusal.evidence.field.as_deref(), Some("it"), "{text:?}");
        }
        (got, expected) => panic!("{text:?}: {got:?}, expected {expected:?}"),
    }
}
