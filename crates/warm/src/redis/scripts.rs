//! The commands, each a file in `lua/`, as functions of one library with the limits of the domain in front.
//!
//! One library rather than a script per command, since a script makes everything it shares anew at each call, and that costs more than most commands.
//! Its name has the digest of its text: nodes of two versions run beside each other, each by its own. Never a limit of its own: each constant comes
//! from `domain::ticketing::inventory`.

use std::fmt::Write as _;
use std::sync::LazyLock;

use voelgoed_domain::ticketing::inventory::{
    HOLDS_PER_SESSION, LOG_CHANGES, LOG_STEPS, LONGEST_HOLD, PIN_LASTS, PLACES_PER_HOLD, SWEPT_PER_STEP, TERMS_BYTES,
};

use super::planted::with_bug;

/// A command as it is called.
pub(super) struct Script {
    /// Its name in metrics and errors.
    pub(super) name: &'static str,
    /// Whether it changes anything that a lost answer would leave unknown.
    pub(super) writes: bool,
    /// What the server is told of it: one that writes nothing is served by a server that takes no writes, one that frees by a full one.
    flag: Option<&'static str>,
    body: &'static str,
}

/// All commands as they are loaded.
pub(super) struct Library {
    /// What `FUNCTION LOAD` wants.
    pub(super) source: String,
    /// What `FCALL` calls a command begins with this.
    prefix: String,
}

impl Script {
    const fn new(name: &'static str, writes: bool, flag: Option<&'static str>, body: &'static str) -> Self {
        Self { name, writes, flag, body }
    }

    /// What `FCALL` calls it.
    pub(super) fn function(&self) -> String {
        LIBRARY.prefix.clone() + self.name
    }
}

/// The library of this version.
pub(super) static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let shared = [include_str!("lua/common.lua"), include_str!("lua/allot.lua"), include_str!("lua/asked.lua")]
        .into_iter()
        .fold(limits(), |text, part| text + with_bug(part));
    let whole = ALL.iter().fold(shared.clone(), |text, script| {
        text + script.name + script.flag.unwrap_or_default() + with_bug(script.body)
    });
    let name = format!("voelgoed_{}", redis::Script::new(&whole).get_hash());
    let prefix = name.clone() + "_";
    let mut source = format!("#!lua name={name}\n{shared}");
    for Script { name, flag, body, .. } in ALL {
        let body = with_bug(body);
        let flags = flag.map_or_else(String::new, |flag| format!("'{flag}'"));
        // Writing to a string cannot fail.
        let _ = write!(
            source,
            "redis.register_function{{function_name='{prefix}{name}', flags={{{flags}}}, callback=function(keys, argv)\n\
             begin(keys, argv)\n{body}\nend}}\n"
        );
    }
    Library { source, prefix }
});

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
    ($($(#[$doc:meta])* $name:ident = $text:literal, $writes:literal, $flag:expr, $file:literal;)*) => {
        $($(#[$doc])* pub(super) static $name: Script = Script::new($text, $writes, $flag, include_str!(concat!("lua/", $file, ".lua")));)*

        /// All of them, for loading.
        static ALL: &[&Script] = &[$(&$name),*];
    };
}

scripts! {
    INSTALL = "install", true, None, "install";
    LEASE = "lease", true, None, "lease";
    UNLOAD = "unload", true, Some("allow-oom"), "unload";
    HOLD = "hold", true, None, "hold";
    CHANGE_HOLD = "change_hold", true, None, "change_hold";
    READ_HOLD = "read_hold", false, None, "read_hold";
    RELEASE = "release", true, Some("allow-oom"), "release";
    PIN = "pin", true, None, "pin";
    UNPIN = "unpin", true, Some("allow-oom"), "unpin";
    APPLY = "apply", true, None, "apply";
    SNAPSHOT = "snapshot", false, Some("no-writes"), "snapshot";
    CHANGES_SINCE = "changes_since", false, Some("no-writes"), "changes_since";
    SWEEP = "sweep", false, Some("allow-oom"), "sweep";
    HELD_BY = "held_by", false, None, "held_by";
    GATE_FILTER = "gate_filter", false, Some("no-writes"), "gate_filter";
    MARK_ADMITTED = "mark_admitted", true, None, "mark";
    MARK_REVOKED = "mark_revoked", true, None, "mark";
    TOLD = "told", true, None, "told";
    ANNOUNCE = "announce", true, None, "announce";
    ANSWERED = "answered", true, None, "answered";
    KEEP_SCAN = "keep_scan", true, None, "keep_scan";
    KEPT_SCANS = "kept_scans", false, Some("no-writes"), "kept_scans";
    PARK_SCANS = "park_scans", false, None, "park_scans";
    VIEWERS = "viewers", false, None, "viewers";
    SETTLE_SCANS = "settle_scans", true, Some("allow-oom"), "settle_scans";
    /// Spends of an allowance.
    SPEND = "spend", true, None, "spend";
    /// Appends to an event's stream of counts.
    APPEND_COUNTS = "append_counts", true, None, "append_counts";
    /// Hands out entries of it; repeated, it hands out others, and what was handed out to nobody comes again.
    TAKE_COUNTS = "take_counts", false, None, "take_counts";
    /// Forgets entries of it.
    FINISH_COUNTS = "finish_counts", false, Some("allow-oom"), "finish_counts";
    /// Notes a hold of a session; a repeat changes nothing.
    NOTE_HOLD = "note_hold", false, None, "note_hold";
    NOTED_HOLDS = "noted_holds", false, Some("no-writes"), "noted_holds";
}
