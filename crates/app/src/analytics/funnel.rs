//! Reads the funnel of an event: views, holds, refusals, orders, payments and admissions per minute.

use std::time::Duration;

use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::Analytics;
use super::counters::minute_of;
use super::ports::FunnelMinute;
use crate::error::CommandResult;
use crate::ticketing::ports::EventScope;

/// The longest time span of one answer.
pub const FUNNEL_SPAN_MAX: Duration = Duration::from_secs(24 * 3600);

impl Analytics {
    /// The minutes from `from` (default: a day before `to`) to `to` (default: now).
    ///
    /// # Errors
    /// `invalid_request` if the span is empty or longer than [`FUNNEL_SPAN_MAX`].
    pub async fn funnel(
        &self,
        scope: EventScope,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> CommandResult<Vec<FunnelMinute>> {
        let to = to.unwrap_or_else(|| self.context.now());
        let from = minute_of(from.unwrap_or_else(|| to.minus(FUNNEL_SPAN_MAX)));
        if from >= to || minute_of(to).since(from) > FUNNEL_SPAN_MAX {
            return Err(
                Refusal::invalid("from", "Ask for a span of at most 24 hours that ends after it begins.").into()
            );
        }
        Ok(self.store.funnel(scope.organization, scope.event, from, to).await?)
    }
}
