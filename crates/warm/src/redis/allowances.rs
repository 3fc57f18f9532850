//! Allowances on Redis: a key per caller and limit, in whatever slot it falls, gone by itself once everything is back.
//!
//! Never: a node's clock; each spending is timed by the server that has the key.

use async_trait::async_trait;
use redis::Value;
use voelgoed_app::error::{Dependency, Fault, StoreResult};
use voelgoed_app::limits::ports::{Allowances, Caller};
use voelgoed_resilience::allowance::each_micros;
use voelgoed_resilience::{RateLimit, Spent};
use voelgoed_telemetry::Stopwatch;
use voelgoed_telemetry::metrics::warm::{CallEnd, warm_call};

use super::error::CallError;
use super::inventory::RedisWarm;
use super::server::Call;
use super::{reply, request, scripts};

#[async_trait]
impl Allowances for RedisWarm {
    async fn spend(&self, limit: RateLimit, caller: &Caller, most: u32) -> StoreResult<Spent> {
        let watch = Stopwatch::start();
        let script = &scripts::SPEND;
        let organization = caller.organization.map_or_else(|| "-".to_owned(), |of| of.uuid().simple().to_string());
        let key = format!("{}:limit:{}:{organization}:{}", self.settings.prefix, limit.name, caller.name);
        let args = [
            self.injected_now(),
            request::number(each_micros(limit)),
            request::number(limit.burst.max(1)),
            request::number(most),
        ];
        let call = Call { script, key: &key, args: &args, within: self.settings.answer_within };
        let answer = match self.router.call(&call).await {
            Ok(answer) => read(answer),
            // Whether it was counted is not known, and asking again is not worth the time of whoever waits.
            Err(CallError::Lost(detail)) => Err(Fault::away(Dependency::Warm, detail)),
            Err(error) => Err(error.into()),
        };
        let end = match &answer {
            Ok(Spent::Some(_)) => CallEnd::Done,
            Ok(Spent::None(_)) => CallEnd::Refused,
            Err(_) => CallEnd::Failed,
        };
        warm_call(script.name, end, watch.elapsed());
        answer
    }
}

fn read(answer: Value) -> StoreResult<Spent> {
    let (spent, wait) = reply::pair(answer)?;
    Ok(match u32::try_from(spent).unwrap_or(u32::MAX) {
        0 => Spent::None(std::time::Duration::from_micros(wait)),
        some => Spent::Some(some),
    })
}
