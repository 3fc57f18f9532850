//! What an exchange proves: the one place where the provider's words become the shop's.
//!
//! Never: more than what was said. Whatever cannot be read, or fits no row, is `NoAnswer` and will be asked for again (P2).
//! To add an answer of the provider: its row here and in the table of the tests.

use voelgoed_app::payments::ports::RefundObservation;
use voelgoed_domain::money::{Currency, Money};
use voelgoed_domain::payments::decide::Observation;

use super::exchange::Ended;
use crate::sandbox::protocol::{CancelAnswer, ChargeAnswer, ChargeState, Problem, RefundAnswer, RefundState};

/// No provider takes more at once: a larger amount counts as this, so that no sum of the journal leaves `i64`.
const CAPTURED_AMOUNT_MAX: i64 = 1_000_000_000_000_000;
/// What the buyer is told of a decline.
const DECLINED: &str = "The bank declined the payment.";

/// What the end of `POST /charges` proves.
pub fn charge(ended: Ended) -> Observation {
    let answer = match ended {
        Ended::Answered(answer) => answer,
        Ended::NotReached(detail) => {
            tracing::warn!(detail, "sandbox provider refused the connection, charge not sent");
            return Observation::NotReached;
        }
        Ended::NoAnswer(detail) => return silent("charge", &detail),
    };
    match answer.read::<ChargeAnswer>() {
        Some(Ok(charge)) => settled(charge.state, charge.amount, &charge.currency, charge.provider_ref),
        Some(Err(problem)) => match problem.code.as_str() {
            "key_cancelled" => Observation::Voided,
            // Every copy of this charge reads the same and is refused alike.
            "invalid" => Observation::Declined { reason: problem.detail },
            // Surely not taken; but another sender's copy may come with more time, or when there is room.
            "too_late" | "full" | "not_here" => {
                tracing::warn!(
                    code = problem.code,
                    detail = problem.detail,
                    "sandbox provider did not take the charge"
                );
                Observation::NotReached
            }
            _ => strange("charge", answer.status, &problem),
        },
        None => silent("charge", &format!("status {}", answer.status)),
    }
}

/// What a charge that was never sent proves, because nobody said where to send it.
pub fn unsent(ended: &Ended) -> Observation {
    tracing::warn!(?ended, "sandbox provider does not say where it takes charges, charge not sent");
    Observation::NotReached
}

/// What the end of `GET /charges/{key}` proves.
pub fn poll(ended: Ended) -> Observation {
    let answer = match ended {
        Ended::Answered(answer) => answer,
        Ended::NotReached(detail) | Ended::NoAnswer(detail) => return silent("poll", &detail),
    };
    match answer.read::<ChargeAnswer>() {
        Some(Ok(charge)) => settled(charge.state, charge.amount, &charge.currency, charge.provider_ref),
        Some(Err(problem)) if problem.code == "unknown_charge" => Observation::Absent,
        Some(Err(problem)) => strange("poll", answer.status, &problem),
        None => silent("poll", &format!("status {}", answer.status)),
    }
}

/// What the end of `POST /charges/{key}/cancel` proves.
pub fn cancel(ended: Ended) -> Observation {
    let answer = match ended {
        Ended::Answered(answer) => answer,
        Ended::NotReached(detail) | Ended::NoAnswer(detail) => return silent("cancel", &detail),
    };
    match answer.read::<CancelAnswer>() {
        Some(Ok(CancelAnswer { charge: Some(charge), .. })) => {
            settled(charge.state, charge.amount, &charge.currency, charge.provider_ref)
        }
        Some(Ok(CancelAnswer { state: ChargeState::Voided, .. })) => Observation::Voided,
        Some(Ok(_)) => silent("cancel", "a state without a charge"),
        Some(Err(problem)) => strange("cancel", answer.status, &problem),
        None => silent("cancel", &format!("status {}", answer.status)),
    }
}

/// What the end of `POST /refunds` proves.
pub fn refund(ended: Ended) -> RefundObservation {
    match ended {
        Ended::NotReached(_) => RefundObservation::NotReached,
        ended => refund_answer(ended),
    }
}

/// What the end of `GET /refunds/{key}` proves.
pub fn poll_refund(ended: Ended) -> RefundObservation {
    refund_answer(ended)
}

fn refund_answer(ended: Ended) -> RefundObservation {
    let answer = match ended {
        Ended::Answered(answer) => answer,
        Ended::NotReached(detail) | Ended::NoAnswer(detail) => {
            tracing::warn!(detail, "sandbox provider did not answer about a refund");
            return RefundObservation::NoAnswer;
        }
    };
    match answer.read::<RefundAnswer>() {
        Some(Ok(RefundAnswer { state: RefundState::Done, provider_ref, .. })) => {
            RefundObservation::Done { provider_ref }
        }
        Some(Err(problem)) => match problem.code.as_str() {
            // Its key was never seen, so the same refund may be sent again.
            "unknown_refund" => RefundObservation::NotReached,
            "invalid" | "key_mismatch" | "unknown_charge" | "not_captured" | "refund_too_large" | "full" => {
                RefundObservation::Failed { reason: problem.detail }
            }
            code => {
                tracing::warn!(status = answer.status, code, "sandbox provider answered a refund with a fault");
                RefundObservation::NoAnswer
            }
        },
        None => RefundObservation::NoAnswer,
    }
}

/// What a charge's state says.
pub fn settled(state: ChargeState, amount: i64, currency: &str, provider_ref: String) -> Observation {
    match state {
        ChargeState::Pending => Observation::Pending,
        ChargeState::Declined => Observation::Declined { reason: DECLINED.to_owned() },
        ChargeState::Voided => Observation::Voided,
        ChargeState::Captured => match Currency::from_code(currency) {
            Some(currency) => {
                Observation::Captured { amount: Money::new(amount.min(CAPTURED_AMOUNT_MAX), currency), provider_ref }
            }
            None => silent("capture", "in a currency that is not known"),
        },
    }
}

fn silent(call: &'static str, detail: &str) -> Observation {
    tracing::warn!(call, detail, "sandbox provider did not answer");
    Observation::NoAnswer
}

fn strange(call: &'static str, status: u16, problem: &Problem) -> Observation {
    let Problem { code, detail } = problem;
    tracing::warn!(call, status, code, detail, "sandbox provider answered with a fault");
    Observation::NoAnswer
}

#[cfg(test)]
mod tests;
