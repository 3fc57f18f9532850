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
        "return call('STRLEN', TAKEN) == bytes",
        "if true then return true end return call('STRLEN', TAKEN) == bytes",
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
    (Bug::RedisOldNewsApplied, "if version > struct.unpack(", "if version >= 0 or struct.unpack("),
    (
        Bug::RedisInstallWithoutLease,
        "if lease ~= ARGV[5] or tonumber(until_) <= present() then return UNLOADED end",
        "",
    ),
    (Bug::RedisStepNotLogged, "call('XADD', LOG, text(epoch)", "if true then return end call('XADD', LOG, text(epoch)"),
];

/// A part of a script, with the bug that is switched on, if it is one of its.
pub(super) fn with_bug(part: &'static str) -> &'static str {
    let own = BUGS.iter().find(|(bug, from, _)| planted(*bug) && part.contains(from));
    own.map_or(part, |(bug, from, to)| altered(*bug, part, from, to))
}

#[cfg(test)]
mod tests {
    use super::super::scripts::all;
    use super::BUGS;

    #[test]
    fn each_bug_has_its_place_in_a_script() {
        for (bug, from, _) in BUGS {
            let at: Vec<_> = all().iter().filter(|script| script.source().contains(from)).map(|it| it.name).collect();
            assert!(!at.is_empty(), "{bug:?}: no script has `{from}`");
        }
    }
}
