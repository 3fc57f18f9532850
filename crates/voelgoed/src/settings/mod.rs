//! Reads the configuration from `default.toml`, a file, the environment and flags, and checks it as a whole before anything starts.
//!
//! To add a setting: its key with a comment in `default.toml`, and its field in the file of its section here.

mod deserialize;
mod limits;
mod log_and_sandbox;
mod retention;
mod sale;
mod secrets;
mod server;
mod stores;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use config::{Config, Environment, File, FileFormat};
use serde::Deserialize;
use voelgoed_app::accounts::quotas::Quotas;
use voelgoed_web::client_address::AddressRules;

pub use self::limits::LimitSettings;
pub use self::log_and_sandbox::{LogSettings, SandboxSettings};
use self::retention::RetentionSettings;
use self::sale::SaleSettings;
pub use self::secrets::SecretSettings;
use self::secrets::{secrets_of, variables};
pub use self::server::ServerSettings;
use self::stores::{ColdSettings, DataSettings, WarmSettings};

/// The defaults, with a comment on each.
pub const DEFAULTS: &str = include_str!("../../default.toml");

/// The default of `server.listen`.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// Every setting.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// HTTP.
    pub server: ServerSettings,
    /// Files.
    pub data: DataSettings,
    /// The warm tier.
    pub warm: WarmSettings,
    /// The cold tier.
    pub cold: ColdSettings,
    /// Keys.
    pub secrets: SecretSettings,
    /// Times of a sale.
    pub sale: SaleSettings,
    /// How long finished rows are stored.
    pub retention: RetentionSettings,
    /// Limits.
    pub limits: LimitSettings,
    /// Limits of one organization.
    pub quotas: Quotas,
    /// The log.
    pub log: LogSettings,
    /// The sandbox payment provider.
    pub sandbox: SandboxSettings,
}

/// Settings that the command line overrides.
#[derive(Debug, Clone, Default)]
pub struct SettingFlags {
    /// `--listen`
    pub listen: Option<SocketAddr>,
    /// `--internal-listen`
    pub internal_listen: Option<SocketAddr>,
    /// `--data`
    pub data: Option<PathBuf>,
}

impl Settings {
    /// Reads and checks all sources.
    ///
    /// # Errors
    /// Names the source and the invalid setting.
    pub fn load(file: Option<&Path>, flags: &SettingFlags) -> anyhow::Result<Self> {
        let settings: Self = sources(file, flags)?.try_deserialize().context("the configuration is not usable")?;
        settings.retention.check()?;
        settings.limits.check()?;
        settings.secrets.check()?;
        Ok(settings)
    }

    /// Rules for finding and counting client addresses.
    #[must_use]
    pub fn address_rules(&self) -> AddressRules {
        AddressRules {
            trusted_proxies: self.server.trusted_proxies.clone(),
            header: self.server.client_address_header,
            ipv6_prefix_length: self.limits.ipv6_prefix_length,
        }
    }
}

/// The defaults, the file over them, the environment over both, and the flags over all.
pub(crate) fn sources(file: Option<&Path>, flags: &SettingFlags) -> anyhow::Result<Config> {
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
    for (name, secret) in secrets_of(variables()) {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn defaults_are_valid_and_flags_override_them() {
        let settings = Settings::load(None, &SettingFlags::default()).expect("the defaults are whole");
        assert_eq!(settings.sale.hold, Duration::from_secs(600));
        assert_eq!(settings.server.listen.to_string(), DEFAULT_LISTEN);
        assert!(settings.server.internal_listen.ip().is_loopback(), "operators' calls are not for the network");
        assert_eq!(settings.server.internal_listen.port(), 0, "several servers on one machine must not clash");
        let flags = SettingFlags {
            listen: Some("127.0.0.1:1".parse().unwrap()),
            internal_listen: Some("127.0.0.1:2".parse().unwrap()),
            data: Some("/somewhere".into()),
        };
        let settings = Settings::load(None, &flags).expect("flags fit");
        assert_eq!((settings.server.listen.port(), settings.server.internal_listen.port()), (1, 2));
        assert_eq!(settings.data.directory, PathBuf::from("/somewhere"));
    }

    #[test]
    fn error_of_an_invalid_file_names_the_setting() {
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
            let error = format!("{:?}", Settings::load(Some(&file), &SettingFlags::default()).unwrap_err());
            std::fs::remove_file(&file).unwrap();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
