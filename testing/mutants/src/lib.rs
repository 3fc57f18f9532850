//! Switches mutants on, one per process, in a copy of the source tree to which `patches/` was applied (`cargo xtask test --only mutants`).
//!
//! Never: a dependency of what ships; the patches name this crate, the source tree does not.

mod list;
mod scripts;

use std::sync::{Mutex, OnceLock, PoisonError};

pub use list::{ALL, Catcher, Mutant, MutantInfo};
pub use scripts::{SCRIPT_MUTANTS, altered_script};

/// The environment variable that names the active mutant.
pub const SWITCH: &str = "VOELGOED_MUTANT";

static ACTIVE: OnceLock<Option<Mutant>> = OnceLock::new();
/// Texts and their altered copies. Each text is altered once, because callers cache texts by address.
static ALTERED: Mutex<Vec<(&'static str, Mutant, &'static str)>> = Mutex::new(Vec::new());

fn read_switch() -> Option<Mutant> {
    let name = std::env::var(SWITCH).ok()?;
    let Some(found) = ALL.iter().find(|info| info.name == name) else {
        panic!("{SWITCH}: there is no mutant `{name}`")
    };
    eprintln!("{SWITCH}={name}: {}", found.breaks);
    Some(found.mutant)
}

/// Whether this mutant is active in this process.
#[must_use]
pub fn active(mutant: Mutant) -> bool {
    *ACTIVE.get_or_init(read_switch) == Some(mutant)
}

/// The text, with `to` in place of `from` where the mutant is active.
///
/// # Panics
/// Where the text has no `from`: the mutant would change nothing.
#[must_use]
pub fn altered(mutant: Mutant, text: &'static str, from: &str, to: &str) -> &'static str {
    if !active(mutant) {
        return text;
    }
    let mut altered = ALTERED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((.., known)) = altered.iter().find(|(was, of, _)| std::ptr::eq(*was, text) && *of == mutant) {
        return known;
    }
    assert!(text.contains(from), "{mutant:?}: `{from}` is not in: {text}");
    let copy: &'static str = text.replace(from, to).leak();
    altered.push((text, mutant, copy));
    copy
}
