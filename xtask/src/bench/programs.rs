//! The benchmarks that are programs of `testing/stress`, or suites of `testing/nodes` that print figures: what each measures, and what is
//! claimed of it.
//!
//! To add one: its program in `testing/stress/src/bin/` and its entry here.

use super::Benchmark;
use super::figures::{Claim, Figures, Target, of_program};
use crate::machine::{self, HAPROXY, Need, POSTGRES, REDIS};
use crate::run::Run;

/// A benchmark that is a program.
pub struct Program {
    name: &'static str,
    about: &'static str,
    claims: &'static [Claim],
    needs: &'static [Need],
}

/// Holds over HTTP.
pub const HOLD: Program = Program {
    name: "hold",
    about: "a hold on one of 60,000 seats beside an empty route, same client and connections, rounds in turn",
    claims: &[Claim::Ratio("hold", "empty route", Target::AtLeast(0.5))],
    needs: &[],
};

/// Holds over HTTP, the warm tier on Redis.
pub const HOLD_REDIS: Program = Program {
    name: "hold_redis",
    about: "a hold over Redis beside an empty route and redis-benchmark with the same call, with what it costs the node and Redis",
    claims: &[
        Claim::Ratio("hold over Redis", "empty route", Target::AtLeast(0.5)),
        Claim::Value("hold over Redis", Target::AtLeast(10_000.0)),
        Claim::Ratio("hold over Redis", "redis-benchmark, the same call", Target::AtLeast(0.5)),
    ],
    needs: &[machine::REDIS],
};

/// The warm tier's port in small and large events.
pub const GROWTH: Program = Program {
    name: "growth",
    about: "a hold in an event of 200,000 places beside one of 1,000, in memory and on Redis",
    claims: &[
        Claim::Ratio("memory, 200,000 places", "memory, 1,000 places", Target::AtMost(2.0)),
        Claim::Ratio("Redis, 200,000 places", "Redis, 1,000 places", Target::AtMost(1.5)),
    ],
    needs: &[machine::REDIS],
};

/// A sale and a gate on the tiers of a platform.
pub const SALE: Program = Program {
    name: "sale",
    about: "a saturating sale on Redis and Postgres while a gate scans; what of it touches the cold tier",
    claims: &[
        Claim::Value("requests that never touched cold", Target::AtLeast(90.0)),
        Claim::Value("scan during the sale, p99", Target::AtMost(50.0)),
    ],
    needs: &[machine::REDIS, machine::POSTGRES],
};

/// The committer's port.
pub const COMMITTER: Program = Program {
    name: "committer",
    about: "orders in shared transactions beside one commit each, by the same statements, on a real disk",
    claims: &[
        Claim::Ratio("32 tasks, shared", "32 tasks, one by one", Target::AtLeast(5.0)),
        Claim::Ratio("lone order, shared", "lone order, one by one", Target::AtMost(1.15)),
    ],
    needs: &[],
};

/// The committer's port on Postgres.
pub const COMMITTER_POSTGRES: Program = Program {
    name: "committer_postgres",
    about: "orders in shared transactions on Postgres beside pgbench with the same statements, one transaction each",
    claims: &[
        Claim::Ratio("32 tasks, shared", "pgbench, one transaction each", Target::AtLeast(5.0)),
        Claim::Ratio("32 tasks, shared", "pgbench, best commit_delay", Target::AtLeast(3.0)),
    ],
    needs: &[machine::POSTGRES],
};

/// The choice of seats.
pub const BEST_AVAILABLE: Program = Program {
    name: "best_available",
    about: "the best free seats of 60,000 at 95 % sold, by the size of the party",
    claims: &[
        Claim::Value("party of 1, p99", Target::AtMost(200.0)),
        Claim::Value("party of 2, p99", Target::AtMost(200.0)),
        Claim::Value("party of 3, p99", Target::AtMost(200.0)),
        Claim::Value("party of 4, p99", Target::AtMost(200.0)),
        Claim::Value("party of 6, p99", Target::AtMost(200.0)),
        Claim::Value("party of 8, p99", Target::AtMost(200.0)),
        Claim::Value("party of 10, p99", Target::AtMost(200.0)),
    ],
    needs: &[],
};

