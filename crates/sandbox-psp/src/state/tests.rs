//! Tests each decision with a table of cases, and the invariants with random sequences of decisions.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::config::{Delays, RECORDS_MAX};
use crate::protocol::{ChargeRequest, ChargeState, RefundChargeRequest};
use crate::record::CallbackState;

const DELAYS: Delays = Delays {
    short: Duration::from_secs(1),
    slow: Duration::from_secs(3),
    late: Duration::from_secs(8),
    hang: Duration::from_secs(1),
    callback_backoff_first: Duration::from_secs(1),
    callback_backoff_max: Duration::from_secs(1),
    callback_timeout: Duration::from_secs(1),
    callback_lifetime: Duration::from_secs(1),
};

fn at(second: u64) -> Timestamp {
    Timestamp::default().plus(Duration::from_secs(second))
}

fn request(key: &str, method: &str) -> ChargeRequest {
    ChargeRequest {
        key: key.into(),
        amount: 450,
        currency: "ZAR".into(),
        method: method.into(),
        send_before: at(60),
        pay_by: Some(at(100)),
    }
}

fn refund(key: &str, charge: &str, amount: i64) -> RefundChargeRequest {
    RefundChargeRequest { key: key.into(), charge: charge.into(), amount }
}

/// Applies a decision as `DurableState` does.
fn execute<T>(state: &mut ProviderState, change: ChangeResult<T>) -> Result<T, RequestError> {
    let StateChange { record, reply } = change?;
    if let Some(record) = record {
        state.apply(record);
    }
    Ok(reply)
}

impl ProviderState {
    fn do_charge(&mut self, request: &ChargeRequest, now: Timestamp) -> Result<ChargeReply, RequestError> {
        let change = self.charge(request, now, &DELAYS, RECORDS_MAX);
        execute(self, change)
    }

    fn do_cancel(&mut self, key: &str, now: Timestamp) -> Result<ChargeState, RequestError> {
        let change = self.cancel(key, now, RECORDS_MAX);
        execute(self, change).map(|reply| reply.state)
    }

    fn do_refund(&mut self, request: &RefundChargeRequest) -> Result<RefundReply, RequestError> {
        let change = self.refund(request, at(50), RECORDS_MAX);
        execute(self, change)
    }

    fn do_capture(&mut self, now: Timestamp) -> bool {
        let change = self.capture_due(now);
        execute(self, Ok(change)).unwrap()
    }

    fn do_finish(&mut self, id: &str, end: CallbackState) {
        let change = self.finish_callback(id, end);
        execute(self, Ok(change)).unwrap();
    }

    fn state(&self, key: &str) -> ChargeState {
        self.charge_reply(key).unwrap().state
    }
}

#[test]
fn each_method_settles_captures_and_cancels_as_its_row_says() {
    use ChargeState::{Captured, Declined, Pending, Voided};
    // Method; state on arrival at second 10; when it is captured; how many callbacks; the state after a cancellation at second 10.
    let rows = [
        ("ok", Captured, None, 1, Captured),
        ("declined", Declined, None, 1, Declined),
        ("slow", Pending, Some(13), 1, Voided),
        ("timeout", Captured, None, 1, Captured),
        ("late", Pending, Some(108), 1, Pending),
        ("twice", Pending, Some(11), 2, Voided),
        ("lost", Pending, Some(11), 0, Voided),
    ];
    for (method, state_on_arrival, captured_at, callbacks, cancelled) in rows {
        let mut state = ProviderState::default();
        assert_eq!(state.do_charge(&request("k", method), at(10)).unwrap().state, state_on_arrival, "{method}");
        assert_eq!(state.next_capture(), captured_at.map(at), "{method}");
        if let Some(second) = captured_at {
            assert!(!state.do_capture(at(second - 1)), "{method} too early");
            assert!(state.do_capture(at(second)), "{method}");
            assert_eq!(state.charge_reply("k").unwrap().settled_at, Some(at(second)), "{method}");
            assert!(!state.do_capture(at(second)), "{method} only once");
        }
        let end = if captured_at.is_some() { Captured } else { state_on_arrival };
        assert_eq!(state.state("k"), end, "{method}");
        assert_eq!(state.pending_callback_count(), callbacks, "{method}");

        let mut state = ProviderState::default();
        state.do_charge(&request("k", method), at(10)).unwrap();
        assert_eq!(state.do_cancel("k", at(10)), Ok(cancelled), "{method}");
        assert_eq!(state.do_cancel("k", at(11)), Ok(cancelled), "{method} again");
        let captures_later = state.do_capture(at(1000));
        assert_eq!(captures_later, cancelled == Pending, "{method} after its cancellation");
    }
}

