//! Tests with tables what each outcome of a call proves; a new code of the provider is a new row.

use voelgoed_domain::money::Money;

use super::*;
use crate::sandbox::http_call::HttpReply;

fn replied(status: u16, body: &str) -> CallOutcome {
    CallOutcome::Replied(HttpReply { status, body: body.into() })
}

fn error_reply(status: u16, code: &str) -> CallOutcome {
    replied(status, &format!(r#"{{"code":"{code}","detail":"why"}}"#))
}

fn charge_json(state: &str, currency: &str) -> String {
    format!(
        r#"{{"key":"k","state":"{state}","amount":450,"currency":"{currency}","method":"ok","provider_ref":"sbx_1","refunded":0,
            "created_at":"2026-11-22T18:00:00Z","settled_at":null}}"#
    )
}

fn captured() -> Observation {
    let amount = Money::new(450, Currency::from_code("ZAR").unwrap());
    Observation::Captured { amount, provider_ref: "sbx_1".into() }
}

fn declined(reason: &str) -> Observation {
    Observation::Declined { reason: reason.into() }
}

#[test]
fn each_outcome_of_a_charge_and_a_poll_proves_its_row() {
    use Observation::{Absent, NoAnswer, NotReached, Pending, Voided};
    let refused = || CallOutcome::NotReached("refused".into());
    let no_reply = || CallOutcome::NoReply("deadline".into());
    // The outcome; what it proves of a charge; what it proves of a poll.
    let rows = [
        (refused as fn() -> CallOutcome, NotReached, NoAnswer),
        (no_reply, NoAnswer, NoAnswer),
        (|| replied(200, &charge_json("pending", "ZAR")), Pending, Pending),
        (|| replied(200, &charge_json("captured", "ZAR")), captured(), captured()),
        (|| replied(200, &charge_json("declined", "ZAR")), declined(DECLINED), declined(DECLINED)),
        (|| replied(200, &charge_json("voided", "ZAR")), Voided, Voided),
        (|| replied(200, &charge_json("captured", "???")), NoAnswer, NoAnswer),
        (|| replied(200, &charge_json("astonished", "ZAR")), NoAnswer, NoAnswer),
        (|| replied(200, "<html>"), NoAnswer, NoAnswer),
        (|| replied(301, ""), NoAnswer, NoAnswer),
        (|| replied(404, "not found"), NoAnswer, NoAnswer),
        (|| replied(504, ""), NoAnswer, NoAnswer),
        (|| error_reply(404, "unknown_charge"), NoAnswer, Absent),
        (|| error_reply(410, "key_cancelled"), Voided, NoAnswer),
        (|| error_reply(422, "invalid"), declined("why"), NoAnswer),
        (|| error_reply(409, "too_late"), NotReached, NoAnswer),
        (|| error_reply(421, "not_here"), NotReached, NoAnswer),
        (|| error_reply(507, "full"), NotReached, NoAnswer),
        // Another charge has this key; only a poll shows its state.
        (|| error_reply(409, "key_mismatch"), NoAnswer, NoAnswer),
        (|| error_reply(503, "busy"), NoAnswer, NoAnswer),
        (|| error_reply(503, "broken"), NoAnswer, NoAnswer),
        (|| error_reply(418, "teapot"), NoAnswer, NoAnswer),
    ];
    for (outcome, of_charge, of_poll) in rows {
        assert_eq!(charge(outcome()), of_charge, "charge {:?}", outcome());
        assert_eq!(poll(outcome()), of_poll, "poll {:?}", outcome());
    }
}

#[test]
fn each_outcome_of_a_cancellation_proves_its_row() {
    use Observation::{NoAnswer, Pending, Voided};
    let with = |state: &str| {
        replied(200, &format!(r#"{{"key":"k","state":"{state}","charge":{}}}"#, charge_json(state, "ZAR")))
    };
    let rows = [
        (with("voided"), Voided),
        (with("captured"), captured()),
        (with("declined"), declined(DECLINED)),
        (with("pending"), Pending),
        (replied(200, r#"{"key":"k","state":"voided","charge":null}"#), Voided),
        (replied(200, r#"{"key":"k","state":"captured","charge":null}"#), NoAnswer),
        (error_reply(503, "busy"), NoAnswer),
        (error_reply(507, "full"), NoAnswer),
        (error_reply(404, "unknown_charge"), NoAnswer),
        (CallOutcome::NotReached("refused".into()), NoAnswer),
        (CallOutcome::NoReply("deadline".into()), NoAnswer),
    ];
    for (outcome, expected) in rows {
        let shown = format!("{outcome:?}");
        assert_eq!(cancel(outcome), expected, "{shown}");
    }
}

#[test]
fn each_outcome_of_a_refund_proves_its_row() {
    use RefundObservation::{Failed, NoAnswer, NotReached};
    let done = r#"{"key":"r","charge":"k","state":"done","amount":1,"currency":"ZAR","provider_ref":"sbr_1","at":"2026-11-22T18:00:00Z"}"#;
    let failed = || Failed { reason: "why".into() };
    // The outcome; what it proves of a refund; what it proves of a poll.
    let rows = [
        ((|| CallOutcome::NotReached("refused".into())) as fn() -> CallOutcome, NotReached, NoAnswer),
        (|| CallOutcome::NoReply("deadline".into()), NoAnswer, NoAnswer),
        (|| replied(500, ""), NoAnswer, NoAnswer),
        (|| error_reply(503, "busy"), NoAnswer, NoAnswer),
        (|| error_reply(404, "unknown_refund"), NotReached, NotReached),
        (|| error_reply(404, "unknown_charge"), failed(), failed()),
        (|| error_reply(409, "not_captured"), failed(), failed()),
        (|| error_reply(409, "refund_too_large"), failed(), failed()),
        (|| error_reply(409, "key_mismatch"), failed(), failed()),
        (|| error_reply(422, "invalid"), failed(), failed()),
    ];
    for (outcome, of_refund, of_poll) in rows {
        assert_eq!(refund(outcome()), of_refund, "refund {:?}", outcome());
        assert_eq!(poll_refund(outcome()), of_poll, "poll {:?}", outcome());
    }
    assert_eq!(refund(replied(200, done)), RefundObservation::Done { provider_ref: "sbr_1".into() });
}
