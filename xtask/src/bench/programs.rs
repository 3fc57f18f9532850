//! Lists the benchmarks that are programs of `testing/stress` or suites of `testing/nodes`, with their targets.
//!
//! To add one: its program in `testing/stress/src/bin/` and its entry here.

use super::Benchmark;
use super::measurements::{BenchmarkReport, Claim, ClaimTarget, run_program};
use crate::system_packages::{self, HAPROXY, POSTGRES, REDIS, SystemPackage};
use crate::task_context::TaskContext;

/// A benchmark that is a program of `testing/stress`.
pub struct StressBenchmark {
    name: &'static str,
    about: &'static str,
    claims: &'static [Claim],
    needs: &'static [SystemPackage],
}

/// Holds over HTTP.
pub const HOLD: StressBenchmark = StressBenchmark {
    name: "hold",
    about: "a hold on one of 60,000 seats beside an empty route, same client and connections, rounds in turn",
    claims: &[Claim::Ratio("hold", "empty route", ClaimTarget::AtLeast(0.5))],
    needs: &[],
};

/// Holds over HTTP with the warm tier on Redis.
pub const HOLD_REDIS: StressBenchmark = StressBenchmark {
    name: "hold_redis",
    about: "a hold over Redis beside an empty route and redis-benchmark with the same call, with what it costs the node and Redis",
    claims: &[
        Claim::Ratio("hold over Redis", "empty route", ClaimTarget::AtLeast(0.5)),
        Claim::Value("hold over Redis", ClaimTarget::AtLeast(10_000.0)),
        Claim::Ratio("hold over Redis", "redis-benchmark, the same call", ClaimTarget::AtLeast(0.5)),
    ],
    needs: &[system_packages::REDIS],
};

/// Holds in small and large events, by the warm tier's port.
pub const GROWTH: StressBenchmark = StressBenchmark {
    name: "growth",
    about: "a hold in an event of 200,000 places beside one of 1,000, in memory and on Redis",
    claims: &[
        Claim::Ratio("memory, 200,000 places", "memory, 1,000 places", ClaimTarget::AtMost(2.0)),
        Claim::Ratio("Redis, 200,000 places", "Redis, 1,000 places", ClaimTarget::AtMost(1.5)),
    ],
    needs: &[system_packages::REDIS],
};

/// A sale and a gate on Redis and Postgres.
pub const SALE: StressBenchmark = StressBenchmark {
    name: "sale",
    about: "a saturating sale on Redis and Postgres while a gate scans; share that touches the cold tier",
    claims: &[
        Claim::Value("requests that never touched cold", ClaimTarget::AtLeast(90.0)),
        Claim::Value("scan during the sale, p99", ClaimTarget::AtMost(50.0)),
    ],
    needs: &[system_packages::REDIS, system_packages::POSTGRES],
};

/// Group commit on SQLite.
pub const COMMITTER: StressBenchmark = StressBenchmark {
    name: "committer",
    about: "orders in shared transactions beside one commit each, by the same statements, on a real disk",
    claims: &[
        Claim::Ratio("32 tasks, shared", "32 tasks, one by one", ClaimTarget::AtLeast(5.0)),
        Claim::Ratio("lone order, shared", "lone order, one by one", ClaimTarget::AtMost(1.15)),
    ],
    needs: &[],
};

/// Group commit on Postgres.
pub const COMMITTER_POSTGRES: StressBenchmark = StressBenchmark {
    name: "committer_postgres",
    about: "orders in shared transactions on Postgres beside pgbench with the same statements, one transaction each",
    claims: &[
        Claim::Ratio("32 tasks, shared", "pgbench, one transaction each", ClaimTarget::AtLeast(5.0)),
        Claim::Ratio("32 tasks, shared", "pgbench, best commit_delay", ClaimTarget::AtLeast(3.0)),
    ],
    needs: &[system_packages::POSTGRES],
};

/// Choosing adjacent seats.
pub const BEST_AVAILABLE: StressBenchmark = StressBenchmark {
    name: "best_available",
    about: "the best free seats of 60,000 at 95 % sold, by the size of the party",
    claims: &[
        Claim::Value("party of 1, p99", ClaimTarget::AtMost(200.0)),
        Claim::Value("party of 2, p99", ClaimTarget::AtMost(200.0)),
        Claim::Value("party of 3, p99", ClaimTarget::AtMost(200.0)),
        Claim::Value("party of 4, p99", ClaimTarget::AtMost(200.0)),
        Claim::Value("party of 6, p99", ClaimTarget::AtMost(200.0)),
        Claim::Value("party of 8, p99", ClaimTarget::AtMost(200.0)),
        Claim::Value("party of 10, p99", ClaimTarget::AtMost(200.0)),
    ],
    needs: &[],
};

