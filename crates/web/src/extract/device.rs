//! Devices: each has a key of its own, bound to its organization and event, and can be revoked.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use voelgoed_app::accounts::secret::SecretKind;
use voelgoed_app::scanning::ports::Device;
use voelgoed_app::token::fingerprint;
use voelgoed_telemetry::spans;

use super::ClientAddress;
use super::organizer::{bearer, found_or_guessed, unauthenticated};
use crate::problem::Failure;
use crate::state::Web;

/// A scanner.
#[derive(Debug, Clone)]
pub struct DeviceCaller {
    /// Which one.
    pub device: Arc<Device>,
    /// The fingerprint of its key, by which a long call finds out whether it was revoked meanwhile.
    pub key: [u8; 32],
}

impl FromRequestParts<Web> for DeviceCaller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let secret = bearer(&parts.headers).filter(|secret| SecretKind::of(secret) == Some(SecretKind::Device));
        let key = fingerprint(secret.ok_or_else(unauthenticated)?);
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
        // Scanners share an address with whoever is on the venue's network: what others guess there must not close a gate.
        let device = found_or_guessed(web, address, web.platform.credentials.device(key)).await?;
        spans::belongs_to(&device.organization, Some(&device.event));
        Ok(Self { device, key })
    }
}
