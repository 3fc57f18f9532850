//! Deserializes values that TOML has no type for: durations such as `"10m"` (jiff's friendly format), networks, and anything with `FromStr`.
//!
//! Durations by `jiff`, which is there for times, instead of `humantime-serde`.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use voelgoed_web::client_address::TrustedProxies;

/// A duration that is not negative.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let duration: SignedDuration =
        text.parse().map_err(|_| Error::custom(format!("`{text}` is not a span such as \"90s\" or \"10m\"")))?;
    Duration::try_from(duration).map_err(|_| Error::custom(format!("`{text}` must not be negative")))
}

/// A list of networks, or one text with commas or blanks between them.
pub fn trusted_proxies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TrustedProxies, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Networks {
        Text(String),
        List(Vec<String>),
    }
    let lists = match Networks::deserialize(deserializer)? {
        Networks::Text(text) => vec![text],
        Networks::List(list) => list,
    };
    TrustedProxies::parse(lists.iter().map(String::as_str))
        .map_err(|error| Error::custom(format!("server.trusted_proxies: {error}")))
}

/// A value with `FromStr`.
pub fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|error| Error::custom(format!("`{text}` {error}")))
}