#[test]
fn invalid_charge_is_refused_with_its_code_and_not_recorded() {
    let with = |change: fn(&mut ChargeRequest)| {
        let mut request = request("k", "ok");
        change(&mut request);
        request
    };
    let rows: [(ChargeRequest, &str); 12] = [
        (with(|r| r.key = String::new()), "invalid"),
        (with(|r| r.key = "k".repeat(201)), "invalid"),
        (with(|r| r.key = "a/b".into()), "invalid"),
        (with(|r| r.key = "..".into()), "invalid"),
        (with(|r| r.key = "é".into()), "invalid"),
        (with(|r| r.amount = 0), "invalid"),
        (with(|r| r.amount = -1), "invalid"),
        (with(|r| r.currency = "zar".into()), "invalid"),
        (with(|r| r.currency = "ZARR".into()), "invalid"),
        (with(|r| r.method = "cash".into()), "invalid"),
        (with(|r| r.method = "down".into()), "not_here"),
        (with(|r| r.send_before = at(10).minus(Duration::from_micros(1))), "too_late"),
    ];
    for (request, code) in rows {
        let mut state = ProviderState::default();
        assert_eq!(state.do_charge(&request, at(10)).unwrap_err().code(), code, "{request:?}");
        assert_eq!(state.record_count(), 0, "{request:?}");
    }
    let longest = with(|r| r.key = "k".repeat(200));
    assert!(
        ProviderState::default().do_charge(&longest, at(60)).is_ok(),
        "a charge at send_before and a key of maximum length are accepted"
    );
}

#[test]
fn replayed_key_returns_its_charge_and_never_creates_a_second_one() {
    let mut state = ProviderState::default();
    let first = state.do_charge(&request("k", "slow"), at(10)).unwrap();
    assert_eq!(state.do_charge(&request("k", "slow"), at(11)), Ok(first.clone()));
    let resent = ChargeRequest { send_before: at(70), pay_by: None, ..request("k", "slow") };
    assert_eq!(state.do_charge(&resent, at(65)), Ok(first), "a replay may carry other times");
    assert_eq!(
        state.do_charge(&request("k", "slow"), at(61)).unwrap().state,
        ChargeState::Pending,
        "a replay after send_before is answered"
    );
    let others = [
        ChargeRequest { amount: 451, ..request("k", "slow") },
        ChargeRequest { currency: "EUR".into(), ..request("k", "slow") },
        ChargeRequest { method: "ok".into(), ..request("k", "slow") },
    ];
    for other in others {
        assert_eq!(state.do_charge(&other, at(11)), Err(RequestError::KeyMismatch), "{other:?}");
    }
    assert_eq!(state.do_cancel("k", at(12)), Ok(ChargeState::Voided));
    assert_eq!(state.do_charge(&request("k", "slow"), at(12)).unwrap().state, ChargeState::Voided);
    assert!(!state.do_capture(at(1000)), "a voided charge is never captured");
}

#[test]
fn key_cancelled_before_its_charge_is_barred_for_ever() {
    let mut state = ProviderState::default();
    assert_eq!(state.do_cancel("k", at(10)), Ok(ChargeState::Voided));
    assert_eq!(state.do_cancel("k", at(11)), Ok(ChargeState::Voided));
    assert_eq!(state.record_count(), 1);
    assert_eq!(state.do_charge(&request("k", "ok"), at(12)), Err(RequestError::KeyCancelled));
    assert_eq!(state.charge_reply("k"), Err(RequestError::UnknownCharge));
    assert_eq!(state.do_cancel("not a key", at(10)).unwrap_err().code(), "invalid");
}

#[test]
fn refunds_never_exceed_the_captured_amount() {
    let mut state = ProviderState::default();
    state.do_charge(&request("paid", "ok"), at(10)).unwrap();
    state.do_charge(&request("pending", "slow"), at(10)).unwrap();
    state.do_charge(&request("declined", "declined"), at(10)).unwrap();
    let rows = [
        (refund("r1", "paid", 0), Some("invalid")),
        (refund("r1", "paid", -5), Some("invalid")),
        (refund("r 1", "paid", 5), Some("invalid")),
        (refund("r1", "nobody", 5), Some("unknown_charge")),
        (refund("r1", "pending", 5), Some("not_captured")),
        (refund("r1", "declined", 5), Some("not_captured")),
        (refund("r1", "paid", 451), Some("refund_too_large")),
        (refund("r1", "paid", i64::MAX), Some("refund_too_large")),
        (refund("r1", "paid", 400), None),
        (refund("r1", "paid", 400), None),
        (refund("r1", "paid", 50), Some("key_mismatch")),
        (refund("r1", "pending", 400), Some("key_mismatch")),
        (refund("r2", "paid", 51), Some("refund_too_large")),
        (refund("r2", "paid", 50), None),
        (refund("r3", "paid", 1), Some("refund_too_large")),
    ];
    for (request, code) in rows {
        assert_eq!(state.do_refund(&request).err().map(|error| error.code()), code, "{request:?}");
    }
    assert_eq!(state.charge_reply("paid").unwrap().refunded, 450);
    assert_eq!(state.refund_reply("r3"), Err(RequestError::UnknownRefund));
    assert_eq!(state.refund_reply("r2").unwrap().amount, 50);
}

