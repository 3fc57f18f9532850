//! Implements the allowances port: one Redis key per caller and limit, which expires once the allowance is full again.
//!
//! Never: a node's clock; the server that has the key times each spending.

use async_trait::async_trait;
use redis::Value;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::limits::ports::{Allowances, Caller};
use voelgoed_resilience::allowance::emission_interval_micros;
use voelgoed_resilience::{RateLimit, SpendOutcome};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::warm::{CallEnd, warm_call};

use super::RedisWarm;
use super::error::CallError;
use super::server::Call;
use super::{function_library, reply, request};

#[async_trait]
impl Allowances for RedisWarm {
    async fn spend(&self, limit: RateLimit, caller: &Caller, units_max: u32) -> StoreResult<SpendOutcome> {
        let stopwatch = Stopwatch::start();
        let function = &function_library::SPEND_ALLOWANCE;
        let organization = caller.organization.map_or_else(|| "-".to_owned(), |of| of.uuid().simple().to_string());
        let key = format!("{}:limit:{}:{organization}:{}", self.settings.prefix, limit.name, caller.name);
        let args = [
            self.injected_now(),
            request::number(emission_interval_micros(limit)),
            request::number(limit.burst.max(1)),
            request::number(units_max),
        ];
        let call = Call { function, key: &key, args: &args, timeout: self.settings.reply_timeout };
        let outcome = match self.router.call(&call).await {
            Ok(answer) => read(answer),
            // The outcome is unknown; a retry would cost the caller more time than the count is worth.
            Err(CallError::Lost(detail)) => Err(Fault::unavailable(Dependency::Warm, detail)),
            Err(error) => Err(error.into()),
        };
        let end = match &outcome {
            Ok(SpendOutcome::Granted(_)) => CallEnd::Done,
            Ok(SpendOutcome::Exhausted(_)) => CallEnd::Refused,
            Err(_) => CallEnd::Failed,
        };
        warm_call(function.name, end, stopwatch.elapsed());
        outcome
    }
}

fn read(answer: Value) -> StoreResult<SpendOutcome> {
    let (spent, wait) = reply::pair(answer)?;
    Ok(match u32::try_from(spent).unwrap_or(u32::MAX) {
        0 => SpendOutcome::Exhausted(std::time::Duration::from_micros(wait)),
        some => SpendOutcome::Granted(some),
    })
}
