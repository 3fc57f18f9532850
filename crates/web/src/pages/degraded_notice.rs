//! Words the degradations of the capability table for buyers, with a time wherever a page promises one (P10).
//!
//! Never: the name of a part of the platform, a promise that the table does not make. To add a notice: a line in the function of its page.

use voelgoed_app::error::{CommandError, Fault};
use voelgoed_app::ticketing::hold::CAPPED_PLACES_MAX;
use voelgoed_domain::refusal::RefusalKind;
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::{Capability, CapabilityAnswer, Degradation};

use super::formatting::{Moment, counted};
use crate::state::Web;

/// `14 s`, `3 min`, `2 h 5 min`.
fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(at).as_secs();
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// The second sentence of a warning that a page may be old.
pub fn last_known_notice(at: Timestamp, now: Timestamp) -> String {
    format!("Last known {} ago; the hold decides.", age(at, now))
}

/// The notice of an event's page while holds are degraded or refused.
pub fn hold_notice(web: &Web) -> Option<String> {
    match web.capabilities.may(Capability::Hold) {
        CapabilityAnswer::Yes => None,
        CapabilityAnswer::Refused { retry_after, .. } => {
            let seconds = retry_after.as_seconds();
            Some(format!(
                "Places cannot be held for the moment. Look around, and try again in about {seconds} seconds."
            ))
        }
        CapabilityAnswer::Degraded { why: Degradation::HoldsCapped } => {
            let places = counted(u64::from(CAPPED_PLACES_MAX), "place", "places");
            Some(format!(
                "Nothing can be paid for the moment. You can hold up to {places} now, and keep them for longer than usual."
            ))
        }
        CapabilityAnswer::Degraded { .. } => None,
    }
}

/// The notice of a checkout whose hold expires at `until`, while orders or payments are degraded or refused.
pub fn payment_notice(web: &Web, until: &Moment) -> Option<String> {
    let kept = format!("your seats are kept until {} {}.", until.clock(), until.zone());
    match web.capabilities.may(Capability::OrderAndPay) {
        CapabilityAnswer::Yes => None,
        CapabilityAnswer::Refused { .. } => Some(format!(
            "Orders cannot be taken for the moment; {kept} Nothing is charged. Try again in a few seconds."
        )),
        CapabilityAnswer::Degraded { why: Degradation::PayLater } => Some(format!(
            "Payments are slow; {kept} Order now, and pay within that time, as soon as the provider answers; you never pay twice."
        )),
        CapabilityAnswer::Degraded { .. } => None,
    }
}

/// True for a failure of a store or a provider: the same request may succeed in a moment.
pub fn is_unavailable(error: &CommandError) -> bool {
    match error {
        CommandError::Refused(refusal) => refusal.code.kind() == RefusalKind::Unavailable,
        CommandError::Fault(fault) => matches!(fault, Fault::Unavailable { .. } | Fault::Ambiguous { .. }),
    }
}

/// The notice of a form that failed because a store or a provider was unavailable; the buyer may send it again.
pub const UNAVAILABLE: &str = "This is not possible for the moment. Try again in a few seconds.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_written_in_its_two_largest_units() {
        for (seconds, words) in [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (7_500, "2 h 5 min")] {
            let now = Timestamp::from_micros(seconds * 1_000_000);
            assert_eq!(age(Timestamp::from_micros(0), now), words);
        }
    }
}
