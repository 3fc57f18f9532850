//! Builds the Redis function library from the files in `lua/`, preceded by the limits of the domain as Lua constants.
//!
//! One library instead of a script per command, because a script would redefine the shared functions at each call, which costs more than most commands.
//! The library's name contains the digest of its text, so nodes of two versions each call their own functions. The names of functions are values of the
//! metric label `script`, so they stay when a file or a constant is renamed. Never: a limit of its own; each constant comes from
//! `domain::ticketing::{inventory, hold_limits}`.

use std::fmt::Write as _;
use std::sync::LazyLock;

use voelgoed_domain::ticketing::hold_limits::{
    HOLD_DURATION_MAX, HOLDS_PER_SESSION_MAX, PLACES_PER_HOLD_MAX, TERMS_BYTES_MAX,
};
use voelgoed_domain::ticketing::inventory::{FREED_PER_STEP_MAX, LOG_CHANGES_MAX, LOG_STEPS_MAX, PIN_DURATION};

/// One function of the library.
pub(super) struct RedisFunction {
    /// The name in the library, in metrics and in errors.
    pub(super) name: &'static str,
    /// Whether a lost reply leaves the outcome ambiguous.
    pub(super) is_ambiguous_if_lost: bool,
    /// The flag of `redis.register_function`: `no-writes` lets a read-only server run the function, `allow-oom` a full one.
    flag: Option<&'static str>,
    body: &'static str,
}

/// The library as it is loaded.
pub(super) struct Library {
    /// The argument of `FUNCTION LOAD`.
    pub(super) source: String,
    /// The prefix of each function's name in `FCALL`.
    prefix: String,
}

impl RedisFunction {
    const fn new(
        name: &'static str,
        is_ambiguous_if_lost: bool,
        flag: Option<&'static str>,
        body: &'static str,
    ) -> Self {
        Self { name, is_ambiguous_if_lost, flag, body }
    }

    /// The function's name in `FCALL`.
    pub(super) fn fcall_name(&self) -> String {
        LIBRARY.prefix.clone() + self.name
    }
}

/// The Lua helpers that all functions of the library use, in the order of their definitions.
const SHARED: &[&str] = &[
    include_str!("lua/context.lua"),
    include_str!("lua/places.lua"),
    include_str!("lua/holds.lua"),
    include_str!("lua/change_log.lua"),
    include_str!("lua/step.lua"),
    include_str!("lua/allocate.lua"),
    include_str!("lua/scan_intents.lua"),
];

/// The library of this program version.
pub(super) static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let shared = SHARED.iter().fold(limits(), |text, part| text + part);
    let digested = ALL.iter().fold(shared.clone(), |text, function| {
        text + function.name + function.flag.unwrap_or_default() + function.body
    });
    let name = format!("voelgoed_{}", redis::Script::new(&digested).get_hash());
    let prefix = name.clone() + "_";
    let mut source = format!("#!lua name={name}\n{shared}");
    for RedisFunction { name, flag, body, .. } in ALL {
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
        ("FREED_PER_STEP_MAX", FREED_PER_STEP_MAX as u128),
        ("PIN_DURATION", PIN_DURATION.as_micros()),
        ("HOLD_DURATION_MAX", HOLD_DURATION_MAX.as_micros()),
        ("PLACES_PER_HOLD_MAX", u128::from(PLACES_PER_HOLD_MAX)),
        ("HOLDS_PER_SESSION_MAX", u128::from(HOLDS_PER_SESSION_MAX)),
        ("TERMS_BYTES_MAX", TERMS_BYTES_MAX as u128),
        ("LOG_STEPS_MAX", LOG_STEPS_MAX as u128),
        ("LOG_CHANGES_MAX", LOG_CHANGES_MAX as u128),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "local {name} = {value}");
    }
    text
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $ambiguous:literal, $flag:expr, $file:literal;)*) => {
        $($(#[$doc])* pub(super) static $name: RedisFunction = RedisFunction::new($text, $ambiguous, $flag, include_str!(concat!("lua/", $file, ".lua")));)*

        /// Every function, in the order of the library.
        static ALL: &[&RedisFunction] = &[$(&$name),*];
    };
}

functions! {
    INSTALL = "install", true, None, "install";
    LEASE_REBUILD = "lease", true, None, "lease_rebuild";
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
    FREE_EXPIRED_HOLDS = "sweep", false, Some("allow-oom"), "free_expired_holds";
    HELD_BY = "held_by", false, None, "held_by";
    GATE_FILTER = "gate_filter", false, Some("no-writes"), "gate_filter";
    MARK_ADMITTED = "mark_admitted", true, None, "mark_tickets";
    MARK_REVOKED = "mark_revoked", true, None, "mark_tickets";
    ACKNOWLEDGE_SCAN = "told", true, None, "acknowledge_scan";
    BEGIN_INTENT = "announce", true, None, "begin_intent";
    RESOLVE_INTENT = "answered", true, None, "resolve_intent";
    APPEND_OFFLINE_SCAN = "keep_scan", true, None, "append_offline_scan";
    PENDING_OFFLINE_SCANS = "kept_scans", false, Some("no-writes"), "pending_offline_scans";
    DEFER_UNREADABLE_SCANS = "park_scans", false, None, "defer_unreadable_scans";
    REPORT_VIEWERS = "viewers", false, None, "report_viewers";
    REMOVE_RECORDED_SCANS = "settle_scans", true, Some("allow-oom"), "remove_recorded_scans";
    SPEND_ALLOWANCE = "spend", true, None, "spend_allowance";
    APPEND_COUNTS = "append_counts", true, None, "append_counts";
    /// Not ambiguous: entries whose reply was lost are taken again after their idle time.
    TAKE_COUNTS = "take_counts", false, None, "take_counts";
    FINISH_COUNTS = "finish_counts", false, Some("allow-oom"), "finish_counts";
    /// Not ambiguous: a repeat changes nothing.
    NOTE_SESSION_HOLD = "note_hold", false, None, "note_session_hold";
    SESSION_HOLDS = "noted_holds", false, Some("no-writes"), "session_holds";
}
