//! The configuration: `default.toml`, a file, the environment, flags; checked as a whole before anything starts.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use config::{Config, Environment, File, FileFormat};
use serde::{Deserialize, Deserializer};
use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_app::platform::SaleTimes;
use voelgoed_app::retention::RetentionPeriods;
use voelgoed_app::ticketing::address_limit::PlacesPerAddress;
use voelgoed_resilience::BulkheadLimit;
use voelgoed_web::client_address::{AddressRules, ForwardingHeader, TrustedProxies};

use crate::secret_strength::check_text;

/// The defaults, with a comment on each.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// `server.listen` where nobody chooses another address.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// Every setting.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// HTTP.
    pub server: Server,
    /// Files.
    pub data: Data,
    /// The warm tier.
    pub warm: Warm,
    /// The cold tier.
    pub cold: Cold,
    /// Keys.
    pub secrets: Secrets,
    /// Times of a sale.
    pub sale: Sale,
    /// How long what is over is kept.
    pub retention: Retention,
    /// Limits.
    pub limits: Limits,
    /// What one organization may have.
    pub quotas: Quotas,
    /// The log.
    pub log: Log,
    /// The sandbox payment provider.
    pub sandbox: Sandbox,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    pub internal_listen: SocketAddr,
    pub internal_connections_max: usize,
    pub most_connections: usize,
    pub connections_per_address_max: usize,
    #[serde(deserialize_with = "span")]
    pub write_timeout: Duration,
    #[serde(deserialize_with = "span")]
    pub lame_duck: Duration,
    #[serde(deserialize_with = "span")]
    pub drain: Duration,
    #[serde(deserialize_with = "span")]
    pub request_deadline: Duration,
    pub most_in_flight: usize,
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: TrustedProxies,
    #[serde(deserialize_with = "parsed")]
    pub client_address_header: ForwardingHeader,
    pub secure_cookies: bool,
    pub public_url: String,
}

/// `[data]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub directory: PathBuf,
}

/// `[warm]`; not shown by `Debug`, since a URL may carry a password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warm {
    pub url: String,
}

/// `[cold]`; not shown by `Debug`, since a URL may carry a password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cold {
    pub url: String,
    pub replicas: Vec<String>,
}

impl std::fmt::Debug for Warm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Warm(…)")
    }
}

impl std::fmt::Debug for Cold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cold(…)")
    }
}

/// `[secrets]`; not shown by `Debug`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    pub master: String,
    pub master_file: PathBuf,
    pub operator: String,
}

impl Secrets {
    fn check(&self) -> anyhow::Result<()> {
        match self.operator.trim() {
            // Nobody is the operator then.
            "" => Ok(()),
            key => check_text("secrets.operator", key),
        }
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// `[sale]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sale {
    #[serde(deserialize_with = "span")]
    pub hold: Duration,
    #[serde(deserialize_with = "span")]
    pub extension: Duration,
    #[serde(deserialize_with = "span")]
    pub send_lease: Duration,
    #[serde(deserialize_with = "span")]
    pub poll_every: Duration,
    #[serde(deserialize_with = "span")]
    pub order_link_lifetime: Duration,
}

impl Sale {
    /// As the application wants them.
    #[must_use]
    pub const fn times(&self) -> SaleTimes {
        SaleTimes {
            hold: self.hold,
            extension: self.extension,
            send_lease: self.send_lease,
            poll_every: self.poll_every,
            order_link_lifetime: self.order_link_lifetime,
        }
    }
}

/// `[retention]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    #[serde(deserialize_with = "span")]
    pub facts: Duration,
    #[serde(deserialize_with = "span")]
    pub scans: Duration,
    #[serde(deserialize_with = "span")]
    pub audit_lines: Duration,
    #[serde(deserialize_with = "span")]
    pub counts: Duration,
}

impl Retention {
    /// The shortest: a device that was offline may still send its scans, and who was told of a conflict looks at it.
    const SCANS_AT_LEAST: Duration = Duration::from_secs(7 * 24 * 3600);

    /// As the application wants them.
    #[must_use]
    pub const fn spans(&self) -> RetentionPeriods {
        RetentionPeriods { facts: self.facts, scans: self.scans, audit_lines: self.audit_lines, counts: self.counts }
    }

    fn check(&self) -> anyhow::Result<()> {
        let least = Self::SCANS_AT_LEAST;
        anyhow::ensure!(self.scans >= least, "retention.scans must be at least {} h", least.as_secs() / 3600);
        Ok(())
    }
}

