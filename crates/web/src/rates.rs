//! Limits what a buyer may do beside writing: holds by address, since sessions cost nothing to make, and wrong promo codes by session and address.

use std::future::Future;
use std::net::IpAddr;

use voelgoed_app::error::Error;
use voelgoed_app::limits::attempts::AttemptLimiter;
use voelgoed_domain::ids::{OrganizationId, SessionId};
use voelgoed_domain::refusal::{Code, LimitHit, Refusal};
use voelgoed_resilience::rate_limit::RateLimited;

use crate::extract::Buyer;
use crate::state::Web;

const WRONG_CODES: &str = "Too many wrong promo codes. Wait a moment, or go on without one.";

/// The limits of wrong promo codes.
pub struct PromoCodeLimits {
    /// Of one session.
    pub sessions: AttemptLimiter<SessionId>,
    /// Of one address.
    pub addresses: AttemptLimiter<IpAddr>,
}

/// Counts a hold against its buyer's address.
///
/// # Errors
/// `rate_limited` with the limit and the time to wait.
pub async fn hold(web: &Web, buyer: &Buyer) -> Result<(), Refusal> {
    let counted = web.hold_limiter.check(&buyer.address).await;
    counted.map_err(|limited| refusal(limited, "Too many holds from this address. Wait a moment."))
}

/// Counts a write of an organizer against their organization.
///
/// # Errors
/// `rate_limited` with the limit and the time to wait.
pub async fn organizer_write(web: &Web, organization: OrganizationId) -> Result<(), Refusal> {
    let counted = web.organizer_limiter.check(&organization).await;
    counted.map_err(|limited| refusal(limited, "Too many changes by this organization. Wait a moment."))
}

/// Counts a read of what anybody may see against its address.
///
/// # Errors
/// `rate_limited` with the limit and the time to wait.
pub fn read(web: &Web, address: &IpAddr) -> Result<(), Refusal> {
    web.read_limiter
        .check(address)
        .map_err(|limited| refusal(limited, "Too many requests from this address. Wait a moment."))
}

/// Runs a command that may carry a promo code; a refusal that names the field `code` is a wrong try.
///
/// # Errors
/// `rate_limited` before anything is done, where too many tries were wrong; else what the command says.
pub async fn with_promo_code<T>(
    web: &Web,
    buyer: &Buyer,
    code: Option<&str>,
    command: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    if code.is_none_or(|code| code.trim().is_empty()) {
        return command.await;
    }
    let too_many = |limited| Error::Refused(refusal(limited, WRONG_CODES));
    let PromoCodeLimits { sessions, addresses } = &web.promo_code_limits;
    // The address first: sessions cost nothing to make.
    let by_address = addresses.begin(buyer.address).await.map_err(too_many)?;
    let by_session = match sessions.begin(buyer.session).await {
        Ok(attempt) => attempt,
        Err(limited) => {
            by_address.give_back();
            return Err(too_many(limited));
        }
    };
    let answer = command.await;
    let is_wrong = matches!(&answer, Err(Error::Refused(refusal)) if refusal.evidence.field.as_deref() == Some("code"));
    if !is_wrong {
        by_session.give_back();
        by_address.give_back();
    }
    answer
}

/// The refusal of a limit, with its name and the time to wait.
pub(crate) fn refusal(limited: RateLimited, detail: &str) -> Refusal {
    let limit = LimitHit { name: limited.limit.name, most: u64::from(limited.limit.burst) };
    Refusal::new(Code::RateLimited, detail).with(|evidence| {
        evidence.limit = Some(limit);
        evidence.retry_after = Some(limited.retry_after.as_seconds());
    })
}
