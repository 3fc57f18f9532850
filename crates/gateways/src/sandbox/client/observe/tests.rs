//! Each end of a call and what it proves, as rows; a new answer of the provider is a new row.

use voelgoed_domain::money::Money;

use super::*;
use crate::sandbox::client::exchange::Answer;

fn answered(status: u16, body: &str) -> Ended {
    Ended::Answered(Answer { status, body: body.into() })
}

fn problem(status: u16, code: &str) -> Ended {
    answered(status, &format!(r#"{{"code":"{code}","detail":"why"}}"#))
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
fn what_each_end_of_a_call_proves() {
    use Observation::{Absent, NoAnswer, NotReached, Pending, Voided};
    let refused = || Ended::NotReached("refused".into());
    let silence = || Ended::NoAnswer("deadline".into());
    // How the call ended; what that proves of a charge that was sent, of a poll.
    let rows = [
        (refused as fn() -> Ended, NotReached, NoAnswer),
        (silence, NoAnswer, NoAnswer),
        (|| answered(200, &charge_json("pending", "ZAR")), Pending, Pending),
        (|| answered(200, &charge_json("captured", "ZAR")), captured(), captured()),
        (|| answered(200, &charge_json("declined", "ZAR")), declined(DECLINED), declined(DECLINED)),
        (|| answered(200, &charge_json("voided", "ZAR")), Voided, Voided),
        (|| answered(200, &charge_json("captured", "???")), NoAnswer, NoAnswer),
        (|| answered(200, &charge_json("astonished", "ZAR")), NoAnswer, NoAnswer),
        (|| answered(200, "<html>"), NoAnswer, NoAnswer),
        (|| answered(301, ""), NoAnswer, NoAnswer),
        (|| answered(404, "not found"), NoAnswer, NoAnswer),
        (|| answered(504, ""), NoAnswer, NoAnswer),
        (|| problem(404, "unknown_charge"), NoAnswer, Absent),
        (|| problem(410, "key_cancelled"), Voided, NoAnswer),
        (|| problem(422, "invalid"), declined("why"), NoAnswer),
        (|| problem(409, "too_late"), NotReached, NoAnswer),
        (|| problem(421, "not_here"), NotReached, NoAnswer),
        (|| problem(507, "full"), NotReached, NoAnswer),
        // Something else is charged under this key: only asking tells what.
        (|| problem(409, "key_mismatch"), NoAnswer, NoAnswer),
        (|| problem(503, "busy"), NoAnswer, NoAnswer),
        (|| problem(503, "broken"), NoAnswer, NoAnswer),
        (|| problem(418, "teapot"), NoAnswer, NoAnswer),
    ];
    for (ended, of_charge, of_poll) in rows {
        assert_eq!(charge(ended()), of_charge, "charge {:?}", ended());
        assert_eq!(poll(ended()), of_poll, "poll {:?}", ended());
    }
}

#[test]
fn what_each_end_of_a_cancellation_proves() {
    use Observation::{NoAnswer, Pending, Voided};
    let with = |state: &str| {
        answered(200, &format!(r#"{{"key":"k","state":"{state}","charge":{}}}"#, charge_json(state, "ZAR")))
    };
    let rows = [
        (with("voided"), Voided),
        (with("captured"), captured()),
        (with("declined"), declined(DECLINED)),
        (with("pending"), Pending),
        (answered(200, r#"{"key":"k","state":"voided","charge":null}"#), Voided),
        (answered(200, r#"{"key":"k","state":"captured","charge":null}"#), NoAnswer),
        (problem(503, "busy"), NoAnswer),
        (problem(507, "full"), NoAnswer),
        (problem(404, "unknown_charge"), NoAnswer),
        (Ended::NotReached("refused".into()), NoAnswer),
        (Ended::NoAnswer("deadline".into()), NoAnswer),
    ];
    for (ended, expected) in rows {
        let shown = format!("{ended:?}");
        assert_eq!(cancel(ended), expected, "{shown}");
    }
}

#[test]
fn what_each_end_of_a_refund_proves() {
    use RefundObservation::{Failed, NoAnswer, NotReached};
    let done = r#"{"key":"r","charge":"k","state":"done","amount":1,"currency":"ZAR","provider_ref":"sbr_1","at":"2026-11-22T18:00:00Z"}"#;
    let failed = || Failed { reason: "why".into() };
    // How the call ended; what that proves of a refund that was sent, of a poll.
    let rows = [
        ((|| Ended::NotReached("refused".into())) as fn() -> Ended, NotReached, NoAnswer),
        (|| Ended::NoAnswer("deadline".into()), NoAnswer, NoAnswer),
        (|| answered(500, ""), NoAnswer, NoAnswer),
        (|| problem(503, "busy"), NoAnswer, NoAnswer),
        (|| problem(404, "unknown_refund"), NotReached, NotReached),
        (|| problem(404, "unknown_charge"), failed(), failed()),
        (|| problem(409, "not_captured"), failed(), failed()),
        (|| problem(409, "refund_too_large"), failed(), failed()),
        (|| problem(409, "key_mismatch"), failed(), failed()),
        (|| problem(422, "invalid"), failed(), failed()),
    ];
    for (ended, of_refund, of_poll) in rows {
        assert_eq!(refund(ended()), of_refund, "refund {:?}", ended());
        assert_eq!(poll_refund(ended()), of_poll, "poll {:?}", ended());
    }
    assert_eq!(refund(answered(200, done)), RefundObservation::Done { provider_ref: "sbr_1".into() });
}
