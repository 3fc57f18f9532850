//! Maps the outcome of each call to what it proves about a charge or a refund.
//!
//! | `POST /charges` | `Observation` |
//! |---|---|
//! | connection refused, open breaker | `NotReached`: nothing was sent |
//! | `too_late`, `full`, `not_here` | `NotReached`: this request took no money; the copy of another sender may |
//! | timeout, closed connection, half a reply, 5xx, `key_mismatch`, anything unreadable | `NoAnswer`: poll before anything else |
//! | `invalid` | `Declined` |
//! | `key_cancelled` | `Voided` |
//! | a charge | its state |
//!
//! `GET /charges/{key}`: `unknown_charge` is `Absent`; a refused connection is `NoAnswer`, because the charge may exist.
//!
//! Never: more than the reply states. An unreadable reply is `NoAnswer`, and the caller polls later (P2).
//! To add a code of the provider: its row here and in the table of the tests.

use voelgoed_app::payments::ports::RefundObservation;
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::decide::Observation;

use super::http_call::CallOutcome;
use super::messages::{CancelView, ChargeStatus, ChargeView, ProviderError, RefundStatus, RefundView};

/// Caps captured amounts, so that no sum of the ledger leaves `i64`; no provider takes more at once.
const CAPTURED_AMOUNT_MAX: i64 = 1_000_000_000_000_000;
/// The reason of a decline that the buyer reads.
const DECLINED: &str = "The bank declined the payment.";

/// What the outcome of `POST /charges` proves.
pub fn charge(outcome: CallOutcome) -> Observation {
    let reply = match outcome {
        CallOutcome::Replied(reply) => reply,
        CallOutcome::NotReached(detail) => {
            tracing::warn!(detail, "sandbox provider refused the connection, charge not sent");
            return Observation::NotReached;
        }
        CallOutcome::NoReply(detail) => return no_answer("charge", &detail),
    };
    match reply.read::<ChargeView>() {
        Some(Ok(charge)) => state(charge.state, charge.amount, &charge.currency, charge.provider_ref),
        Some(Err(error)) => match error.code.as_str() {
            "key_cancelled" => Observation::Voided,
            // Every copy of this charge has the same body and is refused as well.
            "invalid" => Observation::Declined { reason: error.detail },
            // This request took no money, but another sender's copy may arrive in time, or when there is room.
            "too_late" | "full" | "not_here" => {
                tracing::warn!(code = error.code, detail = error.detail, "sandbox provider did not take the charge");
                Observation::NotReached
            }
            _ => unexpected_error("charge", reply.status, &error),
        },
        None => no_answer("charge", &format!("status {}", reply.status)),
    }
}

/// The observation of a charge that was not sent because the provider did not list an endpoint for its method.
pub fn unsent_charge(outcome: &CallOutcome) -> Observation {
    tracing::warn!(ended = ?outcome, "sandbox provider does not say where it takes charges, charge not sent");
    Observation::NotReached
}

/// What the outcome of `GET /charges/{key}` proves.
pub fn poll(outcome: CallOutcome) -> Observation {
    let reply = match outcome {
        CallOutcome::Replied(reply) => reply,
        CallOutcome::NotReached(detail) | CallOutcome::NoReply(detail) => return no_answer("poll", &detail),
    };
    match reply.read::<ChargeView>() {
        Some(Ok(charge)) => state(charge.state, charge.amount, &charge.currency, charge.provider_ref),
        Some(Err(error)) if error.code == "unknown_charge" => Observation::Absent,
        Some(Err(error)) => unexpected_error("poll", reply.status, &error),
        None => no_answer("poll", &format!("status {}", reply.status)),
    }
}

/// What the outcome of `POST /charges/{key}/cancel` proves.
pub fn cancel(outcome: CallOutcome) -> Observation {
    let reply = match outcome {
        CallOutcome::Replied(reply) => reply,
        CallOutcome::NotReached(detail) | CallOutcome::NoReply(detail) => return no_answer("cancel", &detail),
    };
    match reply.read::<CancelView>() {
        Some(Ok(CancelView { charge: Some(charge), .. })) => {
            state(charge.state, charge.amount, &charge.currency, charge.provider_ref)
        }
        Some(Ok(CancelView { state: ChargeStatus::Voided, .. })) => Observation::Voided,
        Some(Ok(_)) => no_answer("cancel", "a state without a charge"),
        Some(Err(error)) => unexpected_error("cancel", reply.status, &error),
        None => no_answer("cancel", &format!("status {}", reply.status)),
    }
}

/// What the outcome of `POST /refunds` proves.
pub fn refund(outcome: CallOutcome) -> RefundObservation {
    match outcome {
        CallOutcome::NotReached(_) => RefundObservation::NotReached,
        outcome => refund_reply(outcome),
    }
}

/// What the outcome of `GET /refunds/{key}` proves.
pub fn poll_refund(outcome: CallOutcome) -> RefundObservation {
    refund_reply(outcome)
}

fn refund_reply(outcome: CallOutcome) -> RefundObservation {
    let reply = match outcome {
        CallOutcome::Replied(reply) => reply,
        CallOutcome::NotReached(detail) | CallOutcome::NoReply(detail) => {
            tracing::warn!(detail, "sandbox provider did not answer about a refund");
            return RefundObservation::NoAnswer;
        }
    };
    match reply.read::<RefundView>() {
        Some(Ok(RefundView { state: RefundStatus::Done, provider_ref })) => RefundObservation::Done { provider_ref },
        Some(Err(error)) => match error.code.as_str() {
            // The provider has never seen the key, so the same refund may be sent again.
            "unknown_refund" => RefundObservation::NotReached,
            "invalid" | "key_mismatch" | "unknown_charge" | "not_captured" | "refund_too_large" | "full" => {
                RefundObservation::Failed { reason: error.detail }
            }
            code => {
                tracing::warn!(
                    status = reply.status,
                    code,
                    "sandbox provider answered a refund with an unexpected error"
                );
                RefundObservation::NoAnswer
            }
        },
        None => RefundObservation::NoAnswer,
    }
}

/// What a charge's state proves.
pub fn state(state: ChargeStatus, amount: i64, currency: &str, provider_ref: String) -> Observation {
    match state {
        ChargeStatus::Pending => Observation::Pending,
        ChargeStatus::Declined => Observation::Declined { reason: DECLINED.to_owned() },
        ChargeStatus::Voided => Observation::Voided,
        ChargeStatus::Captured => match Currency::from_code(currency) {
            Some(currency) => {
                Observation::Captured { amount: Money::new(amount.min(CAPTURED_AMOUNT_MAX), currency), provider_ref }
            }
            None => no_answer("capture", "in a currency that is not known"),
        },
    }
}

fn no_answer(call: &'static str, detail: &str) -> Observation {
    tracing::warn!(call, detail, "sandbox provider did not answer");
    Observation::NoAnswer
}

fn unexpected_error(call: &'static str, status: u16, error: &ProviderError) -> Observation {
    let ProviderError { code, detail } = error;
    tracing::warn!(call, status, code, detail, "sandbox provider answered with an unexpected error");
    Observation::NoAnswer
}

#[cfg(test)]
mod tests;