#[test]
fn callback_is_pending_until_it_is_delivered_or_given_up() {
    let mut state = ProviderState::default();
    state.do_charge(&request("k", "twice"), at(10)).unwrap();
    assert!(state.pending_callback_ids().is_empty());
    state.do_capture(at(11));
    let waiting = state.pending_callback_ids();
    assert_eq!(waiting.len(), 2);
    let callback = state.pending_callback(&waiting[0]).unwrap();
    assert_eq!((callback.body.state, callback.body.amount, callback.since), (ChargeState::Captured, 450, at(11)));
    assert_eq!(callback.url, None);
    state.do_finish(&waiting[0], CallbackState::Delivered);
    assert_eq!(state.pending_callback_ids(), waiting[1..]);
    assert_eq!(state.pending_callback(&waiting[0]), None);
    state.do_finish(&waiting[0], CallbackState::GivenUp);
    state.do_finish(&waiting[1], CallbackState::GivenUp);
    assert_eq!(state.pending_callback_count(), 0);
}

#[test]
fn full_provider_refuses_new_keys_and_still_answers_known_ones() {
    let mut state = ProviderState::default();
    state.do_charge(&request("k", "ok"), at(10)).unwrap();
    let records_max = 1;
    assert_eq!(state.charge(&request("l", "ok"), at(10), &DELAYS, records_max).unwrap_err(), RequestError::Full);
    assert_eq!(state.cancel("l", at(10), records_max).unwrap_err(), RequestError::Full);
    assert_eq!(state.refund(&refund("r", "k", 1), at(10), records_max).unwrap_err(), RequestError::Full);
    assert!(state.charge(&request("k", "ok"), at(10), &DELAYS, records_max).is_ok());
    assert!(state.cancel("k", at(10), records_max).is_ok());
    assert!(state.refund(&refund("r", "k", 1), at(10), records_max + 1).is_ok());
}

#[test]
fn random_sequences_keep_the_invariants_and_replay_to_the_same_state() {
    let methods = ["ok", "declined", "slow", "timeout", "late", "twice", "lost"];
    for seed in 0..200 {
        let (mut random, mut state, mut written) = (StdRng::seed_from_u64(seed), ProviderState::default(), Vec::new());
        let mut voided = BTreeSet::new();
        for second in 0..120 {
            let key = format!("k{}", random.random_range(0..6));
            let method = methods[random.random_range(0..methods.len())];
            let record = match random.random_range(0..5) {
                0 | 1 => {
                    state.charge(&request(&key, method), at(second), &DELAYS, RECORDS_MAX).ok().and_then(|d| d.record)
                }
                2 => state.cancel(&key, at(second), RECORDS_MAX).ok().and_then(|change| {
                    if change.reply.state == ChargeState::Voided {
                        voided.insert(key.clone());
                    }
                    change.record
                }),
                3 => {
                    let request = refund(&format!("r{}", random.random_range(0..9)), &key, random.random_range(0..300));
                    state.refund(&request, at(second), RECORDS_MAX).ok().and_then(|change| change.record)
                }
                _ => state.capture_due(at(second)).record,
            };
            if let Some(record) = record {
                written.push(record.clone());
                state.apply(record);
            }
            for charge in state.charges.values() {
                let reply = state.reply_for_charge(charge);
                let captured = if reply.state == ChargeState::Captured { reply.amount } else { 0 };
                assert!((0..=captured).contains(&reply.refunded), "seed {seed}: {reply:?}");
                assert!(
                    !voided.contains(&charge.key) || charge.state == ChargeState::Voided,
                    "seed {seed}: {charge:?}"
                );
            }
        }
        let mut replayed = ProviderState::default();
        written.into_iter().for_each(|record| replayed.apply(record));
        assert_eq!(format!("{replayed:?}"), format!("{state:?}"), "seed {seed}");
        let mut compacted = ProviderState::default();
        state.records().for_each(|record| compacted.apply(record));
        assert_eq!(format!("{compacted:?}"), format!("{state:?}"), "seed {seed}");
    }
}
