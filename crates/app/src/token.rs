//! Mints and verifies the tokens that give access to a hold or an order, by a MAC and without a store (P7).
//!
//! A token is `base64url(kind | organization | event | id | MAC)`. The server checks the MAC and routes by the content before any store is called; a repeat
//! of a request returns the same token. Never: a token in a log; a comparison that is not in constant time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use voelgoed_domain::ids::{EventId, Id, IdKind, OrganizationId};
use voelgoed_domain::scanning::code::TicketSigner;

use crate::ticketing::ports::EventScope;

const MAC_BYTES: usize = 16;
const BODY_BYTES: usize = 1 + 16 * 3;

/// The kind of a token, its first byte, so that a token of one kind is not accepted as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum TokenKind {
    /// A hold.
    Hold = 1,
    /// An order with its tickets.
    Order = 2,
}

/// The server's secret, from which every other key is derived.
#[derive(Clone)]
pub struct MasterKey {
    bytes: [u8; 32],
    /// Cached because every order page, ticket and scan needs one.
    signers: Arc<Mutex<BTreeMap<OrganizationId, TicketSigner>>>,
}

/// Cached signers; at this limit the cache is cleared.
const CACHED_SIGNERS_MAX: usize = 4_096;

impl MasterKey {
    /// Wraps 32 secret bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self { bytes, signers: Arc::default() }
    }

    /// The cached signer of an organization's ticket codes; `make` derives it on a miss.
    pub(crate) fn signer(
        &self,
        organization: OrganizationId,
        make: impl FnOnce(&Self) -> TicketSigner,
    ) -> TicketSigner {
        let mut signers = self.signers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signer) = signers.get(&organization) {
            return signer.clone();
        }
        if signers.len() >= CACHED_SIGNERS_MAX {
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

/// Mints and verifies tokens and signed session cookies. Keeps keyed MACs, because hashing the key is half the cost of a short MAC.
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

/// The content of a valid token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenClaims {
    /// The organization and event.
    pub scope: EventScope,
    /// The hold or order.
    pub id: Uuid,
}

impl Tokens {
    /// Derives its keys from the server's secret.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self { token_key: keyed(&master.derive("token", &[])), session_key: keyed(&master.derive("session", &[])) }
    }

    /// The token of a hold or order; the same at every call.
    #[must_use]
    pub fn mint<K: IdKind>(&self, kind: TokenKind, scope: EventScope, id: Id<K>) -> String {
        let mut bytes = Vec::with_capacity(BODY_BYTES + MAC_BYTES);
        bytes.push(kind as u8);
        bytes.extend_from_slice(scope.organization.uuid().as_bytes());
        bytes.extend_from_slice(scope.event.uuid().as_bytes());
        bytes.extend_from_slice(id.uuid().as_bytes());
        let mac = sign(&self.token_key, &bytes);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Verifies a token; none if its MAC is wrong or its kind is another.
    #[must_use]
    pub fn read(&self, kind: TokenKind, token: &str) -> Option<TokenClaims> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (body, mac) = bytes.split_at_checked(BODY_BYTES)?;
        if !same(&sign(&self.token_key, body), mac) || body.first() != Some(&(kind as u8)) {
            return None;
        }
        let part = |at: usize| Uuid::from_slice(body.get(at..at + 16)?).ok();
        Some(TokenClaims {
            scope: EventScope {
                organization: OrganizationId::from_uuid(part(1)?),
                event: EventId::from_uuid(part(17)?),
            },
            id: part(33)?,
        })
    }

    /// The signed text of a buyer's session, for its cookie and `X-Session`.
    #[must_use]
    pub fn mint_session(&self, session: Uuid) -> String {
        let mut bytes = session.as_bytes().to_vec();
        bytes.extend_from_slice(&sign(&self.session_key, session.as_bytes()));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Verifies a session; none if its MAC is wrong.
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

/// The SHA-256 of a secret; stores keep it instead of the secret.
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
    fn token_is_valid_only_as_its_own_kind() {
        let tokens = Tokens::new(&MasterKey::new([7; 32]));
        let hold = HoldId::from_uuid(Uuid::from_u128(3));
        let token = tokens.mint(TokenKind::Hold, scope(), hold);
        assert_eq!(tokens.read(TokenKind::Hold, &token), Some(TokenClaims { scope: scope(), id: hold.uuid() }));
        assert_eq!(tokens.read(TokenKind::Order, &token), None);
        assert_eq!(token, tokens.mint(TokenKind::Hold, scope(), hold), "a repeat returns the same token");
    }

    #[test]
    fn token_with_any_changed_byte_is_rejected() {
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
    fn session_is_valid_with_its_mac_and_rejected_without() {
        let tokens = Tokens::new(&MasterKey::new([7; 32]));
        let session = Uuid::from_u128(9);
        assert_eq!(tokens.read_session(&tokens.mint_session(session)), Some(session));
        assert_eq!(tokens.read_session(&URL_SAFE_NO_PAD.encode(session.as_bytes())), None);
    }
}
