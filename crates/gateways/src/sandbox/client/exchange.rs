//! One HTTP call through its guard, and how it ended, told as finely as the network allows.
//!
//! Never: a second sending of what may have been done unless repeating is harmless (P2), a call without deadline, bulkhead and breaker (P9),
//! a redirect, a proxy of the environment, an answer of more than [`MOST_ANSWER_BYTES`].

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::de::DeserializeOwned;
use voelgoed_resilience::{
    BreakerLimit, BulkheadLimit, Capabilities, Dependency, Guard, GuardError, GuardLimit, Repeat, RetryBudgetLimit,
    RetryPolicy, Verdict,
};

use super::{CALL_DEADLINE, CONNECT_DEADLINE};
use crate::sandbox::protocol::Problem;

/// The most bytes of an answer.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

/// The limits of calls to the provider's own address.
pub const LIMIT: GuardLimit = GuardLimit {
    name: "sandbox_payments",
    deadline: CALL_DEADLINE,
    attempt: CALL_DEADLINE,
    // A call takes about a millisecond, so a whole on-sale burst fits into the wait that the deadline allows; a silent provider keeps 128 sockets.
    bulkhead: BulkheadLimit { name: "sandbox_payments", running: 128, waiting: 4096 },
    breaker: BreakerLimit { window: 20, failures_percent: 50, open_for: Duration::from_secs(5), probes: 2 },
    retry: RetryPolicy { retries: 2, first: Duration::from_millis(50), most: Duration::from_millis(400) },
    budget: RetryBudgetLimit { percent: 10, per_second: 1, most: 20 },
};

/// The limits of calls to addresses that the provider names for some methods: their faults say nothing of the others.
pub const ELSEWHERE_LIMIT: GuardLimit = GuardLimit {
    name: "sandbox_payments_elsewhere",
    bulkhead: BulkheadLimit { name: "sandbox_payments_elsewhere", ..LIMIT.bulkhead },
    ..LIMIT
};

/// How a call ended.
#[derive(Debug)]
pub enum Ended {
    /// With an answer, whatever it says.
    Answered(Answer),
    /// Surely nothing was sent.
    NotReached(String),
    /// Sent, perhaps; and nothing, or not everything, came back in time.
    NoAnswer(String),
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The wished-for answer, or the provider's problem; none where it is neither.
    pub fn read<T: DeserializeOwned>(&self) -> Option<Result<T, Problem>> {
        match self.status {
            200..=299 => serde_json::from_slice(&self.body).ok().map(Ok),
            _ => serde_json::from_slice(&self.body).ok().map(Err),
        }
    }
}

/// A call, complete, so that it can be made again exactly.
#[derive(Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// Beside the content type.
    pub headers: Vec<(&'static str, String)>,
    /// JSON, or empty.
    pub body: Vec<u8>,
    /// Whether it may be made again after it may have been done.
    pub repeat: Repeat,
}

/// Makes calls.
pub struct Exchange {
    http: reqwest::Client,
    authorization: String,
    here: Guard,
    elsewhere: Guard,
}

impl Exchange {
    /// Calls that all end within `deadline`, each with this `Authorization`.
    pub fn new(deadline: Duration, authorization: String) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_DEADLINE.min(deadline / 2))
            .timeout(deadline)
            .build()?;
        let seed = u64::from(std::process::id());
        let guard = |limit| Guard::new(GuardLimit { deadline, attempt: deadline, ..limit }, seed);
        Ok(Self { http, authorization, here: guard(LIMIT), elsewhere: guard(ELSEWHERE_LIMIT) })
    }

    /// The same, reporting the provider down while the breaker of its own address is open.
    pub fn reporting(mut self, capabilities: Capabilities) -> Self {
        self.here = self.here.reporting(capabilities, Dependency::PaymentProvider);
        self
    }

    /// Makes a call to the provider's own address.
    pub async fn make(&self, call: &Call) -> Ended {
        self.guarded(&self.here, call).await
    }

    /// Makes a call to an address that the provider has named.
    pub async fn make_elsewhere(&self, call: &Call) -> Ended {
        self.guarded(&self.elsewhere, call).await
    }

    async fn guarded(&self, guard: &Guard, call: &Call) -> Ended {
        match guard.call(call.repeat, || self.attempt(call), CallError::verdict).await {
            Ok(answer) => Ended::Answered(answer),
            Err(GuardError::Failed { error: CallError::Fault(answer), .. }) => Ended::Answered(answer),
            Err(error) if error.may_be_done() => Ended::NoAnswer(error.to_string()),
            Err(error) => Ended::NotReached(error.to_string()),
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Answer, CallError> {
        let request = self
            .http
            .request(call.method.clone(), &call.url)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, &self.authorization);
        let headers = call.headers.iter();
        let request = headers.fold(request, |request, (name, value)| request.header(*name, value));
        let mut response = request.body(call.body.clone()).send().await.map_err(CallError::from)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| CallError::NoAnswer(chain(&error)))? {
            if body.len() + chunk.len() > MOST_ANSWER_BYTES {
                return Err(CallError::NoAnswer("the answer is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let answer = Answer { status, body };
        if status >= 500 { Err(CallError::Fault(answer)) } else { Ok(answer) }
    }
}

/// Why an attempt brought no good answer.
#[derive(Debug, thiserror::Error)]
enum CallError {
    #[error("not reached: {0}")]
    NotReached(String),
    #[error("no answer: {0}")]
    NoAnswer(String),
    #[error("status {}", .0.status)]
    Fault(Answer),
}

impl CallError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::NotReached(_) => Verdict::NotSent,
            Self::NoAnswer(_) | Self::Fault(_) => Verdict::MayBeDone,
        }
    }
}

impl From<reqwest::Error> for CallError {
    /// Only a failure to connect proves that no byte of the request left; a deadline or a hang-up proves nothing.
    fn from(error: reqwest::Error) -> Self {
        if error.is_connect() { Self::NotReached(chain(&error)) } else { Self::NoAnswer(chain(&error)) }
    }
}

/// An error with its causes, since reqwest's own text names only the outermost.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
