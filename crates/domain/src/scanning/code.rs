//! Signs and verifies ticket codes: 109 bytes signed with Ed25519 and written as Base45. docs/ticket-code.md is the format.
//!
//! Never: accepts a code without checking its signature, or in two spellings (P6): [`scanned`] first removes what a scanner adds. Seed, keys and
//! `now` are arguments. To change the format: a new version byte beside the old one, and its rows in the published vectors.

use std::collections::BTreeMap;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use super::base45::{self, Base45Error};
use super::entry::ScanReason;
use crate::catalog::admission_window::AdmissionWindow;
use crate::ids::{EventId, TicketId};
use crate::text::is_control_or_zero_width;
use crate::time::Timestamp;

pub mod mutation;

/// The version of codes that is written and read.
pub const VERSION: u8 = 1;
/// The length of the claims, which precede the signature, in bytes.
pub const CLAIMS_BYTES: usize = 45;
/// The length of a code in bytes.
pub const CODE_BYTES: usize = CLAIMS_BYTES + 64;
/// The length of a code's text in characters.
pub const CODE_CHARACTERS: usize = CODE_BYTES / 2 * 3 + 2;

/// Signed before the claims, so that a signature made for another purpose is never a ticket.
const CONTEXT: &[u8] = b"voelgoed ticket code\n";

/// Restores the code from the text of a scanner. Scanners act as keyboards: they add blanks, tabs and line ends, wrap lines, type small letters under
/// Caps Lock and full-width letters with an input method. The alphabet of codes has none of these, so each text has one reading. An issued code has no
/// blank at either end; a blank inside is a character of the code.
#[must_use]
pub fn scanned(text: &str) -> String {
    let breaks_line = |c: &char| is_control_or_zero_width(*c) || matches!(c, '\u{2028}' | '\u{2029}');
    let read: String = text.nfkc().filter(|c| !breaks_line(c)).map(|c| c.to_ascii_uppercase()).collect();
    read.trim().to_owned()
}

/// The number of a signing key within codes. Numbers below 2^24 make codes begin with `V50`, and never with a blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

/// The signed content of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketClaims {
    /// The event that the ticket is for.
    pub event: EventId,
    /// The ticket's identifier.
    pub ticket: TicketId,
    /// Start of the validity in seconds since 1970; 0 in codes that are issued today.
    pub valid_from: u32,
    /// End of the validity in seconds since 1970; `u32::MAX` in codes that are issued today.
    pub valid_until: u32,
}

/// Why a code is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not Base45.
    #[error("not a ticket code: {0}")]
    Text(#[from] Base45Error),
    /// Too short or too long.
    #[error("not a ticket code: it has the wrong length")]
    Length,
    /// A version that this program cannot read.
    #[error("a ticket code of the unknown version {0}")]
    Version(u8),
    /// Signed by a key that is not among the trusted ones.
    #[error("signed by the unknown key {0}")]
    UnknownKey(u32),
    /// The signature does not match the claims.
    #[error("the signature does not match")]
    Signature,
    /// A ticket of another event.
    #[error("for another event")]
    WrongEvent,
    /// Before the validity of the code.
    #[error("not valid yet")]
    NotYet,
    /// After the validity of the code.
    #[error("no longer valid")]
    Expired,
}

impl CodeError {
    /// The reason that a gate reports.
    #[must_use]
    pub const fn reason(self) -> ScanReason {
        match self {
            Self::Text(_) | Self::Length | Self::Version(_) | Self::Signature => ScanReason::Invalid,
            Self::UnknownKey(_) => ScanReason::UnknownKey,
            Self::WrongEvent => ScanReason::WrongEvent,
            Self::NotYet => ScanReason::NotYet,
            Self::Expired => ScanReason::Expired,
        }
    }
}

/// The key that an organization signs its codes with.
#[derive(Clone)]
pub struct TicketSigner {
    id: KeyId,
    key: SigningKey,
}

impl std::fmt::Debug for TicketSigner {
    /// Omits the secret key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TicketSigner").field("id", &self.id).finish_non_exhaustive()
    }
}

impl TicketSigner {
    /// The signer of a 32-byte secret seed (RFC 8032); codes name its key by `id`.
    #[must_use]
    pub fn new(id: KeyId, seed: &[u8; 32]) -> Self {
        Self { id, key: SigningKey::from_bytes(seed) }
    }

    /// The number of the key within codes.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The public key, which devices verify codes with.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Signs `claims`; the same claims always give the same code.
    #[must_use]
    pub fn sign(&self, claims: &TicketClaims) -> String {
        let mut bytes = claims.to_bytes(self.id).to_vec();
        let signature = self.key.sign(&signed_text(&bytes));
        bytes.extend(signature.to_bytes());
        base45::encode(&bytes)
    }
}

/// The bytes are not a public key, or a weak one whose signatures prove nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 public key that can be trusted")]
pub struct BadPublicKey;

/// The trusted public keys by their number.
#[derive(Debug, Clone, Default)]
pub struct TicketKeys(BTreeMap<KeyId, VerifyingKey>);

