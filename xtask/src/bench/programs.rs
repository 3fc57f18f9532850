//! The benchmarks that are programs of `testing/stress`: what each measures, and what is claimed of it.
//!
//! To add one: its program in `testing/stress/src/bin/` and its entry here.

use super::Benchmark;
use super::figures::{Claim, Figures, Target, of_program};
use crate::run::Run;

/// A benchmark that is a program.
pub struct Program {
    name: &'static str,
    about: &'static str,
    claims: &'static [Claim],
}

/// Holds over HTTP.
pub const HOLD: Program = Program {
    name: "hold",
    about: "a hold on one of 60,000 seats beside an empty route, same client and connections, rounds in turn",
    claims: &[Claim::Ratio("hold", "empty route", Target::AtLeast(0.5))],
};

/// The committer's port.
pub const COMMITTER: Program = Program {
    name: "committer",
    about: "orders in shared transactions beside one commit each, by the same statements, on a real disk",
    claims: &[
        Claim::Ratio("32 tasks, shared", "32 tasks, one by one", Target::AtLeast(5.0)),
        Claim::Ratio("lone order, shared", "lone order, one by one", Target::AtMost(1.15)),
    ],
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
};

/// Latencies.
pub const UNDER_LOAD: Program = Program {
    name: "under_load",
    about: "what people wait for while a sale and a gate run at once, in an open loop",
    claims: &[
        Claim::Value("scan, p99", Target::AtMost(5.0)),
        Claim::Value("hold to viewer, p99", Target::AtMost(150.0)),
    ],
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
};

/// What it costs to say no.
pub const REFUSALS: Program = Program {
    name: "refusals",
    about: "a command that is refused because something is away, beside the same one served, beyond an empty route",
    claims: &[
        Claim::Value("hold: refused / served, beyond the empty route", Target::AtMost(0.1)),
        Claim::Value("order: refused / served, beyond the empty route", Target::AtMost(0.1)),
        Claim::Value("scan: refused / served, beyond the empty route", Target::AtMost(0.1)),
    ],
};

impl Benchmark for Program {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn run(&self, run: &Run) -> anyhow::Result<Figures> {
        let binary = run.release_binary()?;
        let data = run.target().join("bench");
        of_program(
            run,
            "voelgoed-stress",
            self.name,
            &[("--voelgoed", binary), ("--data", data.as_path())],
            self.claims,
        )
    }
}
