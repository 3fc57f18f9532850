//! Taking a charge.
//!
//! Keeps: one key is one charge for ever; a barred key and a charge after its `send_before` take no money (P2).

use voelgoed_domain::time::Timestamp;

use super::{Books, Decided, Decision};
use crate::sandbox::protocol::{ChargeAnswer, ChargeRequest, ChargeState, is_key};
use crate::sandbox::server::config::Delays;
use crate::sandbox::server::method::{Behaviour, Decides, behaviour};
use crate::sandbox::server::record::{ChargeEntry, Record, reference};
use crate::sandbox::server::refused::Refused;

impl Books {
    /// Takes a charge, or answers how the one with this key stands. `send_before` and `pay_by` belong to the sending, not to the
    /// charge: a repetition may carry others, and one that arrives late is still answered.
    pub fn charge(
        &self,
        request: &ChargeRequest,
        now: Timestamp,
        delays: &Delays,
        most_records: usize,
    ) -> Decided<ChargeAnswer> {
        let behaviour = check(request)?;
        if let Some(entry) = self.charges.get(&request.key) {
            let same =
                entry.amount == request.amount && entry.currency == request.currency && entry.method == request.method;
            return if same {
                Ok(Decision { record: None, answer: self.tell(entry) })
            } else {
                Err(Refused::KeyMismatch)
            };
        }
        if self.barred.contains_key(&request.key) {
            return Err(Refused::KeyCancelled);
        }
        if now > request.send_before {
            return Err(Refused::TooLate);
        }
        if self.len() >= most_records {
            return Err(Refused::Full);
        }
        let entry = open(request, behaviour, now, delays);
        Ok(Decision { answer: self.tell(&entry), record: Some(Record::Charge(entry)) })
    }
}

fn check(request: &ChargeRequest) -> Result<&'static Behaviour, Refused> {
    let invalid = |detail: &str| Refused::Invalid(detail.to_owned());
    if !is_key(&request.key) {
        return Err(invalid("key: 1 to 200 letters, digits and _ - . : are allowed"));
    }
    if request.amount <= 0 {
        return Err(invalid("amount: must be above zero"));
    }
    if request.currency.len() != 3 || !request.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(invalid("currency: must be three capital letters"));
    }
    let behaviour = behaviour(&request.method).ok_or_else(|| invalid("method: see GET /methods"))?;
    if behaviour.listens { Ok(behaviour) } else { Err(Refused::NotHere) }
}

fn open(request: &ChargeRequest, behaviour: &Behaviour, now: Timestamp, delays: &Delays) -> ChargeEntry {
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
    match behaviour.decides {
        Decides::AtOnce(state) => entry.settled(state, now, behaviour.callbacks),
        Decides::Soon | Decides::Slowly | Decides::Late => entry,
    }
}
