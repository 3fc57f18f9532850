//! Lists the mutants: the promise that each breaks, what goes wrong, and the tests that must fail by it.
//!
//! Each mutant has a patch and a row in docs/mutants.md (`cargo xtask tidy` checks both). To add one: a line here, `patches/<name>.patch`, its row in
//! docs/mutants.md, and a test that fails by it.

/// A mutant of the list.
#[derive(Debug, Clone, Copy)]
pub struct MutantInfo {
    /// The value that the patched code compares with.
    pub mutant: Mutant,
    /// The value of [`SWITCH`](crate::SWITCH) that activates it.
    pub name: &'static str,
    /// The promise that it breaks.
    pub promise: &'static str,
    /// What goes wrong.
    pub breaks: &'static str,
    /// The tests that must fail by it.
    pub caught_by: Catcher,
}

/// A selection of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Catcher {
    /// The folder of their package.
    pub package: &'static str,
    /// The test target: `lib` for unit tests, else the file or folder below `tests/`.
    pub target: &'static str,
    /// The part that the names of the tests have in common.
    pub tests: &'static str,
}

macro_rules! mutants {
    ($($promise:ident $mutant:ident = $name:literal, $breaks:literal, by $package:literal $target:literal $tests:literal;)+) => {
        /// A change of the code that breaks a promise.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Mutant { $(#[doc = $breaks] $mutant,)+ }

        /// Every mutant.
        pub const ALL: &[MutantInfo] = &[$(MutantInfo {
            mutant: Mutant::$mutant,
            name: $name,
            promise: stringify!($promise),
            breaks: $breaks,
            caught_by: Catcher { package: $package, target: $target, tests: $tests },
        },)+];
    };
}

