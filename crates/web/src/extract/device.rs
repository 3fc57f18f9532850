//! Devices: each has a key of its own, bound to its organization and event, and can be revoked.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use voelgoed_app::accounts::secret::SecretKind;
use voelgoed_app::scanning::ports::Device;
use voelgoed_app::token::fingerprint;
use voelgoed_telemetry::spans;

use super::ClientAddress;
use super::organizer::{bearer, unauthenticated};
use crate::key_guesses::looked_up;
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
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, web).await;
        let secret = bearer(&parts.headers).filter(|secret| SecretKind::of(secret) == Some(SecretKind::Device));
        let secret = secret.ok_or_else(unauthenticated)?;
        let key = fingerprint(secret);
        let device = looked_up(web, SecretKind::Device, secret, address, web.platform.credentials.device(key)).await?;
        spans::belongs_to(&device.organization, Some(&device.event));
        Ok(Self { device, key })
    }
}
