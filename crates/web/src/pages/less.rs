//! What pages say while something is away: by the capability table, in a buyer's words, with a time wherever one is promised (P10).
//!
//! Never: the name of a part of the platform, a promise that the table does not make. To say more: a line in the function of that page.

use voelgoed_app::error::{Error, Fault};
use voelgoed_app::ticketing::hold::CAPPED_PLACES;
use voelgoed_domain::refusal::Nature;
use voelgoed_domain::time::Timestamp;
use voelgoed_resilience::{Answer, Capability, Degradation};

use super::text::{Moment, counted};
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

/// Behind a warning that what is shown may be old.
pub fn last_known(at: Timestamp, now: Timestamp) -> String {
    format!("Last known {} ago; the hold decides.", age(at, now))
}

/// On an event's page, where holding is not as usual.
pub fn holding(web: &Web) -> Option<String> {
    match web.capabilities.may(Capability::Hold) {
        Answer::Yes => None,
        Answer::Refused { retry_after, .. } => {
            let seconds = retry_after.as_seconds();
            Some(format!(
                "Places cannot be held for the moment. Look around, and try again in about {seconds} seconds."
            ))
        }
        Answer::Degraded { why: Degradation::HoldsCapped } => {
            let places = counted(u64::from(CAPPED_PLACES), "place", "places");
            Some(format!(
                "Nothing can be paid for the moment. You can hold up to {places} now, and keep them for longer than usual."
            ))
        }
        Answer::Degraded { .. } => None,
    }
}

/// On a checkout whose places are kept until `until`.
pub fn paying(web: &Web, until: &Moment) -> Option<String> {
    let kept = format!("your seats are kept until {} {}.", until.clock(), until.zone());
    match web.capabilities.may(Capability::OrderAndPay) {
        Answer::Yes => None,
        Answer::Refused { .. } => Some(format!(
            "Orders cannot be taken for the moment; {kept} Nothing is charged. Try again in a few seconds."
        )),
        Answer::Degraded { why: Degradation::PayLater } => Some(format!(
            "Payments are slow; {kept} Order now, and pay within that time, as soon as the provider answers; you never pay twice."
        )),
        Answer::Degraded { .. } => None,
    }
}

/// True where something is away, so that the same may go well in a moment.
pub fn is_away(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => refusal.code.nature() == Nature::Unavailable,
        Error::Fault(fault) => matches!(fault, Fault::Away { .. } | Fault::Ambiguous { .. }),
    }
}

/// That it is away, for a page that can be sent again.
pub const AWAY: &str = "This is not possible for the moment. Try again in a few seconds.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_the_largest_units_that_matter() {
        for (seconds, words) in [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (7_500, "2 h 5 min")] {
            let now = Timestamp::from_micros(seconds * 1_000_000);
            assert_eq!(age(Timestamp::from_micros(0), now), words);
        }
    }
}
