//! The organizer's question: how many looked, held, ordered, paid, came in, minute by minute.

use std::time::Duration;

use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::counters::minute_of;
use super::ports::Minute;
use crate::error::Result;
use crate::platform::Platform;
use crate::ticketing::ports::EventScope;

/// The longest span of one answer.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The minutes of a span; without `from` the last day, without `to` until now.
///
/// # Errors
/// `invalid_request` where the span is empty or longer than [`LONGEST`].
pub async fn funnel(
    platform: &Platform,
    scope: EventScope,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Vec<Minute>> {
    let to = to.unwrap_or_else(|| platform.environment.now());
    let from = minute_of(from.unwrap_or_else(|| to.minus(LONGEST)));
    if from >= to || minute_of(to).since(from) > LONGEST {
        return Err(Refusal::invalid("from", "Ask for a span of at most 24 hours that ends after it begins.").into());
    }
    Ok(platform.analytics.funnel(scope.organization, scope.event, from, to).await?)
}