/// `[limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub body: usize,
    pub layout: usize,
    pub session_burst: u32,
    #[serde(deserialize_with = "span")]
    pub session_per: Duration,
    pub address_burst: u32,
    #[serde(deserialize_with = "span")]
    pub address_per: Duration,
    pub login_burst: u32,
    #[serde(deserialize_with = "span")]
    pub login_per: Duration,
    pub login_account_burst: u32,
    #[serde(deserialize_with = "span")]
    pub login_account_per: Duration,
    pub login_place_burst: u32,
    #[serde(deserialize_with = "span")]
    pub login_place_per: Duration,
    pub password_hashes_max: usize,
    pub password_hashes_waiting_max: usize,
    pub logins_per_address_waiting_max: usize,
    pub pairing_burst: u32,
    #[serde(deserialize_with = "span")]
    pub pairing_per: Duration,
    pub promo_code_burst: u32,
    #[serde(deserialize_with = "span")]
    pub promo_code_per: Duration,
    pub promo_code_address_burst: u32,
    #[serde(deserialize_with = "span")]
    pub promo_code_address_per: Duration,
    pub hold_burst: u32,
    #[serde(deserialize_with = "span")]
    pub hold_per: Duration,
    pub guess_burst: u32,
    #[serde(deserialize_with = "span")]
    pub guess_per: Duration,
    pub read_burst: u32,
    #[serde(deserialize_with = "span")]
    pub read_per: Duration,
    pub map_bytes_max: usize,
    pub body_bytes_max: usize,
    pub bodies_per_address_max: usize,
    #[serde(deserialize_with = "span")]
    pub body_timeout: Duration,
    pub body_bytes_per_second_min: usize,
    #[serde(deserialize_with = "span")]
    pub body_time_max: Duration,
    pub organizer_write_burst: u32,
    #[serde(deserialize_with = "span")]
    pub organizer_write_per: Duration,
    pub viewers: usize,
    pub viewers_per_address_max: usize,
    pub viewers_per_organization_max: usize,
    pub viewers_per_session_max: usize,
    pub order_streams_per_address_max: usize,
    pub order_streams_per_organization_max: usize,
    pub order_streams_per_order_max: usize,
    pub device_streams_per_address_max: usize,
    pub device_streams_per_organization_max: usize,
    pub device_streams_per_device_max: usize,
    pub organization_running: usize,
    pub organization_waiting: usize,
    pub order_streams: usize,
    pub device_streams: usize,
    pub ipv6_prefix_length: u8,
    pub places_per_address_max: u32,
    pub places_per_address_share_max: f64,
}

impl Limits {
    /// How many places one client address may hold at once.
    #[must_use]
    pub const fn places_per_address(&self) -> PlacesPerAddress {
        PlacesPerAddress { places_max: self.places_per_address_max, share_max: self.places_per_address_share_max }
    }

    /// How many passwords are hashed at once.
    #[must_use]
    pub const fn password_hashes(&self) -> BulkheadLimit {
        let (running, waiting) = (self.password_hashes_max, self.password_hashes_waiting_max);
        BulkheadLimit { name: "passwords", running, waiting }
    }

    fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            (1..=128).contains(&self.ipv6_prefix_length),
            "limits.ipv6_prefix_length must be from 1 to 128"
        );
        anyhow::ensure!(self.places_per_address_max > 0, "limits.places_per_address_max must be at least 1");
        let share = self.places_per_address_share_max;
        anyhow::ensure!((0.0..=1.0).contains(&share), "limits.places_per_address_share_max must be from 0 to 1");
        Ok(())
    }
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: String,
    pub filter: String,
}

/// `[sandbox]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    pub enabled: bool,
    pub url: String,
    pub listen: SocketAddr,
    pub time_scale: f64,
}

/// What flags may override.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--internal-listen`
    pub internal_listen: Option<SocketAddr>,
    /// `--data`
    pub data: Option<PathBuf>,
}

impl Settings {
    /// Reads every source.
    ///
    /// # Errors
    /// Names the source and the setting that is wrong.
    pub fn load(file: Option<&Path>, flags: &Flags) -> anyhow::Result<Self> {
        let settings: Self = sources(file, flags)?.try_deserialize().context("the configuration is not usable")?;
        settings.retention.check()?;
        settings.limits.check()?;
        settings.secrets.check()?;
        Ok(settings)
    }

    /// How client addresses are found and counted.
    #[must_use]
    pub fn address_rules(&self) -> AddressRules {
        AddressRules {
            trusted_proxies: self.server.trusted_proxies.clone(),
            header: self.server.client_address_header,
            ipv6_prefix_length: self.limits.ipv6_prefix_length,
        }
    }
}

/// A list of networks, or one text with commas or blanks between them.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TrustedProxies, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        List(Vec<String>),
    }
    let lists = match Written::deserialize(deserializer)? {
        Written::Text(text) => vec![text],
        Written::List(list) => list,
    };
    TrustedProxies::parse(lists.iter().map(String::as_str))
        .map_err(|error| serde::de::Error::custom(format!("server.trusted_proxies: {error}")))
}

fn parsed<'de, D: Deserializer<'de>, T: std::str::FromStr<Err: std::fmt::Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|error| serde::de::Error::custom(format!("`{text}` {error}")))
}

