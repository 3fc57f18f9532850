//! What stands behind the warm and the cold tier, as the configuration names it, and which combinations make sense.
//!
//! Never: an address with its password in a message. To add a store: a variant here and its arm in `wiring::tiers`.

use std::fmt;

use anyhow::{Context, anyhow, bail};
use voelgoed_warm::redis::RedisSettings;

use crate::role::Role;
use crate::settings::Settings;

/// What stands behind the warm tier.
#[derive(Clone)]
pub enum WarmStore {
    /// This process's memory: for one node only.
    Memory,
    /// Redis, one server or a cluster.
    Redis(RedisSettings),
}

/// What stands behind the cold tier.
#[derive(Clone, PartialEq, Eq)]
pub enum ColdStore {
    /// SQLite in the data directory: for one node only.
    Embedded,
    /// Postgres, with its replicas; URLs.
    Postgres {
        /// Where to write.
        primary: String,
        /// Where to read what needs not be the newest.
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

    /// True where other processes cannot see what it holds.
    #[must_use]
    pub const fn is_of_one_process(&self) -> bool {
        matches!(self, Self::Memory)
    }

    /// Its name for people.
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

    /// Its name for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "SQLite",
            Self::Postgres { .. } => "Postgres",
        }
    }
}

/// Both tiers, checked together with the role and the secrets.
#[derive(Debug, Clone)]
pub struct Tiers {
    /// Warm.
    pub warm: WarmStore,
    /// Cold.
    pub cold: ColdStore,
}

impl Tiers {
    /// Reads and checks; `role` is what this process is going to do.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn of(settings: &Settings, role: Role) -> anyhow::Result<Self> {
        let tiers = Self {
            warm: WarmStore::parse(&settings.warm.url).context("warm.url")?,
            cold: ColdStore::parse(&settings.cold.url, &settings.cold.replicas).context("cold.url")?,
        };
        if role != Role::All && !tiers.is_shared() {
            bail!(
                "role {role} needs tiers that other processes share: Redis and Postgres; here are {} and {}",
                tiers.warm.name(),
                tiers.cold.name()
            );
        }
        if tiers.cold != ColdStore::Embedded {
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
        Ok(tiers)
    }

    /// True where several processes may work on them.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        !matches!(self.warm, WarmStore::Memory) && self.cold != ColdStore::Embedded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Flags;

    fn settings(warm: &str, cold: &str, master: &str, provider: &str) -> Settings {
        let mut settings = Settings::load(None, &Flags::default()).unwrap();
        settings.warm.url = warm.to_owned();
        settings.cold.url = cold.to_owned();
        settings.secrets.master = master.to_owned();
        settings.sandbox.url = provider.to_owned();
        settings
    }

    #[test]
    fn urls_name_stores() {
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
    fn what_does_not_fit_together_is_refused() {
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
            let found = Tiers::of(&settings(warm, cold, master, provider), role);
            match refused {
                None => assert!(found.is_ok(), "{warm} {cold} {role}: {found:?}"),
                Some(why) => assert!(found.unwrap_err().to_string().contains(why), "{warm} {cold} {role}"),
            }
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let warm = WarmStore::parse("redis://:geheim@a:1").unwrap();
        let cold = ColdStore::parse("postgres://u:geheim@a/b", &[]).unwrap();
        assert!(
            !format!("{warm:?} {cold:?} {:?}", Tiers { warm: warm.clone(), cold: cold.clone() }).contains("geheim")
        );
    }
}
