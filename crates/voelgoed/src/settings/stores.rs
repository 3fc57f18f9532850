//! Holds the sections `[data]`, `[warm]` and `[cold]`: where the platform stores what it knows.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

/// `[data]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSettings {
    pub directory: PathBuf,
}

/// `[warm]`; not shown by `Debug`, since a URL may carry a password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmSettings {
    pub url: String,
}

/// `[cold]`; not shown by `Debug`, since a URL may carry a password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColdSettings {
    pub url: String,
    pub replicas: Vec<String>,
}

impl fmt::Debug for WarmSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Warm(…)")
    }
}

impl fmt::Debug for ColdSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cold(…)")
    }
}
