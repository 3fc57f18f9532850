//! Encrypts stored answers with ChaCha20-Poly1305 under a key per record, derived from the master key.
//!
//! An answer may contain an API key, a pairing code or a token; a reader of the database, a dump or a backup cannot decrypt it without the master key.
//! Never: one key for two answers. The record's whole name and its time are the context of its key, so no nonce is stored.

use bytes::Bytes;
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use voelgoed_domain::ids::OrganizationId;

use crate::idempotency::IdempotencyRecord;
use crate::token::MasterKey;

/// The first byte of a sealed answer; a new format takes another number.
const FORMAT: u8 = 1;

/// Seals and opens the answers of idempotency records.
#[derive(Debug, Clone)]
pub struct Sealer {
    master: MasterKey,
}

impl Sealer {
    /// A sealer under the platform's master key.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self { master: master.clone() }
    }

    /// Encrypts the record's answer for the store.
    ///
    /// # Errors
    /// A sentence for the log, for an answer above the cipher's limit of 256 GiB.
    pub fn seal(&self, organization: OrganizationId, record: &IdempotencyRecord) -> Result<Bytes, String> {
        let sealed = self.cipher(organization, record).encrypt(&Nonce::default(), &record.answer[..]);
        let sealed = sealed.map_err(|_| "an answer could not be encrypted".to_owned())?;
        let mut stored = Vec::with_capacity(1 + sealed.len());
        stored.push(FORMAT);
        stored.extend_from_slice(&sealed);
        Ok(stored.into())
    }

    /// Decrypts `record.answer`, which a store returned.
    ///
    /// # Errors
    /// A sentence for the log, if the answer was sealed under another master key or was changed since.
    pub fn open(&self, organization: OrganizationId, record: IdempotencyRecord) -> Result<IdempotencyRecord, String> {
        let sealed = record.answer.strip_prefix(&[FORMAT]).ok_or("a stored answer is not sealed")?;
        let opened = self.cipher(organization, &record).decrypt(&Nonce::default(), sealed);
        let answer = opened.map_err(|_| "a stored answer was sealed under another master key, or was changed since")?;
        Ok(IdempotencyRecord { answer: answer.into(), ..record })
    }

    fn cipher(&self, organization: OrganizationId, record: &IdempotencyRecord) -> ChaCha20Poly1305 {
        let key = &record.key;
        let tenant = organization.uuid();
        let moment = record.at.micros().to_be_bytes();
        let name: [&[u8]; 5] = [tenant.as_bytes(), key.caller.as_bytes(), key.key.as_bytes(), &key.request, &moment];
        ChaCha20Poly1305::new(&self.master.derive("sealed answer", &name).into())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use voelgoed_domain::time::Timestamp;

    use super::*;
    use crate::idempotency::IdempotencyKey;

    fn record(key: &str, at: i64) -> IdempotencyRecord {
        let key = IdempotencyKey { caller: "key_1".into(), key: key.into(), request: [1; 32] };
        IdempotencyRecord { key, answer: Bytes::from_static(b"{\"secret\":\"vgk_1\"}"), at: Timestamp::from_micros(at) }
    }

    #[test]
    fn sealed_answer_opens_only_with_its_own_organization_key_time_and_master_key() {
        let sealer = Sealer::new(&MasterKey::new([7; 32]));
        let [one, other] = [1, 2].map(|id| OrganizationId::from_uuid(Uuid::from_u128(id)));
        let stored = sealer.seal(one, &record("a", 1)).unwrap();
        assert!(!stored.windows(4).any(|window| window == b"vgk_"));
        let named = |key, at| IdempotencyRecord { answer: stored.clone(), ..record(key, at) };
        assert_eq!(sealer.open(one, named("a", 1)).unwrap().answer, record("a", 1).answer);
        assert!(sealer.open(other, named("a", 1)).is_err(), "another organization");
        assert!(sealer.open(one, named("b", 1)).is_err(), "another key");
        assert!(sealer.open(one, named("a", 2)).is_err(), "another moment");
        let elsewhere = Sealer::new(&MasterKey::new([8; 32]));
        assert!(elsewhere.open(one, named("a", 1)).is_err(), "another master key");
        assert!(sealer.open(one, record("a", 1)).is_err(), "a plain answer");
        assert_ne!(stored, sealer.seal(one, &record("a", 2)).unwrap());
    }
}
