//! Giving money back.
//!
//! Keeps: one key is one refund for ever; the refunds of a charge never exceed what was captured (P5).

use voelgoed_domain::time::Timestamp;

use super::{Books, Decided, Decision, tell_refund};
use crate::sandbox::protocol::{ChargeState, RefundAnswer, RefundRequest, is_key};
use crate::sandbox::server::record::{Record, RefundEntry, reference};
use crate::sandbox::server::refused::Refused;

impl Books {
    /// Takes a refund, or answers how the one with this key stands.
    pub fn refund(&self, request: &RefundRequest, now: Timestamp, most_records: usize) -> Decided<RefundAnswer> {
        if !is_key(&request.key) {
            return Err(Refused::Invalid("key: 1 to 200 letters, digits and _ - . : are allowed".to_owned()));
        }
        if request.amount <= 0 {
            return Err(Refused::Invalid("amount: must be above zero".to_owned()));
        }
        if let Some(entry) = self.refunds.get(&request.key) {
            let same = entry.charge == request.charge && entry.amount == request.amount;
            return if same {
                Ok(Decision { record: None, answer: tell_refund(entry) })
            } else {
                Err(Refused::KeyMismatch)
            };
        }
        let charge = self.charges.get(&request.charge).ok_or(Refused::UnknownCharge)?;
        if charge.state != ChargeState::Captured {
            return Err(Refused::NotCaptured);
        }
        let before = self.refunded.get(&charge.key).copied().unwrap_or(0);
        if before.checked_add(request.amount).is_none_or(|sum| sum > charge.amount) {
            return Err(Refused::RefundTooLarge);
        }
        if self.len() >= most_records {
            return Err(Refused::Full);
        }
        let entry = RefundEntry {
            key: request.key.clone(),
            charge: charge.key.clone(),
            amount: request.amount,
            currency: charge.currency.clone(),
            provider_ref: reference("sbr", &request.key),
            at: now,
        };
        Ok(Decision { answer: tell_refund(&entry), record: Some(Record::Refund(entry)) })
    }
}
