//! The connection settings of the warm tier on Redis: addresses, credentials, timeouts, key prefix.
//!
//! Never: read from the environment here; the binary passes its configuration.

use std::time::Duration;

/// The clock that decides when a hold expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockSource {
    /// `TIME` of the server within each function: one clock for all nodes.
    Server,
    /// The clock of the caller's environment; only for tests that move time.
    Environment,
}

/// The settings of the connections to the servers.
#[derive(Clone)]
pub struct RedisSettings {
    /// `host:port` of the server, or of known servers of the cluster.
    pub addresses: Vec<String>,
    /// Whether the servers form a Redis Cluster.
    pub cluster: bool,
    /// The ACL user, if the servers require one.
    pub username: Option<String>,
    /// The password, if the servers require one.
    pub password: Option<String>,
    /// The prefix of every key, so that installations can share servers.
    pub prefix: String,
    /// The timeout of a connection attempt, handshake included.
    pub connect_timeout: Duration,
    /// The timeout of a reply.
    pub reply_timeout: Duration,
    /// The clock of the functions.
    pub clock: ClockSource,
}

// Not derived, so that no log shows the password.
impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisSettings")
            .field("addresses", &self.addresses)
            .field("cluster", &self.cluster)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// The text is not the URL of a warm tier on Redis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected redis://[user:password@]host:port or redis+cluster://[user:password@]host:port,host:port")]
pub struct MalformedUrl;

impl RedisSettings {
    /// Parses `redis://host:port`, or `redis+cluster://a:port,b:port` with known servers of the cluster; both may contain `user:password@`.
    ///
    /// # Errors
    /// [`MalformedUrl`], without the text, which may contain a password.
    pub fn from_url(url: &str) -> Result<Self, MalformedUrl> {
        let (cluster, rest) = match (url.strip_prefix("redis://"), url.strip_prefix("redis+cluster://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(MalformedUrl),
        };
        let rest = rest.trim_end_matches('/');
        let (credentials, servers) =
            rest.rsplit_once('@').map_or((None, rest), |(credentials, servers)| (Some(credentials), servers));
        let (username, password) =
            match credentials.map(|credentials| credentials.split_once(':').ok_or(MalformedUrl)).transpose()? {
                Some((user, password)) => {
                    (Some(user.to_owned()).filter(|user| !user.is_empty()), Some(password.to_owned()))
                }
                None => (None, None),
            };
        let addresses: Vec<_> = servers.split(',').map(str::to_owned).collect();
        if addresses.iter().any(|address| split(address).is_none()) || (!cluster && addresses.len() > 1) {
            return Err(MalformedUrl);
        }
        Ok(Self {
            addresses,
            cluster,
            username,
            password,
            prefix: "vg".to_owned(),
            connect_timeout: Duration::from_millis(500),
            reply_timeout: Duration::from_secs(1),
            clock: ClockSource::Server,
        })
    }
}

/// The host and port of an address; an IPv6 host may be in brackets.
pub(super) fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((host, port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_parsed_and_its_password_is_not_shown() {
        let single = RedisSettings::from_url("redis://localhost:6379/").unwrap();
        assert_eq!((single.addresses.as_slice(), single.cluster), (["localhost:6379".to_owned()].as_slice(), false));
        let cluster = RedisSettings::from_url("redis+cluster://vg:a@b@h1:1,[::1]:2").unwrap();
        assert_eq!((cluster.addresses.len(), cluster.cluster), (2, true));
        assert_eq!((cluster.username.as_deref(), cluster.password.as_deref()), (Some("vg"), Some("a@b")));
        assert!(!format!("{cluster:?}").contains("a@b"), "a password is not shown");
        assert_eq!(split("[::1]:2"), Some(("::1", 2)));
        for bad in [
            "memory",
            "redis://",
            "redis://h",
            "redis://h:x",
            "redis://a:1,b:2",
            "redis+cluster://a:1,",
            "redis://u@h:1",
        ] {
            assert_eq!(RedisSettings::from_url(bad).unwrap_err(), MalformedUrl, "{bad}");
        }
    }
}
