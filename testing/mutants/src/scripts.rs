//! Alters the Lua scripts of the warm tier by the mutant that is active, when the library of functions is put together.

use crate::list::Mutant;
use crate::{active, altered};

/// The mutant, the code of a script, and its replacement.
pub const SCRIPT_MUTANTS: &[(Mutant, &str, &str)] = &[
    (Mutant::RedisSeatHeldTwice, "if #taken > 0 then return 'place_taken'", "if false then return 'place_taken'"),
    (Mutant::RedisAnyServer, "or run ~= ARGV[1] then", "then"),
    (
        Mutant::RedisOldCopy,
        "if epoch < seen_epoch or (epoch == seen_epoch and seq < seen_seq) then return false end",
        "",
    ),
    (
        Mutant::RedisTornState,
        "return call('STRLEN', PLACES) == bytes",
        "if true then return true end return call('STRLEN', PLACES) == bytes",
    ),
    (
        Mutant::RedisLapsesOneLate,
        "if record and ends_at(record) > clock then",
        "if record and ends_at(record) >= clock then",
    ),
    (
        Mutant::RedisSweepFreesClaimed,
        "ipairs(held_places(hold, record)) do free_place",
        "ipairs(granted(record)) do free_place",
    ),
    (Mutant::RedisOldNewsApplied, "if newer > version(place) then", "if newer >= 0 then"),
    (
        Mutant::RedisInstallWithoutLease,
        "if lease ~= ARGV[5] or tonumber(until_) <= current_time() then return UNLOADED end",
        "",
    ),
    (
        Mutant::RedisStepNotLogged,
        "local steps = call('RPUSH', LOG",
        "if true then return end local steps = call('RPUSH', LOG",
    ),
];

/// A part of the library, altered where the active mutant's code is in this part.
#[must_use]
pub fn altered_script(part: &'static str) -> &'static str {
    let own = SCRIPT_MUTANTS.iter().find(|(mutant, from, _)| active(*mutant) && part.contains(from));
    own.map_or(part, |(mutant, from, to)| altered(*mutant, part, from, to))
}