/// The live map.
pub const FANOUT: Program = Program {
    name: "fanout",
    about: "a frame to 10,000 viewers beside a bare loop that sends the same bytes to as many sockets",
    claims: &[Claim::Ratio(
        "server, CPU per frame and viewer",
        "bare loop, CPU per frame and viewer",
        Target::AtMost(2.0),
    )],
    needs: &[],
};

/// Latencies.
pub const UNDER_LOAD: Program = Program {
    name: "under_load",
    about: "what people wait for while a sale and a gate run at once, in an open loop",
    claims: &[
        Claim::Value("scan, p99", Target::AtMost(5.0)),
        Claim::Value("hold to viewer, p99", Target::AtMost(150.0)),
    ],
    needs: &[],
};

/// Plain rates. They are shown beside 30 pages, 15 carts, 7 orders and 18 scans a second: what pretix did on the same kind of machine, measured elsewhere.
pub const RATES: Program = Program {
    name: "rates",
    about: "what the whole shop does in a second, one kind of request at a time",
    claims: &[
        Claim::Value("event pages", Target::AtLeast(30.0)),
        Claim::Value("holds of two seats", Target::AtLeast(15.0)),
        Claim::Value("orders paid, with tickets", Target::AtLeast(7.0)),
        Claim::Value("scans", Target::AtLeast(18.0)),
    ],
    needs: &[],
};

/// A benchmark that is a suite of `voelgoed-nodes`.
pub struct Suite {
    name: &'static str,
    about: &'static str,
    arguments: &'static [&'static str],
    claims: &'static [Claim],
}

/// The warm tier emptied at the peak.
pub const FLUSH: Suite = Suite {
    name: "flush",
    about: "FLUSHALL at the peak of a sale of 60,000 seats, half of them sold, until both nodes grant holds again",
    arguments: &["flush"],
    claims: &[Claim::Value("flush to the next hold at each node, p99", Target::AtMost(2_000.0))],
};

/// A node killed at half of what the platform can do.
pub const KILLED: Suite = Suite {
    name: "killed",
    about: "kill -9 of one of three nodes behind HAProxy, in an open loop at half of capacity",
    arguments: &["killed"],
    claims: &[Claim::Value("goodput after / before", Target::AtLeast(0.95))],
};

impl Benchmark for Suite {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn run(&self, run: &Run) -> anyhow::Result<Figures> {
        machine::prepare(&[HAPROXY, POSTGRES, REDIS])?;
        let (binary, root) = (run.release_binary()?, run.target().join("bench-nodes"));
        let paths = [("--binary", binary), ("--root", root.as_path())];
        of_program(run, ("voelgoed-nodes", "voelgoed-nodes"), self.arguments, &paths, self.claims)
    }
}

/// What it costs to say no.
pub const REFUSALS: Program = Program {
    name: "refusals",
    about: "a command that is refused because something is away, beside the same one served, beyond an empty route",
    claims: &[
        Claim::Value("hold: refused / served, beyond the empty route", Target::AtMost(0.1)),
        Claim::Value("order: refused / served, beyond the empty route", Target::AtMost(0.1)),
        Claim::Value("scan: refused / served, beyond the empty route", Target::AtMost(0.1)),
    ],
    needs: &[],
};

impl Benchmark for Program {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn run(&self, run: &Run) -> anyhow::Result<Figures> {
        machine::prepare(self.needs)?;
        let binary = run.release_binary()?;
        let data = run.target().join("bench");
        let paths = [("--voelgoed", binary), ("--data", data.as_path())];
        of_program(run, ("voelgoed-stress", self.name), &[], &paths, self.claims)
    }
}
