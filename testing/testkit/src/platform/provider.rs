//! Scripts a payment provider: charges are captured at once, and the test sets what polls, cancellations, refunds and callbacks answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use voelgoed_app::payments::ports::{
    Callback, CallbackRejected, Charge, PaymentGateway, ProviderKey, RefundCharge, RefundObservation,
};
use voelgoed_domain::ids::{PaymentId, RefundId};
use voelgoed_domain::payments::decide::{Cancellation, Observation};
use voelgoed_domain::time::Timestamp;

/// A call that reached the scripted provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderCall {
    /// A charge of this attempt.
    Charge(PaymentId),
    /// A poll of this attempt.
    Poll(PaymentId),
    /// A cancellation of this attempt.
    Cancel(PaymentId),
    /// A request for this refund.
    Refund(RefundId),
    /// A poll of this refund.
    PollRefund(RefundId),
}

/// A provider named `puppet` with the one method `ok`.
#[derive(Default)]
pub struct ScriptedProvider {
    calls: Mutex<Vec<ProviderCall>>,
    /// True while the provider's address is unknown.
    pub is_missing: AtomicBool,
    /// How charges can be cancelled; at the provider where absent.
    pub cancellation: Mutex<Option<Cancellation>>,
    /// The answer to a charge; captured where absent.
    pub charge_answer: Mutex<Option<Observation>>,
    /// The answer to polls and cancellations; no answer where absent.
    pub answer: Mutex<Option<Observation>>,
    /// The answer to cancellations; `answer` where absent.
    pub cancel_answer: Mutex<Option<Observation>>,
    /// The answers to polls and cancellations of single attempts, before all others.
    pub answers: Mutex<BTreeMap<PaymentId, Observation>>,
    /// Attempts whose polls and cancellations never return.
    pub hanging: Mutex<BTreeSet<PaymentId>>,
    /// The answer to refunds; no answer where absent.
    pub refund_answer: Mutex<Option<RefundObservation>>,
    /// The answer to polls of refunds; `refund_answer` where absent.
    pub refund_poll_answer: Mutex<Option<RefundObservation>>,
    /// The content of the next callback; a callback is forged where absent.
    pub message: Mutex<Option<Callback>>,
}

impl ScriptedProvider {
    /// The calls so far, in their order.
    pub fn calls(&self) -> Vec<ProviderCall> {
        self.calls.lock().unwrap().clone()
    }

    /// How many charges were sent.
    pub fn charges(&self) -> usize {
        self.calls().iter().filter(|call| matches!(call, ProviderCall::Charge(_))).count()
    }

    /// How many refunds were sent.
    pub fn refunds(&self) -> usize {
        self.calls().iter().filter(|call| matches!(call, ProviderCall::Refund(_))).count()
    }

    fn record(&self, call: ProviderCall) {
        self.calls.lock().unwrap().push(call);
    }

    /// The answer about an attempt, or `default`.
    async fn answer_about(&self, payment: PaymentId, default: impl FnOnce() -> Option<Observation>) -> Observation {
        if self.hanging.lock().unwrap().contains(&payment) {
            return std::future::pending().await;
        }
        let of_attempt = self.answers.lock().unwrap().get(&payment).cloned();
        of_attempt.or_else(default).unwrap_or(Observation::NoAnswer)
    }
}

#[async_trait]
impl PaymentGateway for ScriptedProvider {
    fn name(&self) -> &'static str {
        "puppet"
    }

    fn has_endpoint(&self) -> bool {
        !self.is_missing.load(Ordering::SeqCst)
    }

    fn has_method(&self, method: &str) -> bool {
        method == "ok"
    }

    fn cancellation(&self, _method: &str) -> Cancellation {
        self.cancellation.lock().unwrap().unwrap_or(Cancellation::AtProvider)
    }

    async fn charge(&self, charge: &Charge) -> Observation {
        self.record(ProviderCall::Charge(charge.key.payment));
        let captured = || Observation::Captured { amount: charge.amount, provider_ref: charge.key.payment.to_string() };
        self.charge_answer.lock().unwrap().clone().unwrap_or_else(captured)
    }

    async fn poll(&self, key: ProviderKey) -> Observation {
        self.record(ProviderCall::Poll(key.payment));
        self.answer_about(key.payment, || self.answer.lock().unwrap().clone()).await
    }

    async fn cancel(&self, key: ProviderKey) -> Observation {
        self.record(ProviderCall::Cancel(key.payment));
        let default = || self.cancel_answer.lock().unwrap().clone().or_else(|| self.answer.lock().unwrap().clone());
        self.answer_about(key.payment, default).await
    }

    async fn refund(&self, refund: &RefundCharge) -> RefundObservation {
        self.record(ProviderCall::Refund(refund.refund));
        self.refund_answer.lock().unwrap().clone().unwrap_or(RefundObservation::NoAnswer)
    }

    async fn poll_refund(&self, refund: RefundId) -> RefundObservation {
        self.record(ProviderCall::PollRefund(refund));
        let polled = self.refund_poll_answer.lock().unwrap().clone();
        polled.or_else(|| self.refund_answer.lock().unwrap().clone()).unwrap_or(RefundObservation::NoAnswer)
    }

    fn verify_callback(
        &self,
        _headers: &[(String, String)],
        _body: &[u8],
        _now: Timestamp,
    ) -> Result<Callback, CallbackRejected> {
        self.message.lock().unwrap().take().ok_or(CallbackRejected::Forged)
    }
}
