//! The scripts, each a file in `lua/` behind the common opening, with the limits of the domain in front.
//!
//! Never a limit of their own: each constant comes from `domain::ticketing::inventory`.

use std::fmt::Write as _;
use std::sync::LazyLock;

use voelgoed_domain::ticketing::inventory::{
    HOLDS_PER_SESSION, LOG_CHANGES, LOG_STEPS, LONGEST_HOLD, PIN_LASTS, PLACES_PER_HOLD, SWEPT_PER_STEP, TERMS_BYTES,
};

/// A script as it is loaded and called.
pub(super) struct Script {
    /// Its name in metrics and errors.
    pub(super) name: &'static str,
    /// Whether it changes anything that a lost answer would leave unknown.
    pub(super) writes: bool,
    code: redis::Script,
    source: String,
}

impl Script {
    fn new(name: &'static str, writes: bool, parts: &[&str]) -> Self {
        let mut source = limits();
        for part in [COMMON].iter().chain(parts) {
            source.push_str(part);
        }
        Self { name, writes, code: redis::Script::new(&source), source }
    }

    /// One that is of no event, and so has nothing in common with the others.
    fn alone(name: &'static str, writes: bool, source: &'static str) -> Self {
        Self { name, writes, code: redis::Script::new(source), source: source.to_owned() }
    }

    /// What `EVALSHA` calls it.
    pub(super) fn hash(&self) -> &str {
        self.code.get_hash()
    }

    /// What `SCRIPT LOAD` wants.
    pub(super) fn source(&self) -> &str {
        &self.source
    }
}

const COMMON: &str = include_str!("lua/common.lua");
const ALLOT: &str = include_str!("lua/allot.lua");

fn limits() -> String {
    let mut text = String::new();
    for (name, value) in [
        ("SWEPT_PER_STEP", SWEPT_PER_STEP as u128),
        ("PIN_LASTS", PIN_LASTS.as_micros()),
        ("LONGEST_HOLD", LONGEST_HOLD.as_micros()),
        ("PLACES_PER_HOLD", u128::from(PLACES_PER_HOLD)),
        ("HOLDS_PER_SESSION", u128::from(HOLDS_PER_SESSION)),
        ("TERMS_BYTES", TERMS_BYTES as u128),
        ("LOG_STEPS", LOG_STEPS as u128),
        ("LOG_CHANGES", LOG_CHANGES as u128),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "local {name} = {value}");
    }
    text
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $writes:literal, [$($part:expr),+];)*) => {
        $($(#[$doc])* pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new($text, $writes, &[$($part),+]));)*

        /// All of them, for loading.
        pub(super) fn all() -> Vec<&'static Script> {
            vec![&SPEND, &APPEND_COUNTS, &TAKE_COUNTS, &FINISH_COUNTS, $(&$name),*]
        }
    };
}

/// Spends of an allowance.
pub(super) static SPEND: LazyLock<Script> =
    LazyLock::new(|| Script::alone("spend", true, include_str!("lua/spend.lua")));
/// Appends to an event's stream of counts.
pub(super) static APPEND_COUNTS: LazyLock<Script> =
    LazyLock::new(|| Script::alone("append_counts", true, include_str!("lua/append_counts.lua")));
/// Hands out entries of it; repeated, it hands out others, and what was handed out to nobody comes again.
pub(super) static TAKE_COUNTS: LazyLock<Script> =
    LazyLock::new(|| Script::alone("take_counts", false, include_str!("lua/take_counts.lua")));
/// Forgets entries of it.
pub(super) static FINISH_COUNTS: LazyLock<Script> =
    LazyLock::new(|| Script::alone("finish_counts", false, include_str!("lua/finish_counts.lua")));

scripts! {
    INSTALL = "install", true, [include_str!("lua/install.lua")];
    LEASE = "lease", true, [include_str!("lua/lease.lua")];
    UNLOAD = "unload", true, [include_str!("lua/unload.lua")];
    HOLD = "hold", true, [ALLOT, include_str!("lua/hold.lua")];
    CHANGE_HOLD = "change_hold", true, [ALLOT, include_str!("lua/change_hold.lua")];
    READ_HOLD = "read_hold", false, [include_str!("lua/read_hold.lua")];
    RELEASE = "release", true, [include_str!("lua/release.lua")];
    PIN = "pin", true, [include_str!("lua/pin.lua")];
    UNPIN = "unpin", true, [include_str!("lua/unpin.lua")];
    APPLY = "apply", true, [include_str!("lua/apply.lua")];
    SNAPSHOT = "snapshot", false, [include_str!("lua/snapshot.lua")];
    CHANGES_SINCE = "changes_since", false, [include_str!("lua/changes_since.lua")];
    SWEEP = "sweep", false, [include_str!("lua/sweep.lua")];
    HELD_BY = "held_by", false, [include_str!("lua/held_by.lua")];
    GATE_FILTER = "gate_filter", false, [include_str!("lua/gate_filter.lua")];
    MARK_ADMITTED = "mark_admitted", true, [include_str!("lua/mark.lua")];
    MARK_REVOKED = "mark_revoked", true, [include_str!("lua/mark.lua")];
    KEEP_SCAN = "keep_scan", true, [include_str!("lua/keep_scan.lua")];
    KEPT_SCANS = "kept_scans", false, [include_str!("lua/kept_scans.lua")];
    SETTLE_SCANS = "settle_scans", true, [include_str!("lua/settle_scans.lua")];
}
