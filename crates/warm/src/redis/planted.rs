//! The planted bugs of the scripts: what each reads instead.
//!
//! Never in what ships: the question is constantly answered no there, and the texts are not compiled in.
//! To add one: a line here, and one in `voelgoed_planted`'s list.

use voelgoed_planted::{Bug, altered, planted};

/// The bug, the code, and what stands in its place.
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
        "ipairs(in_reach(hold, record)) do free_place",
        "ipairs(granted(record)) do free_place",
    ),
    (Bug::RedisOldNewsApplied, "if newer > version(place) then", "if newer >= 0 then"),
    (
        Bug::RedisInstallWithoutLease,
        "if lease ~= ARGV[5] or tonumber(until_) <= present() then return UNLOADED end",
        "",
    ),
    (
        Bug::RedisStepNotLogged,
        "local steps = call('RPUSH', LOG",
        "if true then return end local steps = call('RPUSH', LOG",
    ),
];

/// A part of a script, with the bug that is switched on, if it is one of its.
pub(super) fn with_bug(part: &'static str) -> &'static str {
    let own = BUGS.iter().find(|(bug, from, _)| planted(*bug) && part.contains(from));
    own.map_or(part, |(bug, from, to)| altered(*bug, part, from, to))
}

#[cfg(test)]
mod tests {
    use super::super::scripts::LIBRARY;
    use super::BUGS;

    #[test]
    fn each_bug_has_its_place_in_the_library() {
        for (bug, from, _) in BUGS {
            assert!(LIBRARY.source.contains(from), "{bug:?}: no command has `{from}`");
        }
    }
}
