//! Holds the section `[secrets]` and refuses an operator key that is easy to guess.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use crate::secret_strength::check_text;

/// `[secrets]`. `Debug` is written by hand, so that a log of the settings never prints a secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSettings {
    pub master: String,
    pub master_file: PathBuf,
    pub operator: String,
}

impl SecretSettings {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        match self.operator.trim() {
            // Without a key there is no operator.
            "" => Ok(()),
            key => check_text("secrets.operator", key),
        }
    }
}

impl fmt::Debug for SecretSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretSettings(not shown)")
    }
}

/// The variables of the environment.
#[expect(clippy::disallowed_methods, reason = "configuration is read here")]
pub(super) fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The secrets among `variables`, as text, because a secret of digits alone would be read as a number.
pub(super) fn secrets_of(variables: impl Iterator<Item = (String, String)>) -> impl Iterator<Item = (String, String)> {
    variables.filter_map(|(name, value)| {
        let name = name.strip_prefix("VOELGOED__SECRETS__")?.to_lowercase();
        Some((format!("secrets.{name}"), value))
    })
}

#[cfg(test)]
mod tests {
    use super::secrets_of;

    #[test]
    fn secret_of_digits_in_the_environment_stays_text() {
        let digits = "31415926535897932384626433";
        let variables =
            [("VOELGOED__SECRETS__OPERATOR", digits), ("VOELGOED__SERVER__X", "1")].map(|(a, b)| (a.into(), b.into()));
        assert_eq!(secrets_of(variables.into_iter()).collect::<Vec<_>>(), [("secrets.operator".into(), digits.into())]);
    }
}