/// Fan-out of the live map to viewers.
pub const FANOUT: StressBenchmark = StressBenchmark {
    name: "fanout",
    about: "a frame to 10,000 viewers beside a bare loop that sends the same bytes to as many sockets",
    claims: &[Claim::Ratio(
        "server, CPU per frame and viewer",
        "bare loop, CPU per frame and viewer",
        ClaimTarget::AtMost(2.0),
    )],
    needs: &[],
};

/// Latencies under load.
pub const UNDER_LOAD: StressBenchmark = StressBenchmark {
    name: "under_load",
    about: "latencies that buyers and gate staff see while a sale and a gate run at once, in an open loop",
    claims: &[
        Claim::Value("scan, p99", ClaimTarget::AtMost(5.0)),
        Claim::Value("hold to viewer, p99", ClaimTarget::AtMost(150.0)),
    ],
    needs: &[],
};

/// Requests per second by kind. The targets (30 pages, 15 carts, 7 orders, 18 scans) are pretix' rates on the same kind of machine, measured separately.
pub const RATES: StressBenchmark = StressBenchmark {
    name: "rates",
    about: "requests per second of the whole server, one kind of request at a time",
    claims: &[
        Claim::Value("event pages", ClaimTarget::AtLeast(30.0)),
        Claim::Value("holds of two seats", ClaimTarget::AtLeast(15.0)),
        Claim::Value("orders paid, with tickets", ClaimTarget::AtLeast(7.0)),
        Claim::Value("scans", ClaimTarget::AtLeast(18.0)),
    ],
    needs: &[],
};

/// A benchmark that is a suite of `voelgoed-nodes`.
pub struct NodesBenchmark {
    name: &'static str,
    about: &'static str,
    arguments: &'static [&'static str],
    claims: &'static [Claim],
}

/// Recovery after the warm tier is emptied.
pub const FLUSH: NodesBenchmark = NodesBenchmark {
    name: "flush",
    about: "FLUSHALL at the peak of a sale of 60,000 seats, half of them sold, until both nodes grant holds again",
    arguments: &["flush"],
    claims: &[Claim::Value("flush to the next hold at each node, p99", ClaimTarget::AtMost(2_000.0))],
};

/// Goodput after a node is killed.
pub const KILLED: NodesBenchmark = NodesBenchmark {
    name: "killed",
    about: "kill -9 of one of three nodes behind HAProxy, in an open loop at half of capacity",
    arguments: &["killed"],
    claims: &[Claim::Value("goodput after / before", ClaimTarget::AtLeast(0.95))],
};

impl Benchmark for NodesBenchmark {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<BenchmarkReport> {
        system_packages::install_missing(&[HAPROXY, POSTGRES, REDIS])?;
        let (binary, root) = (context.release_binary()?, context.target().join("bench-nodes"));
        let paths = [("--binary", binary), ("--root", root.as_path())];
        run_program(context, ("voelgoed-nodes", "voelgoed-nodes"), self.arguments, &paths, self.claims)
    }
}

/// Cost of a refusal while a store is unavailable.
pub const REFUSALS: StressBenchmark = StressBenchmark {
    name: "refusals",
    about: "a command that is refused because a store is unavailable, beside the same command served, both minus an empty route",
    claims: &[
        Claim::Value("hold: refused / served, beyond the empty route", ClaimTarget::AtMost(0.1)),
        Claim::Value("order: refused / served, beyond the empty route", ClaimTarget::AtMost(0.1)),
        Claim::Value("scan: refused / served, beyond the empty route", ClaimTarget::AtMost(0.1)),
    ],
    needs: &[],
};

impl Benchmark for StressBenchmark {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn run(&self, context: &TaskContext) -> anyhow::Result<BenchmarkReport> {
        system_packages::install_missing(self.needs)?;
        let binary = context.release_binary()?;
        let data = context.target().join("bench");
        let paths = [("--voelgoed", binary), ("--data", data.as_path())];
        run_program(context, ("voelgoed-stress", self.name), &[], &paths, self.claims)
    }
}
