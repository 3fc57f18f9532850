//! Planted bugs: mutations of the protocol that the suites must catch. One at a time, chosen by [`SWITCH`]; `cargo xtask test --only planted` tries all.
//!
//! Never in what ships: without the feature `planted-bugs`, which `xtask` alone turns on, each question is the constant `false`; with it nothing compiles
//! optimised. To plant one: its line in `list.rs`, the question where it breaks something, its row in docs/planted-bugs.md.

mod list;

pub use list::{ALL, Bug, Catcher, Planted};

#[cfg(all(feature = "planted-bugs", not(debug_assertions)))]
compile_error!("planted bugs are for tests: build what ships by itself (`cargo build --release --package voelgoed`)");

/// The environment variable that names the bug.
pub const SWITCH: &str = "VOELGOED_PLANTED_BUG";

#[cfg(not(feature = "planted-bugs"))]
mod switch {
    use super::Bug;

    /// Whether this bug is switched on in this process; constantly not.
    #[inline(always)]
    #[must_use]
    pub const fn planted(_bug: Bug) -> bool {
        false
    }

    /// The text as it is.
    #[inline(always)]
    #[must_use]
    pub const fn altered(_bug: Bug, text: &'static str, _from: &str, _to: &str) -> &'static str {
        text
    }
}

#[cfg(feature = "planted-bugs")]
mod switch {
    use std::sync::{Mutex, OnceLock, PoisonError};

    use super::{ALL, Bug, SWITCH};

    static CHOSEN: OnceLock<Option<Bug>> = OnceLock::new();
    /// Texts and what became of them: whoever keeps a text by where it lies gets the same one each time.
    static ALTERED: Mutex<Vec<(&'static str, String, &'static str)>> = Mutex::new(Vec::new());

    fn chosen() -> Option<Bug> {
        #[expect(
            clippy::disallowed_methods,
            reason = "no configuration: a switch of tests, which what ships does not contain"
        )]
        let name = std::env::var(SWITCH).ok()?;
        let found = ALL.iter().find(|planted| planted.name == name);
        let Some(found) = found else { panic!("{SWITCH}: there is no planted bug `{name}`") };
        eprintln!("{SWITCH}={name}: {}", found.breaks);
        Some(found.bug)
    }

    /// Whether this bug is switched on in this process.
    #[must_use]
    pub fn planted(bug: Bug) -> bool {
        *CHOSEN.get_or_init(chosen) == Some(bug)
    }

    /// The text, with `to` in place of `from` where the bug is switched on.
    ///
    /// # Panics
    /// Where the text has no `from`: the bug would not be planted at all.
    #[must_use]
    pub fn altered(bug: Bug, text: &'static str, from: &str, to: &str) -> &'static str {
        if !planted(bug) {
            return text;
        }
        let mut altered = ALTERED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((.., known)) = altered.iter().find(|(was, what, _)| std::ptr::eq(*was, text) && what == from) {
            return known;
        }
        assert!(text.contains(from), "{bug:?} is nowhere in: {text}");
        let made: &'static str = text.replace(from, to).leak();
        altered.push((text, from.to_owned(), made));
        made
    }
}

pub use switch::{altered, planted};
