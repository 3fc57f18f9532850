//! Counts reads, holds and writes of organizers against their rate limits, and refuses what is above them.

use std::future::Future;
use std::net::IpAddr;

use voelgoed_app::error::CommandError;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Refusal;

use crate::extract::BuyerSession;
use crate::rate_limit_refusal::rate_limit_refusal;
use crate::state::Web;

/// Counts a hold against its buyer's address, since a client can have as many sessions as it likes.
///
/// # Errors
/// `rate_limited` with the limit and the time to wait.
pub async fn check_hold(web: &Web, buyer: &BuyerSession) -> Result<(), Refusal> {
    let counted = web.hold_limiter.check(&buyer.address).await;
    counted.map_err(|limited| rate_limit_refusal(limited, "Too many holds from this address. Wait a moment."))
}

/// Counts a write of an organizer against their organization.
///
/// # Errors
/// `rate_limited` with the limit and the time to wait.
pub async fn check_organizer_write(web: &Web, organization: OrganizationId) -> Result<(), Refusal> {
    let counted = web.organizer_limiter.check(&organization).await;
    counted.map_err(|limited| rate_limit_refusal(limited, "Too many changes by this organization. Wait a moment."))
}

/// Counts a read of public data against its address.
///
/// # Errors
/// `rate_limited` with the limit and the time to wait.
pub fn check_read(web: &Web, address: &IpAddr) -> Result<(), Refusal> {
    let counted = web.read_limiter.check(address);
    counted.map_err(|limited| rate_limit_refusal(limited, "Too many requests from this address. Wait a moment."))
}

/// Runs a buyer's command that may carry a promo code.
///
/// # Errors
/// As [`crate::promo_code_limits::PromoCodeLimits::run`].
pub async fn with_promo_code<T>(
    web: &Web,
    buyer: &BuyerSession,
    code: Option<&str>,
    command: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    web.promo_code_limits.run(buyer.session, buyer.address, code, command).await
}