/// The defaults, the file over them, the environment over both, and the flags over all.
pub(crate) fn sources(file: Option<&Path>, flags: &Flags) -> anyhow::Result<Config> {
    let mut sources = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(file) = file {
        sources = sources.add_source(File::from(file).format(FileFormat::Toml));
    }
    let environment = Environment::with_prefix("VOELGOED").prefix_separator("__").separator("__");
    let environment = environment
        .try_parsing(true)
        .list_separator(",")
        .with_list_parse_key("server.trusted_proxies")
        .with_list_parse_key("cold.replicas");
    sources = sources.add_source(environment);
    for (name, secret) in secrets(variables()) {
        sources = sources.set_override(name, secret)?;
    }
    for (name, address) in [("server.listen", flags.listen), ("server.internal_listen", flags.internal_listen)] {
        if let Some(address) = address {
            sources = sources.set_override(name, address.to_string())?;
        }
    }
    if let Some(data) = &flags.data {
        let data = data.to_str().context("the data directory's name is not UTF-8")?;
        sources = sources.set_override("data.directory", data)?;
    }
    Ok(sources.build()?)
}

#[expect(clippy::disallowed_methods, reason = "configuration is read here")]
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The secrets of the environment as they are written: one of digits alone is no number.
fn secrets(variables: impl Iterator<Item = (String, String)>) -> impl Iterator<Item = (String, String)> {
    variables.filter_map(|(name, value)| {
        let name = name.strip_prefix("VOELGOED__SECRETS__")?.to_lowercase();
        Some((format!("secrets.{name}"), value))
    })
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|_| serde::de::Error::custom(format!("`{text}` is not a span such as \"90s\" or \"10m\"")))?;
    Duration::try_from(span).map_err(|_| serde::de::Error::custom(format!("`{text}` must not be negative")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_the_environment_are_text() {
        let digits = "31415926535897932384626433";
        let variables =
            [("VOELGOED__SECRETS__OPERATOR", digits), ("VOELGOED__SERVER__X", "1")].map(|(a, b)| (a.into(), b.into()));
        assert_eq!(secrets(variables.into_iter()).collect::<Vec<_>>(), [("secrets.operator".into(), digits.into())]);
    }

    #[test]
    fn the_defaults_are_usable_and_flags_win() {
        let settings = Settings::load(None, &Flags::default()).expect("the defaults are whole");
        assert_eq!(settings.sale.hold, Duration::from_secs(600));
        assert_eq!(settings.server.listen.to_string(), DEFAULT_LISTEN);
        assert!(settings.server.internal_listen.ip().is_loopback(), "operators' calls are not for the network");
        assert_eq!(settings.server.internal_listen.port(), 0, "several servers on one machine must not clash");
        let flags = Flags {
            listen: Some("127.0.0.1:1".parse().unwrap()),
            internal_listen: Some("127.0.0.1:2".parse().unwrap()),
            data: Some("/somewhere".into()),
        };
        let settings = Settings::load(None, &flags).expect("flags fit");
        assert_eq!((settings.server.listen.port(), settings.server.internal_listen.port()), (1, 2));
        assert_eq!(settings.data.directory, PathBuf::from("/somewhere"));
    }

    #[test]
    fn a_wrong_file_says_what_is_wrong() {
        for (name, content, expected) in [
            ("unknown", "[server]\nlisen = \"x\"", "lisen"),
            ("span", "[sale]\nhold = \"ten\"", "not a span"),
            ("negative", "[sale]\nhold = \"-1s\"", "negative"),
            ("short", "[retention]\nscans = \"167h\"", "at least 168 h"),
            (
                "proxy",
                "[server]\ntrusted_proxies = [\"10.0.0.300\"]",
                "server.trusted_proxies: `10.0.0.300` is neither",
            ),
            ("proxies", "[server]\ntrusted_proxies = \"10.0.0.1, 10.0.0.0/40\"", "`10.0.0.0/40` is neither"),
            ("everybody", "[server]\ntrusted_proxies = [\"0.0.0.0/0\"]", "each client could choose its own"),
            ("header", "[server]\nclient_address_header = \"x-real-ip\"", "`x-real-ip` must be"),
            ("share", "[limits]\nplaces_per_address_share_max = 1.5", "from 0 to 1"),
            ("operator", "[secrets]\noperator = \"abcde\"", "secrets.operator is too weak: it has 5 characters"),
            ("known", "[secrets]\noperator = \"changeme-changeme-changeme\"", "make one with `openssl rand -hex 32`"),
            ("prefix", "[limits]\nipv6_prefix_length = 129", "from 1 to 128"),
        ] {
            let file = std::env::temp_dir().join(format!("voelgoed-settings-{}-{name}.toml", std::process::id()));
            std::fs::write(&file, content).unwrap();
            let error = format!("{:?}", Settings::load(Some(&file), &Flags::default()).unwrap_err());
            std::fs::remove_file(&file).unwrap();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
