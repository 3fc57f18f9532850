//! Reads a cookie of a request and sets one on a response, with the attributes that all of ours share.
//!
//! Ours instead of the `cookie` crate: reading borrows from the header on the path of every request of a sale, and the rest is one format string.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::settings::WebSettings;

/// A cookie's name. Over TLS the name has the prefix `__Host-`, so that no other host of the domain can set the cookie.
#[derive(Debug, Clone, Copy)]
pub struct CookieName {
    /// Over plain HTTP.
    pub plain: &'static str,
    /// Over TLS.
    pub secure: &'static str,
}

impl CookieName {
    /// The name under these settings.
    #[must_use]
    pub const fn of(self, settings: &WebSettings) -> &'static str {
        if settings.secure_cookies { self.secure } else { self.plain }
    }
}

/// When browsers send a cookie with requests that another site caused.
#[derive(Debug, Clone, Copy)]
pub enum SameSite {
    /// With navigations, so that a link from a mail keeps the session.
    Lax,
    /// Never.
    Strict,
}

/// The value of a request's cookie.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Sets a cookie for the whole host that scripts cannot read; 0 seconds remove it.
pub fn set_cookie(
    settings: &WebSettings,
    response: &mut Response,
    name: CookieName,
    value: &str,
    seconds: u64,
    same_site: SameSite,
) {
    let name = name.of(settings);
    let secure = if settings.secure_cookies { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site:?}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
