//! Every decision as a row of a table, and the invariants under random sequences.

use std::time::Duration;

use super::*;
use crate::sandbox::protocol::{ChargeRequest, ChargeState, RefundRequest};
use crate::sandbox::server::config::{Delays, MOST_RECORDS};
use crate::sandbox::server::record::CallbackState;

const DELAYS: Delays = Delays {
    short: Duration::from_secs(1),
    slow: Duration::from_secs(3),
    late: Duration::from_secs(8),
    hang: Duration::from_secs(1),
    callback_first_pause: Duration::from_secs(1),
    callback_longest_pause: Duration::from_secs(1),
    callback_deadline: Duration::from_secs(1),
    callback_life: Duration::from_secs(1),
};

/// Second `second` of the test.
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

fn refund(key: &str, charge: &str, amount: i64) -> RefundRequest {
    RefundRequest { key: key.into(), charge: charge.into(), amount }
}

/// Applies a decision as the provider does.
fn carry_out<T>(books: &mut Books, decided: Decided<T>) -> Result<T, Refused> {
    let Decision { record, answer } = decided?;
    if let Some(record) = record {
        books.apply(record);
    }
    Ok(answer)
}

impl Books {
    fn do_charge(&mut self, request: &ChargeRequest, now: Timestamp) -> Result<ChargeAnswer, Refused> {
        let decided = self.charge(request, now, &DELAYS, MOST_RECORDS);
        carry_out(self, decided)
    }

    fn do_cancel(&mut self, key: &str, now: Timestamp) -> Result<ChargeState, Refused> {
        let decided = self.cancel(key, now, MOST_RECORDS);
        carry_out(self, decided).map(|answer| answer.state)
    }

    fn do_refund(&mut self, request: &RefundRequest) -> Result<RefundAnswer, Refused> {
        let decided = self.refund(request, at(50), MOST_RECORDS);
        carry_out(self, decided)
    }

    fn do_capture(&mut self, now: Timestamp) -> bool {
        let decision = self.capture_due(now);
        carry_out(self, Ok(decision)).unwrap()
    }

    fn do_finish(&mut self, id: &str, end: CallbackState) {
        let decision = self.finish_callback(id, end);
        carry_out(self, Ok(decision)).unwrap();
    }

    fn state(&self, key: &str) -> ChargeState {
        self.charge_answer(key).unwrap().state
    }
}

#[test]
fn each_method_from_arrival_to_its_end() {
    use ChargeState::{Captured, Declined, Pending, Voided};
    // Method; state on arrival at second 10; when it is captured; how many callbacks; what a cancellation at second 10 comes to.
    let rows = [
        ("ok", Captured, None, 1, Captured),
        ("declined", Declined, None, 1, Declined),
        ("slow", Pending, Some(13), 1, Voided),
        ("timeout", Captured, None, 1, Captured),
        ("late", Pending, Some(108), 1, Pending),
        ("twice", Pending, Some(11), 2, Voided),
        ("lost", Pending, Some(11), 0, Voided),
    ];
    for (method, on_arrival, captured_at, callbacks, cancelled) in rows {
        let mut books = Books::default();
        assert_eq!(books.do_charge(&request("k", method), at(10)).unwrap().state, on_arrival, "{method}");
        assert_eq!(books.next_capture(), captured_at.map(at), "{method}");
        if let Some(second) = captured_at {
            assert!(!books.do_capture(at(second - 1)), "{method} too early");
            assert!(books.do_capture(at(second)), "{method}");
            assert_eq!(books.charge_answer("k").unwrap().settled_at, Some(at(second)), "{method}");
            assert!(!books.do_capture(at(second)), "{method} only once");
        }
        let end = if captured_at.is_some() { Captured } else { on_arrival };
        assert_eq!(books.state("k"), end, "{method}");
        assert_eq!(books.waiting_count(), callbacks, "{method}");

        let mut books = Books::default();
        books.do_charge(&request("k", method), at(10)).unwrap();
        assert_eq!(books.do_cancel("k", at(10)), Ok(cancelled), "{method}");
        assert_eq!(books.do_cancel("k", at(11)), Ok(cancelled), "{method} again");
        let captures_later = books.do_capture(at(1000));
        assert_eq!(captures_later, cancelled == Pending, "{method} after its cancellation");
    }
}

#[test]
fn what_is_no_charge_is_refused_with_its_code() {
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
        let mut books = Books::default();
        assert_eq!(books.do_charge(&request, at(10)).unwrap_err().code(), code, "{request:?}");
        assert_eq!(books.len(), 0, "{request:?}");
    }
    let longest = with(|r| r.key = "k".repeat(200));
    assert!(Books::default().do_charge(&longest, at(60)).is_ok(), "the last moment and the longest key are lawful");
}

#[test]
fn a_key_is_one_charge_for_ever() {
    let mut books = Books::default();
    let first = books.do_charge(&request("k", "slow"), at(10)).unwrap();
    assert_eq!(books.do_charge(&request("k", "slow"), at(11)), Ok(first.clone()));
    let resent = ChargeRequest { send_before: at(70), pay_by: None, ..request("k", "slow") };
    assert_eq!(books.do_charge(&resent, at(65)), Ok(first), "the times belong to the sending");
    assert_eq!(books.do_charge(&request("k", "slow"), at(61)).unwrap().state, ChargeState::Pending, "late, and known");
    let others = [
        ChargeRequest { amount: 451, ..request("k", "slow") },
        ChargeRequest { currency: "EUR".into(), ..request("k", "slow") },
        ChargeRequest { method: "ok".into(), ..request("k", "slow") },
    ];
    for other in others {
        assert_eq!(books.do_charge(&other, at(11)), Err(Refused::KeyMismatch), "{other:?}");
    }
    assert_eq!(books.do_cancel("k", at(12)), Ok(ChargeState::Voided));
    assert_eq!(books.do_charge(&request("k", "slow"), at(12)).unwrap().state, ChargeState::Voided);
    assert!(!books.do_capture(at(1000)), "a voided charge is never captured");
}

