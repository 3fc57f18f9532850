//! Limits wrong promo codes by session and by address, so that codes cannot be found by trying. Correct codes are not counted.

use std::future::Future;
use std::net::IpAddr;

use voelgoed_app::error::CommandError;
use voelgoed_app::limits::attempt_limiter::AttemptLimiter;
use voelgoed_domain::ids::SessionId;

use crate::rate_limit_refusal::rate_limit_refusal;

const TOO_MANY: &str = "Too many wrong promo codes. Wait a moment, or go on without one.";

/// The limits of wrong promo codes.
pub struct PromoCodeLimits {
    /// Of one session.
    pub sessions: AttemptLimiter<SessionId>,
    /// Of one address.
    pub addresses: AttemptLimiter<IpAddr>,
}

impl PromoCodeLimits {
    /// Runs a command that may carry a promo code; a refusal that names the field `code` counts as a wrong one.
    ///
    /// # Errors
    /// `rate_limited` before the command runs, where too many codes were wrong; else as the command.
    pub async fn run<T>(
        &self,
        session: SessionId,
        address: IpAddr,
        code: Option<&str>,
        command: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        if code.is_none_or(|code| code.trim().is_empty()) {
            return command.await;
        }
        let too_many = |limited| CommandError::Refused(rate_limit_refusal(limited, TOO_MANY));
        // The address first: a client can have a new session for each try.
        let by_address = self.addresses.begin(address).await.map_err(too_many)?;
        let by_session = match self.sessions.begin(session).await {
            Ok(attempt) => attempt,
            Err(limited) => {
                by_address.give_back();
                return Err(too_many(limited));
            }
        };
        let result = command.await;
        let is_wrong =
            matches!(&result, Err(CommandError::Refused(refusal)) if refusal.evidence.field.as_deref() == Some("code"));
        if !is_wrong {
            by_session.give_back();
            by_address.give_back();
        }
        result
    }
}
