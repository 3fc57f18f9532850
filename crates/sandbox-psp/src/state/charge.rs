//! Creates a charge, or returns the one that has the same idempotency key.
//!
//! Never: a second charge under one key, or money for a barred key or for a new charge after its `send_before` (P2).

use voelgoed_domain::time::Timestamp;

use super::{ChangeResult, ProviderState, StateChange};
use crate::config::Delays;
use crate::payment_methods::{MethodBehaviour, Settlement, behaviour_of};
use crate::protocol::{ChargeReply, ChargeRequest, ChargeState, is_key};
use crate::record::{ChargeEntry, Record, reference};
use crate::request_error::RequestError;

impl ProviderState {
    /// Creates a charge, or returns the existing one. `send_before` and `pay_by` belong to the request, not to the charge: a replay may
    /// carry other times, and a replay after `send_before` is still answered.
    pub fn charge(
        &self,
        request: &ChargeRequest,
        now: Timestamp,
        delays: &Delays,
        records_max: usize,
    ) -> ChangeResult<ChargeReply> {
        let behaviour = validate(request)?;
        if let Some(entry) = self.charges.get(&request.key) {
            let is_same =
                entry.amount == request.amount && entry.currency == request.currency && entry.method == request.method;
            return if is_same {
                Ok(StateChange { record: None, reply: self.reply_for_charge(entry) })
            } else {
                Err(RequestError::KeyMismatch)
            };
        }
        if self.barred.contains_key(&request.key) {
            return Err(RequestError::KeyCancelled);
        }
        if now > request.send_before {
            return Err(RequestError::TooLate);
        }
        if self.record_count() >= records_max {
            return Err(RequestError::Full);
        }
        let entry = new_charge(request, behaviour, now, delays);
        Ok(StateChange { reply: self.reply_for_charge(&entry), record: Some(Record::Charge(entry)) })
    }
}

fn validate(request: &ChargeRequest) -> Result<&'static MethodBehaviour, RequestError> {
    let invalid = |detail: &str| RequestError::Invalid(detail.to_owned());
    if !is_key(&request.key) {
        return Err(invalid("key: 1 to 200 letters, digits and _ - . : are allowed"));
    }
    if request.amount <= 0 {
        return Err(invalid("amount: must be above zero"));
    }
    if request.currency.len() != 3 || !request.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(invalid("currency: must be three capital letters"));
    }
    let behaviour = behaviour_of(&request.method).ok_or_else(|| invalid("method: see GET /methods"))?;
    if behaviour.is_reachable { Ok(behaviour) } else { Err(RequestError::Misdirected) }
}

fn new_charge(request: &ChargeRequest, behaviour: &MethodBehaviour, now: Timestamp, delays: &Delays) -> ChargeEntry {
    let pay_by = request.pay_by.unwrap_or(request.send_before);
    let entry = ChargeEntry {
        key: request.key.clone(),
        amount: request.amount,
        currency: request.currency.clone(),
        method: request.method.clone(),
        provider_ref: reference("sbx", &request.key),
        state: ChargeState::Pending,
        created_at: now,
        capture_at: behaviour.capture_at(now, pay_by, delays),
        settled_at: None,
        callbacks: Vec::new(),
    };
    match behaviour.settlement {
        Settlement::OnArrival(state) => entry.settled(state, now, behaviour.callbacks),
        Settlement::AfterShortDelay | Settlement::AfterSlowDelay | Settlement::AfterPayBy => entry,
    }
}
