//! Where the servers are, how long a call may take, under which prefix the keys live.
//!
//! Never read from the environment here: the binary's configuration hands it over.

use std::time::Duration;

/// Whose clock decides when a hold lapses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The server's own, `TIME` within each script: one clock for all nodes.
    Server,
    /// The caller's environment; only for suites that move time by hand.
    Environment,
}

/// How the warm tier is reached.
#[derive(Clone)]
pub struct RedisSettings {
    /// `host:port` of the server, or of some servers of the cluster.
    pub addresses: Vec<String>,
    /// Whether they are a cluster.
    pub cluster: bool,
    /// The user, where the servers want one.
    pub username: Option<String>,
    /// The password, where the servers want one.
    pub password: Option<String>,
    /// What every key begins with; several installations may share servers.
    pub prefix: String,
    /// A connection is made within this, handshake included.
    pub connect_within: Duration,
    /// A call is answered within this.
    pub answer_within: Duration,
    /// Whose clock counts.
    pub clock: Clock,
}

// By hand, so that no log shows a password.
impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisSettings")
            .field("addresses", &self.addresses)
            .field("cluster", &self.cluster)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// The text is not the address of a warm tier on Redis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected redis://[user:password@]host:port or redis+cluster://[user:password@]host:port,host:port")]
pub struct MalformedUrl;

impl RedisSettings {
    /// From `redis://host:port`, or `redis+cluster://a:port,b:port` with as many servers of the cluster as are known; both may carry `user:password@`.
    ///
    /// # Errors
    /// [`MalformedUrl`]; the text is not repeated, as it may hold a password.
    pub fn from_url(url: &str) -> Result<Self, MalformedUrl> {
        let (cluster, rest) = match (url.strip_prefix("redis://"), url.strip_prefix("redis+cluster://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(MalformedUrl),
        };
        let rest = rest.trim_end_matches('/');
        let (who, servers) = rest.rsplit_once('@').map_or((None, rest), |(who, servers)| (Some(who), servers));
        let (username, password) = match who.map(|who| who.split_once(':').ok_or(MalformedUrl)).transpose()? {
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
            connect_within: Duration::from_millis(500),
            answer_within: Duration::from_secs(1),
            clock: Clock::Server,
        })
    }
}

/// Host and port of an address; the host may be an IPv6 address in brackets or without.
pub(super) fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((host, port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_says() {
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
