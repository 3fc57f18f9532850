//! Replaces code in the scripts by a planted bug that is switched on, so that a test can prove that it catches the bug.
//!
//! Never: in a release build; `planted` is constantly false there, and the texts are not compiled in. To add a bug: a line here, and a line in the list
//! of `voelgoed_planted`.

use voelgoed_planted::{Bug, altered, planted};

/// The bug, the code, and its replacement.
const BUGS: &[(Bug, &str, &str)] = &[
    (Bug::RedisSeatHeldTwice, "if #taken > 0 then return 'place_taken'", "if false then return 'place_taken'"),
    (Bug::RedisAnyServer, "or run ~= ARGV[1] then", "then"),
    (Bug::RedisOldCopy, "if epoch < seen_epoch or (epoch == seen_epoch and seq < seen_seq) then return false end", ""),
    (
        Bug::RedisTornState,
        "return call('STRLEN', PLACES) == bytes",
        "if true then return true end return call('STRLEN', PLACES) == bytes",
    ),
    (
        Bug::RedisLapsesOneLate,
        "if record and lapses_at(record) > clock then",
        "if record and lapses_at(record) >= clock then",
    ),
    (
        Bug::RedisSweepFreesClaimed,
        "ipairs(held_places(hold, record)) do free_place",
        "ipairs(granted(record)) do free_place",
    ),
    (Bug::RedisOldNewsApplied, "if newer > version(place) then", "if newer >= 0 then"),
    (
        Bug::RedisInstallWithoutLease,
        "if lease ~= ARGV[5] or tonumber(until_) <= current_time() then return UNLOADED end",
        "",
    ),
    (
        Bug::RedisStepNotLogged,
        "local steps = call('RPUSH', LOG",
        "if true then return end local steps = call('RPUSH', LOG",
    ),
];

/// A part of the library, with the bug that is switched on if its code is in this part.
pub(super) fn with_bug(part: &'static str) -> &'static str {
    let own = BUGS.iter().find(|(bug, from, _)| planted(*bug) && part.contains(from));
    own.map_or(part, |(bug, from, to)| altered(*bug, part, from, to))
}

#[cfg(test)]
mod tests {
    use super::super::scripts::LIBRARY;
    use super::BUGS;

    #[test]
    fn code_of_each_bug_is_in_the_library() {
        for (bug, from, _) in BUGS {
            assert!(LIBRARY.source.contains(from), "{bug:?}: no function contains `{from}`");
        }
    }
}