impl TicketKeys {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key, replacing one of the same number.
    ///
    /// # Errors
    /// [`BadPublicKey`] where the bytes are not a key, or a weak one.
    pub fn add(&mut self, id: KeyId, public_key: &[u8; 32]) -> Result<(), BadPublicKey> {
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| BadPublicKey)?;
        if key.is_weak() {
            return Err(BadPublicKey);
        }
        self.0.insert(id, key);
        Ok(())
    }

    /// Checks the signature and returns the claims; does not check event and time.
    ///
    /// # Errors
    /// [`CodeError`]: `Text`, `Length`, `Version`, `UnknownKey` or `Signature`.
    pub fn verify(&self, code: &str) -> Result<TicketClaims, CodeError> {
        // Refuses a wrong length before any work.
        if code.len() != CODE_CHARACTERS {
            return Err(CodeError::Length);
        }
        let bytes: [u8; CODE_BYTES] = base45::decode(code)?.try_into().map_err(|_| CodeError::Length)?;
        let (claims, signature) = bytes.split_at(CLAIMS_BYTES);
        let (id, content) = TicketClaims::from_bytes(claims)?;
        let key = self.0.get(&id).ok_or(CodeError::UnknownKey(id.0))?;
        let signature = Signature::from_slice(signature).map_err(|_| CodeError::Signature)?;
        key.verify_strict(&signed_text(claims), &signature).map_err(|_| CodeError::Signature)?;
        Ok(content)
    }

    /// Checks the code for `event` at `now` and returns the claims.
    ///
    /// # Errors
    /// [`CodeError`]; [`CodeError::reason`] is the reason that the gate reports. Combines [`Self::verify`] and [`TicketClaims::check`].
    pub fn read(&self, code: &str, event: EventId, now: Timestamp) -> Result<TicketClaims, CodeError> {
        let claims = self.verify(code)?;
        claims.check(event, now)?;
        Ok(claims)
    }
}

impl TicketClaims {
    /// Claims valid from `from` until `until`, widened to whole seconds and clamped to the years 1970 to 2106.
    #[must_use]
    pub fn new(event: EventId, ticket: TicketId, from: Timestamp, until: Timestamp) -> Self {
        let second = |micros: i64| u32::try_from(micros.max(0).div_euclid(1_000_000)).unwrap_or(u32::MAX);
        let valid_until = second(until.micros().saturating_add(999_999));
        Self { event, ticket, valid_from: second(from.micros()), valid_until }
    }

    /// Claims without a bound in time: gates use the event's current window, which may move after the code was printed.
    #[must_use]
    pub const fn unbounded(event: EventId, ticket: TicketId) -> Self {
        Self { event, ticket, valid_from: 0, valid_until: u32::MAX }
    }

    /// Checks that the claims are for `event`.
    ///
    /// # Errors
    /// [`CodeError`]: `WrongEvent`.
    pub fn check_event(&self, event: EventId) -> Result<(), CodeError> {
        if self.event != event {
            return Err(CodeError::WrongEvent);
        }
        Ok(())
    }

    /// The signed window, which counts only where the event's current one is not known.
    #[must_use]
    pub fn signed_window(&self) -> AdmissionWindow {
        let moment = |seconds: u32| Timestamp::from_micros(i64::from(seconds) * 1_000_000);
        AdmissionWindow { from: moment(self.valid_from), until: moment(self.valid_until) }
    }

    /// Checks the claims for `event` at `now` by the signed window.
    ///
    /// # Errors
    /// [`CodeError`]: `WrongEvent`, `NotYet` or `Expired`.
    pub fn check(&self, event: EventId, now: Timestamp) -> Result<(), CodeError> {
        self.check_event(event)?;
        let window = self.signed_window();
        match () {
            () if now < window.from => Err(CodeError::NotYet),
            () if now >= window.until => Err(CodeError::Expired),
            () => Ok(()),
        }
    }

    /// version · key id · event · ticket · from · until, numbers big-endian.
    fn to_bytes(self, key: KeyId) -> [u8; CLAIMS_BYTES] {
        let mut bytes = [0; CLAIMS_BYTES];
        bytes[0] = VERSION;
        bytes[1..5].copy_from_slice(&key.0.to_be_bytes());
        bytes[5..21].copy_from_slice(self.event.uuid().as_bytes());
        bytes[21..37].copy_from_slice(self.ticket.uuid().as_bytes());
        bytes[37..41].copy_from_slice(&self.valid_from.to_be_bytes());
        bytes[41..45].copy_from_slice(&self.valid_until.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<(KeyId, Self), CodeError> {
        let mut rest = bytes;
        let [version] = take(&mut rest)?;
        if version != VERSION {
            return Err(CodeError::Version(version));
        }
        let key = KeyId(u32::from_be_bytes(take(&mut rest)?));
        let event = EventId::from_uuid(Uuid::from_bytes(take(&mut rest)?));
        let ticket = TicketId::from_uuid(Uuid::from_bytes(take(&mut rest)?));
        let valid_from = u32::from_be_bytes(take(&mut rest)?);
        let valid_until = u32::from_be_bytes(take(&mut rest)?);
        Ok((key, Self { event, ticket, valid_from, valid_until }))
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], CodeError> {
    let (taken, left) = rest.split_first_chunk::<N>().ok_or(CodeError::Length)?;
    *rest = left;
    Ok(*taken)
}

fn signed_text(claims: &[u8]) -> Vec<u8> {
    [CONTEXT, claims].concat()
}

#[cfg(test)]
mod tests;
