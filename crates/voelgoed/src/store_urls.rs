//! Parses `warm.url`, `cold.url` and `cold.replicas` into stores, and refuses combinations that cannot work.
//!
//! Never: a URL with its password in a message. To add a store: a variant here and its arm in `wiring::stores`.

use std::fmt;

use anyhow::{Context, anyhow, bail};
use voelgoed_warm::redis::RedisSettings;

use crate::role::Role;
use crate::settings::Settings;

/// The store of the warm tier.
#[derive(Clone)]
pub enum WarmStore {
    /// This process's memory: for one node only.
    Memory,
    /// Redis, one server or a cluster.
    Redis(RedisSettings),
}

/// The store of the cold tier.
#[derive(Clone, PartialEq, Eq)]
pub enum ColdStore {
    /// SQLite in the data directory: for one node only.
    Embedded,
    /// Postgres, with its replicas; URLs.
    Postgres {
        /// For writes.
        primary: String,
        /// For reads that may lag.
        replicas: Vec<String>,
    },
}

impl fmt::Debug for WarmStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for ColdStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl WarmStore {
    /// Reads `warm.url`.
    pub fn parse(url: &str) -> anyhow::Result<Self> {
        if url == "memory" {
            return Ok(Self::Memory);
        }
        let settings = RedisSettings::from_url(url).map_err(|error| anyhow!("{error}, or \"memory\""))?;
        Ok(Self::Redis(settings))
    }

    /// True if other processes cannot read it.
    #[must_use]
    pub const fn is_of_one_process(&self) -> bool {
        matches!(self, Self::Memory)
    }

    /// The name for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis(settings) if settings.cluster => "Redis Cluster",
            Self::Redis(_) => "Redis",
        }
    }
}

impl ColdStore {
    /// Reads `cold.url` and `cold.replicas`.
    pub fn parse(url: &str, replicas: &[String]) -> anyhow::Result<Self> {
        // An empty text in the environment is an empty list.
        let replicas: Vec<String> = replicas.iter().filter(|replica| !replica.is_empty()).cloned().collect();
        let is_postgres = |url: &str| url.starts_with("postgres://") || url.starts_with("postgresql://");
        if url == "sqlite" {
            if !replicas.is_empty() {
                bail!("cold.replicas are of Postgres; SQLite has none");
            }
            return Ok(Self::Embedded);
        }
        if !is_postgres(url) || !replicas.iter().all(|replica| is_postgres(replica)) {
            bail!("must be \"sqlite\" or \"postgres://…\", and each replica \"postgres://…\"");
        }
        Ok(Self::Postgres { primary: url.to_owned(), replicas })
    }

    /// The name for messages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "SQLite",
            Self::Postgres { .. } => "Postgres",
        }
    }
}

/// The stores of both tiers, checked together with role and secrets.
#[derive(Debug, Clone)]
pub struct StoreUrls {
    pub warm: WarmStore,
    pub cold: ColdStore,
}

impl StoreUrls {
    /// Reads and checks the settings of both tiers for a process of `role`.
    ///
    /// # Errors
    /// Names the settings that do not fit and what to change.
    pub fn of(settings: &Settings, role: Role) -> anyhow::Result<Self> {
        let stores = Self {
            warm: WarmStore::parse(&settings.warm.url).context("warm.url")?,
            cold: ColdStore::parse(&settings.cold.url, &settings.cold.replicas).context("cold.url")?,
        };
        if role != Role::All && !stores.is_shared() {
            bail!(
                "role {role} needs tiers that other processes share: Redis and Postgres; here are {} and {}",
                stores.warm.name(),
                stores.cold.name()
            );
        }
        if stores.cold != ColdStore::Embedded {
            if settings.secrets.master.is_empty() && settings.secrets.master_file.as_os_str().is_empty() {
                bail!(
                    "with Postgres the nodes share one master key: set secrets.master, or secrets.master_file to a file that each has"
                );
            }
            if settings.sandbox.enabled && settings.sandbox.url.is_empty() {
                bail!(
                    "with Postgres the nodes share one sandbox provider: run `voelgoed sandbox-psp` and set sandbox.url, or set sandbox.enabled = false"
                );
            }
        }
        Ok(stores)
    }

    /// True if several processes may work on both stores.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        !matches!(self.warm, WarmStore::Memory) && self.cold != ColdStore::Embedded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingFlags;

    fn settings(warm: &str, cold: &str, master: &str, provider: &str) -> Settings {
        let mut settings = Settings::load(None, &SettingFlags::default()).unwrap();
        settings.warm.url = warm.to_owned();
        settings.cold.url = cold.to_owned();
        settings.secrets.master = master.to_owned();
        settings.sandbox.url = provider.to_owned();
        settings
    }

    #[test]
    fn url_selects_its_store_or_is_refused() {
        for (url, name) in
            [("memory", "memory"), ("redis://:pw@a:1", "Redis"), ("redis+cluster://a:1,b:2", "Redis Cluster")]
        {
            assert_eq!(WarmStore::parse(url).unwrap().name(), name);
        }
        for wrong in ["", "redis", "redis://", "redis+cluster://", "redis+cluster://a:1,,b:1", "http://a:1"] {
            assert!(WarmStore::parse(wrong).is_err(), "{wrong}");
        }
        for (url, replicas, good) in [
            ("sqlite", vec![], true),
            ("sqlite", vec!["postgres://b".to_owned()], false),
            ("postgres://a/b", vec![], true),
            ("postgres://a/b", vec![String::new()], true),
            ("postgresql://a/b", vec!["postgres://b/c".to_owned()], true),
            ("postgres://a/b", vec!["mysql://b".to_owned()], false),
            ("mysql://a", vec![], false),
        ] {
            assert_eq!(ColdStore::parse(url, &replicas).is_ok(), good, "{url} {replicas:?}");
        }
    }

    #[test]
    fn stores_that_do_not_fit_role_or_secrets_are_refused() {
        for (warm, cold, master, provider, role, refused) in [
            ("memory", "sqlite", "", "", Role::All, None),
            ("redis://a:1", "sqlite", "", "", Role::All, None),
            ("memory", "postgres://a", "k", "http://p", Role::All, None),
            ("redis://a:1", "postgres://a", "k", "http://p", Role::Web, None),
            ("redis+cluster://a:1,b:1", "postgres://a", "k", "http://p", Role::Worker, None),
            ("memory", "sqlite", "", "", Role::Web, Some("role web needs")),
            ("memory", "postgres://a", "k", "http://p", Role::Worker, Some("role worker needs")),
            ("redis://a:1", "sqlite", "", "", Role::Web, Some("role web needs")),
            ("redis://a:1", "postgres://a", "", "http://p", Role::All, Some("master key")),
            ("redis://a:1", "postgres://a", "k", "", Role::Web, Some("sandbox.url")),
        ] {
            let found = StoreUrls::of(&settings(warm, cold, master, provider), role);
            match refused {
                None => assert!(found.is_ok(), "{warm} {cold} {role}: {found:?}"),
                Some(why) => assert!(found.unwrap_err().to_string().contains(why), "{warm} {cold} {role}"),
            }
        }
    }

    #[test]
    fn password_of_a_url_is_not_in_debug_output() {
        let warm = WarmStore::parse("redis://:geheim@a:1").unwrap();
        let cold = ColdStore::parse("postgres://u:geheim@a/b", &[]).unwrap();
        assert!(
            !format!("{warm:?} {cold:?} {:?}", StoreUrls { warm: warm.clone(), cold: cold.clone() }).contains("geheim")
        );
    }
}