#[test]
fn a_key_cancelled_unseen_is_barred_for_ever() {
    let mut books = Books::default();
    assert_eq!(books.do_cancel("k", at(10)), Ok(ChargeState::Voided));
    assert_eq!(books.do_cancel("k", at(11)), Ok(ChargeState::Voided));
    assert_eq!(books.len(), 1);
    assert_eq!(books.do_charge(&request("k", "ok"), at(12)), Err(Refused::KeyCancelled));
    assert_eq!(books.charge_answer("k"), Err(Refused::UnknownCharge));
    assert_eq!(books.do_cancel("not a key", at(10)).unwrap_err().code(), "invalid");
}

#[test]
fn refunds_never_exceed_what_was_captured() {
    let mut books = Books::default();
    books.do_charge(&request("paid", "ok"), at(10)).unwrap();
    books.do_charge(&request("pending", "slow"), at(10)).unwrap();
    books.do_charge(&request("declined", "declined"), at(10)).unwrap();
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
        assert_eq!(books.do_refund(&request).err().map(|refused| refused.code()), code, "{request:?}");
    }
    assert_eq!(books.charge_answer("paid").unwrap().refunded, 450);
    assert_eq!(books.refund_answer("r3"), Err(Refused::UnknownRefund));
    assert_eq!(books.refund_answer("r2").unwrap().amount, 50);
}

#[test]
fn a_callback_waits_until_it_is_finished_and_no_longer() {
    let mut books = Books::default();
    books.do_charge(&request("k", "twice"), at(10)).unwrap();
    assert!(books.waiting_callbacks().is_empty());
    books.do_capture(at(11));
    let waiting = books.waiting_callbacks();
    assert_eq!(waiting.len(), 2);
    let outgoing = books.outgoing(&waiting[0]).unwrap();
    assert_eq!((outgoing.body.state, outgoing.body.amount, outgoing.since), (ChargeState::Captured, 450, at(11)));
    assert_eq!(outgoing.url, None);
    books.do_finish(&waiting[0], CallbackState::Delivered);
    assert_eq!(books.waiting_callbacks(), waiting[1..]);
    assert_eq!(books.outgoing(&waiting[0]), None);
    books.do_finish(&waiting[0], CallbackState::GivenUp);
    books.do_finish(&waiting[1], CallbackState::GivenUp);
    assert_eq!(books.waiting_count(), 0);
}

#[test]
fn nothing_new_is_taken_beyond_the_limit_and_everything_known_is_still_answered() {
    let mut books = Books::default();
    books.do_charge(&request("k", "ok"), at(10)).unwrap();
    let most = 1;
    assert_eq!(books.charge(&request("l", "ok"), at(10), &DELAYS, most).unwrap_err(), Refused::Full);
    assert_eq!(books.cancel("l", at(10), most).unwrap_err(), Refused::Full);
    assert_eq!(books.refund(&refund("r", "k", 1), at(10), most).unwrap_err(), Refused::Full);
    assert!(books.charge(&request("k", "ok"), at(10), &DELAYS, most).is_ok());
    assert!(books.cancel("k", at(10), most).is_ok());
    assert!(books.refund(&refund("r", "k", 1), at(10), most + 1).is_ok());
}

/// A small generator, so that the sequences below are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[test]
fn any_sequence_keeps_the_promises_and_replays_to_the_same_books() {
    let methods = ["ok", "declined", "slow", "timeout", "late", "twice", "lost"];
    for seed in 0..200 {
        let (mut dice, mut books, mut written) = (Dice(seed), Books::default(), Vec::new());
        let mut voided = BTreeSet::new();
        for second in 0..120 {
            let key = format!("k{}", dice.roll(6));
            let method = methods[usize::try_from(dice.roll(7)).unwrap()];
            let record = match dice.roll(5) {
                0 | 1 => {
                    books.charge(&request(&key, method), at(second), &DELAYS, MOST_RECORDS).ok().and_then(|d| d.record)
                }
                2 => books.cancel(&key, at(second), MOST_RECORDS).ok().and_then(|decision| {
                    if decision.answer.state == ChargeState::Voided {
                        voided.insert(key.clone());
                    }
                    decision.record
                }),
                3 => {
                    let request = refund(&format!("r{}", dice.roll(9)), &key, i64::try_from(dice.roll(300)).unwrap());
                    books.refund(&request, at(second), MOST_RECORDS).ok().and_then(|decision| decision.record)
                }
                _ => books.capture_due(at(second)).record,
            };
            if let Some(record) = record {
                written.push(record.clone());
                books.apply(record);
            }
            for charge in books.charges.values() {
                let answer = books.tell(charge);
                let captured = if answer.state == ChargeState::Captured { answer.amount } else { 0 };
                assert!((0..=captured).contains(&answer.refunded), "seed {seed}: {answer:?}");
                assert!(
                    !voided.contains(&charge.key) || charge.state == ChargeState::Voided,
                    "seed {seed}: {charge:?}"
                );
            }
        }
        let mut replayed = Books::default();
        written.into_iter().for_each(|record| replayed.apply(record));
        assert_eq!(format!("{replayed:?}"), format!("{books:?}"), "seed {seed}");
        let mut compacted = Books::default();
        books.records().for_each(|record| compacted.apply(record));
        assert_eq!(format!("{compacted:?}"), format!("{books:?}"), "seed {seed}");
    }
}
