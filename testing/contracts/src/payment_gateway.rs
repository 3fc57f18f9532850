//! Contract tests of `PaymentGateway`, for any provider: a key charges once, a cancelled key never, and unsigned callbacks are rejected.
//!
//! Never: a provider's own methods or timing; the adapter's test names a method that captures at once.

use voelgoed_app::payments::ports::{
    CallbackRejected, Charge, PaymentGateway, ProviderKey, RefundCharge, RefundObservation,
};
use voelgoed_domain::payments::decide::Observation;
use voelgoed_domain::time::Timestamp;

fn is_captured(observation: &Observation, charge: &Charge) -> bool {
    matches!(observation, Observation::Captured { amount, .. } if *amount == charge.amount)
}

/// The same key twice charges once, and a poll returns the same.
pub async fn a_key_charges_once(gateway: &dyn PaymentGateway, charge: &Charge) {
    assert!(gateway.has_method(&charge.method));
    assert!(!gateway.has_method("no such method"));
    let first = gateway.charge(charge).await;
    assert!(is_captured(&first, charge), "{first:?}");
    assert_eq!(gateway.charge(charge).await, first, "a repeat is the same charge");
    assert_eq!(gateway.poll(charge.key).await, first);
}

/// A key that was cancelled before it was charged is never charged afterwards.
pub async fn cancelled_key_is_never_charged(gateway: &dyn PaymentGateway, charge: &Charge) {
    assert_eq!(gateway.poll(charge.key).await, Observation::Absent, "not charged yet");
    assert_eq!(gateway.cancel(charge.key).await, Observation::Voided);
    assert_eq!(gateway.cancel(charge.key).await, Observation::Voided, "a repeat answers the same");
    let late = gateway.charge(charge).await;
    assert!(!is_captured(&late, charge), "{late:?}");
    let found = gateway.poll(charge.key).await;
    assert!(!is_captured(&found, charge), "{found:?}");
}

/// Cancelling a captured charge returns the capture.
pub async fn a_captured_charge_is_not_cancelled(gateway: &dyn PaymentGateway, charge: &Charge) {
    let captured = gateway.charge(charge).await;
    assert!(is_captured(&captured, charge), "{captured:?}");
    assert_eq!(gateway.cancel(charge.key).await, captured);
}

/// The same refund twice pays once, and no more than was captured.
pub async fn refund_is_paid_once(gateway: &dyn PaymentGateway, charge: &Charge, refunds: [RefundCharge; 2]) {
    let captured = gateway.charge(charge).await;
    assert!(is_captured(&captured, charge), "{captured:?}");
    let [whole, more] = refunds;
    let first = gateway.refund(&whole).await;
    assert!(matches!(first, RefundObservation::Done { .. }), "{first:?}");
    assert_eq!(gateway.refund(&whole).await, first, "a repeat is the same refund");
    assert_eq!(gateway.poll_refund(whole.refund).await, first);
    let second = gateway.refund(&more).await;
    assert!(matches!(second, RefundObservation::Failed { .. }), "more than was captured: {second:?}");
}

/// A callback without a valid signature is rejected.
pub fn unsigned_callback_is_rejected(gateway: &dyn PaymentGateway, key: ProviderKey, now: Timestamp) {
    let body = format!("{{\"key\":\"{}:{}:{}\",\"state\":\"captured\"}}", key.organization, key.order, key.payment);
    let rejected = gateway.verify_callback(&[], body.as_bytes(), now).map(|callback| callback.key);
    assert!(matches!(rejected, Err(CallbackRejected::Forged | CallbackRejected::Malformed)), "{rejected:?}");
}