mutants! {
    // The inventory state machine, which warm in memory runs.
    P1 SeatHeldTwice = "seat-held-twice", "a seat of another's hold is held again",
        by "crates/warm" "warm" "memory::inventory::random_commands";
    P4 LapsesOneLate = "lapses-one-late", "an expired hold that is not freed yet counts as active at the moment of its end",
        by "crates/domain" "lib" "inventory::tests::expired_holds";
    P4 SweepsOneLate = "sweeps-one-late", "a hold is freed a moment after its end",
        by "crates/warm" "warm" "memory::inventory::expired_holds_of_every_event";
    P1 SweepFreesClaimed = "sweep-frees-claimed", "freeing an expired hold frees places that an order has claimed",
        by "crates/warm" "warm" "memory::inventory::ordered_hold_is_neither";
    P1 OldNewsApplied = "old-news-applied", "an effect is applied although a newer one was applied before",
        by "crates/warm" "warm" "memory::inventory::random_commands";
    P1 EpochNotHigher = "epoch-not-higher", "a rebuild is installed under an epoch that is not higher",
        by "crates/warm" "warm" "memory::inventory::installation_with_an_epoch_that_is_not_higher";
    P1 ConflictingHoldSurvives = "conflicting-hold-survives", "a hold survives a rebuild although cold assigned its place to an order",
        by "crates/warm" "warm" "memory::inventory::rebuild_keeps_holds";
    P8 StepNotLogged = "step-not-logged", "a step is not written to the log",
        by "crates/warm" "warm" "memory::inventory::change_log_has_no_gaps";
    P4 PinMovesEnd = "pin-moves-end", "a pin moves the end of its hold",
        by "crates/warm" "warm" "memory::inventory::pin_outlives_its_hold";

    // Warm on Redis: the scripts.
    P1 RedisSeatHeldTwice = "redis-seat-held-twice", "the script holds a seat of another's hold again",
        by "crates/warm" "warm" "redis::inventory::hold_with_a_taken_place";
    P3 RedisAnyServer = "redis-any-server", "a restarted or promoted server serves without a rebuild of its events",
        by "crates/warm" "warm" "server_failures::restarted_server";
    P3 RedisOldCopy = "redis-old-copy", "a copy of the data that is older than what the caller has seen serves",
        by "crates/warm" "warm" "server_failures::old_copy";
    P3 RedisTornState = "redis-torn-state", "a store that lost some of its keys serves",
        by "crates/warm" "warm" "server_failures::incomplete_store";
    P4 RedisLapsesOneLate = "redis-lapses-one-late", "an expired hold that is not freed yet counts as active at the moment of its end",
        by "crates/warm" "warm" "redis::inventory::expired_hold_is_refused";
    P1 RedisSweepFreesClaimed = "redis-sweep-frees-claimed", "freeing an expired hold frees places that an order has claimed",
        by "crates/warm" "warm" "redis::inventory::ordered_hold_is_neither";
    P1 RedisOldNewsApplied = "redis-old-news-applied", "an effect is applied although a newer one was applied before",
        by "crates/warm" "warm" "redis::inventory::effect_of_an_old_version";
    P1 RedisInstallWithoutLease = "redis-install-without-lease", "a rebuild is installed by a node that has lost its lease",
        by "crates/warm" "warm" "redis::inventory::installation_without_the_rebuild_lease";
    P8 RedisStepNotLogged = "redis-step-not-logged", "a step is not written to the log",
        by "crates/warm" "warm" "redis::inventory::change_log_has_no_gaps";

    // Money, tickets and the gate: rules.
    P2 OddAmountBuys = "odd-amount-buys", "a capture of another amount than the requested one pays the order",
        by "crates/domain" "lib" "payments::decide";
    P1 LateMoneyIssues = "late-money-issues", "a capture after the order expired issues tickets without taking the places again",
        by "crates/domain" "lib" "payments::decide";
    P2 FreedWithoutProvider = "freed-without-provider", "an order expires while its provider could still capture",
        by "crates/domain" "lib" "payments::expiry";
    P6 AdmitsTwice = "admits-twice", "a used ticket is admitted again",
        by "crates/domain" "lib" "scanning::entry";
    P7 CodeOfAnotherEvent = "code-of-another-event", "a ticket of another event is looked up at this one's gate",
        by "crates/domain" "lib" "scanning::code";

    // Cold.
    P3 ReplyBeforeFlush = "reply-before-flush", "the committer answers before its commit is flushed",
        by "crates/cold" "lib" "committer::tests";
    P3 LostCommitGuessed = "lost-commit-guessed", "a commit whose answer was lost is repeated without looking its commands up",
        by "crates/cold" "lib" "committer::tests::lost_commit_reply";
    P1 ClaimsTaken = "claims-taken", "an order claims places that are not free",
        by "crates/cold" "contracts" "order_with_taken_places_is_refused";
    P8 JobUnfenced = "job-unfenced", "a runner that lost its lease ends the job",
        by "crates/cold" "contracts" "lapsed_lease_is_due_again";
    P8 LeaseRenewedByAnyone = "lease-renewed-by-anyone", "a runner that lost its lease renews it",
        by "crates/cold" "contracts" "lapsed_lease_is_due_again";
    P3 RepeatIsAnotherOrder = "repeat-is-another-order", "a repeated request for an order is not answered from its record",
        by "crates/cold" "contracts" "repeated_order_replays_the_first_answer";
    P3 RecordNotNoted = "record-not-noted", "a request with an idempotency key leaves no record of it",
        by "crates/cold" "contracts" "repeated_request_for_another_attempt_is_replayed";
    P3 KeyReused = "key-reused", "an idempotency key answers another request than its own",
        by "crates/cold" "contracts" "repeated_order_replays_the_first_answer";
    P7 OrderOfAnyTenant = "order-of-any-tenant", "an order is read without its organization",
        by "crates/cold" "contracts" "other_organizations_see_nothing";
    P2 TwoSenders = "two-senders", "an attempt is leased to a second sender while the first one's lease lives",
        by "crates/cold" "contracts" "attempt_is_leased_to_one_sender";
    P6 RefundedTicketAdmits = "refunded-ticket-admits", "a refund leaves its tickets valid",
        by "crates/cold" "contracts" "ticket_refund_revokes_then_frees_then_pays";
    P5 SaleNotBooked = "sale-not-booked", "a sale leaves no journal entry",
        by "crates/cold" "contracts" "capture_issues_tickets";

    // Between the tiers.
    P8 FailedFactDelivered = "failed-fact-delivered", "the relay marks an outbox event delivered before its consumer acknowledged it",
        by "crates/jobs" "jobs" "relay::unloaded_row";
    P8 UnloadedAcknowledged = "unloaded-acknowledged", "an effect that warm answered `unloaded` is acknowledged",
        by "crates/app" "commands" "outbox::warm_effects";
    P2 ChargedBeforeClaim = "charged-before-claim", "a charge is sent before the order is written",
        by "crates/app" "commands" "checkout::place_order";
    P2 ChargedWithoutLease = "charged-without-lease", "a charge is sent without the lease of its attempt",
        by "crates/app" "commands" "payments::send_attempt";
    P3 WarmScanDurable = "warm-scan-durable", "a scan that only warm has recorded is answered as durable",
        by "crates/app" "commands" "scanning::cold_outage";
    P6 KeptScanOvertaken = "kept-scan-overtaken", "cold decides a scan while the offline scan journal has an earlier admission of the ticket",
        by "crates/app" "commands" "scanning::";

    // Tokens, tenants, callbacks and viewers.
    P7 TokenUnchecked = "token-unchecked", "a token with a wrong signature is accepted",
        by "crates/app" "lib" "token::tests";
    P7 TokenOfAnotherHold = "token-of-another-hold", "the token of one hold opens another",
        by "crates/app" "commands" "checkout::place_order";
    P7 EventOfAnyTenant = "event-of-any-tenant", "an organizer acts on an event of another organization",
        by "testing/api" "tenants" "foreign_ids_are_answered";
    P2 UnsignedCallback = "unsigned-callback", "a callback without a valid signature is accepted",
        by "crates/gateways" "lib" "signature::tests";
    P4 FrameSkipped = "frame-skipped", "a viewer that reconnects misses a frame",
        by "crates/hot" "lib" "fanout::frame_ring";
    P10 StaleMarkMissing = "stale-mark-missing", "viewers see old availability without its stale mark",
        by "crates/hot" "lib" "fanout::tests::lifecycle::silence";
}
