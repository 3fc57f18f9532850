//! Creates a refund, or returns the one that has the same idempotency key.
//!
//! Never: a second refund under one key, or refunds of a charge that exceed its captured amount (P5).

use voelgoed_domain::time::Timestamp;

use super::{ChangeResult, ProviderState, StateChange, reply_for_refund};
use crate::protocol::{ChargeState, RefundChargeRequest, RefundReply, is_key};
use crate::record::{Record, RefundEntry, reference};
use crate::request_error::RequestError;

impl ProviderState {
    /// Creates a refund, or returns the existing one.
    pub fn refund(
        &self,
        request: &RefundChargeRequest,
        now: Timestamp,
        records_max: usize,
    ) -> ChangeResult<RefundReply> {
        if !is_key(&request.key) {
            return Err(RequestError::Invalid("key: 1 to 200 letters, digits and _ - . : are allowed".to_owned()));
        }
        if request.amount <= 0 {
            return Err(RequestError::Invalid("amount: must be above zero".to_owned()));
        }
        if let Some(entry) = self.refunds.get(&request.key) {
            let is_same = entry.charge == request.charge && entry.amount == request.amount;
            return if is_same {
                Ok(StateChange { record: None, reply: reply_for_refund(entry) })
            } else {
                Err(RequestError::KeyMismatch)
            };
        }
        let charge = self.charges.get(&request.charge).ok_or(RequestError::UnknownCharge)?;
        if charge.state != ChargeState::Captured {
            return Err(RequestError::NotCaptured);
        }
        let refunded_before = self.refunded.get(&charge.key).copied().unwrap_or(0);
        if refunded_before.checked_add(request.amount).is_none_or(|sum| sum > charge.amount) {
            return Err(RequestError::RefundTooLarge);
        }
        if self.record_count() >= records_max {
            return Err(RequestError::Full);
        }
        let entry = RefundEntry {
            key: request.key.clone(),
            charge: charge.key.clone(),
            amount: request.amount,
            currency: charge.currency.clone(),
            provider_ref: reference("sbr", &request.key),
            at: now,
        };
        Ok(StateChange { reply: reply_for_refund(&entry), record: Some(Record::Refund(entry)) })
    }
}
