//! Tokens that prove who may see a hold, an order or a place in the queue, without asking any store.
//!
//! A token is `base64url(kind | organization | event | id | MAC)`: the server routes by its content and checks the MAC before a store is touched,
//! and a repeat of the request returns the same token. Never logged; never compared but in constant time (P7).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use voelgoed_domain::ids::{EventId, Id, Kind, OrganizationId};
use voelgoed_domain::scanning::code::TicketSigner;

use voelgoed_planted::{Bug, planted};

use crate::ticketing::ports::EventScope;

const MAC_BYTES: usize = 16;
const BODY_BYTES: usize = 1 + 16 * 3;

/// What a token is about; one byte, so that a token of one kind never serves as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum TokenKind {
    /// A hold.
    Hold = 1,
    /// An order with its tickets.
    Order = 2,
}

/// The server's secret, from which every other key is derived by purpose.
#[derive(Clone)]
pub struct MasterKey {
    bytes: [u8; 32],
    /// Derived once per organization, since every order page, ticket and scan needs one.
    signers: Arc<Mutex<BTreeMap<OrganizationId, TicketSigner>>>,
}

/// The most signers that are remembered; beyond it all are forgotten and derived anew when needed.
const MOST_SIGNERS: usize = 4_096;

impl MasterKey {
    /// Wraps 32 secret bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self { bytes, signers: Arc::default() }
    }

    /// The signer of an organization's ticket codes, made by `make` where it is not remembered.
    pub(crate) fn signer(
        &self,
        organization: OrganizationId,
        make: impl FnOnce(&Self) -> TicketSigner,
    ) -> TicketSigner {
        let mut signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = signers.get(&organization) {
            return signer.clone();
        }
        if signers.len() >= MOST_SIGNERS {
            signers.clear();
        }
        let signer = make(self);
        signers.insert(organization, signer.clone());
        signer
    }

    /// A key for one purpose: HMAC-SHA256 of the purpose under the master key (a PRF, as in NIST SP 800-108).
    #[must_use]
    pub fn derive(&self, purpose: &str, context: &[&[u8]]) -> [u8; 32] {
        let mut mac = keyed(&self.bytes);
        mac.update(purpose.as_bytes());
        for part in context {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// Makes and checks tokens and signed cookies. A keyed MAC is kept rather than its key: half of a short MAC is taking in the key.
#[derive(Clone)]
pub struct Tokens {
    token_key: Hmac<Sha256>,
    session_key: Hmac<Sha256>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// What a good token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// The tenant and event.
    pub scope: EventScope,
    /// The thing.
    pub id: Uuid,
}

impl Tokens {
    /// Derives its keys from the server's secret.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self { token_key: keyed(&master.derive("token", &[])), session_key: keyed(&master.derive("session", &[])) }
    }

    /// The token of a thing; always the same.
    #[must_use]
    pub fn mint<K: Kind>(&self, kind: TokenKind, scope: EventScope, id: Id<K>) -> String {
        let mut bytes = Vec::with_capacity(BODY_BYTES + MAC_BYTES);
        bytes.push(kind as u8);
        bytes.extend_from_slice(scope.organization.uuid().as_bytes());
        bytes.extend_from_slice(scope.event.uuid().as_bytes());
        bytes.extend_from_slice(id.uuid().as_bytes());
        let mac = sign(&self.token_key, &bytes);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; none where it is not ours or of another kind.
    #[must_use]
    pub fn read(&self, kind: TokenKind, token: &str) -> Option<Claims> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (body, mac) = bytes.split_at_checked(BODY_BYTES)?;
        if !same(&sign(&self.token_key, body), mac) && !planted(Bug::TokenUnchecked)
            || body.first() != Some(&(kind as u8))
        {
            return None;
        }
        let part = |at: usize| Uuid::from_slice(body.get(at..at + 16)?).ok();
        Some(Claims {
            scope: EventScope {
                organization: OrganizationId::from_uuid(part(1)?),
                event: EventId::from_uuid(part(17)?),
            },
            id: part(33)?,
        })
    }

    /// A buyer's session as its cookie and `X-Session` carry it.
    #[must_use]
    pub fn mint_session(&self, session: Uuid) -> String {
        let mut bytes = session.as_bytes().to_vec();
        bytes.extend_from_slice(&sign(&self.session_key, session.as_bytes()));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a session; none where it is not ours.
    #[must_use]
    pub fn read_session(&self, text: &str) -> Option<Uuid> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, mac) = bytes.split_at_checked(16)?;
        if !same(&sign(&self.session_key, body), mac) {
            return None;
        }
        Uuid::from_slice(body).ok()
    }
}

fn sign(key: &Hmac<Sha256>, body: &[u8]) -> [u8; MAC_BYTES] {
    let mut mac = key.clone();
    mac.update(body);
    let full: [u8; 32] = mac.finalize().into_bytes().into();
    let mut short = [0; MAC_BYTES];
    short.copy_from_slice(&full[..MAC_BYTES]);
    short
}

fn same(ours: &[u8], theirs: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(ours, theirs).into()
}

/// The SHA-256 of a secret, as stores keep it.
#[must_use]
pub fn fingerprint(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use voelgoed_domain::ids::{HoldId, OrderId};

    fn scope() -> EventScope {
        EventScope {
            organization: OrganizationId::from_uuid(Uuid::from_u128(1)),
            event: EventId::from_uuid(Uuid::from_u128(2)),
        }
    }

    #[test]
    fn a_token_reads_back_and_only_as_its_kind() {
        let tokens = Tokens::new(&MasterKey::new([7; 32]));
        let hold = HoldId::from_uuid(Uuid::from_u128(3));
        let token = tokens.mint(TokenKind::Hold, scope(), hold);
        assert_eq!(tokens.read(TokenKind::Hold, &token), Some(Claims { scope: scope(), id: hold.uuid() }));
        assert_eq!(tokens.read(TokenKind::Order, &token), None);
        assert_eq!(token, tokens.mint(TokenKind::Hold, scope(), hold), "a repeat returns the same token");
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let tokens = Tokens::new(&MasterKey::new([7; 32]));
        let token = tokens.mint(TokenKind::Order, scope(), OrderId::from_uuid(Uuid::from_u128(3)));
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(tokens.read(TokenKind::Order, &URL_SAFE_NO_PAD.encode(changed)), None, "byte {at}");
        }
        assert_eq!(tokens.read(TokenKind::Order, ""), None);
        let other = Tokens::new(&MasterKey::new([8; 32]));
        assert_eq!(other.read(TokenKind::Order, &token), None, "another server's token");
    }

    #[test]
    fn a_session_reads_back_and_is_not_guessed() {
        let tokens = Tokens::new(&MasterKey::new([7; 32]));
        let session = Uuid::from_u128(9);
        assert_eq!(tokens.read_session(&tokens.mint_session(session)), Some(session));
        assert_eq!(tokens.read_session(&URL_SAFE_NO_PAD.encode(session.as_bytes())), None);
    }
}
