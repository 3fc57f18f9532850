//! Prints every setting with its comment and its effective value from default, file, environment and flags.
//!
//! Never: a secret, or the password in an address.

use std::path::Path;

use config::Value;

use crate::settings::{DEFAULTS, SettingFlags, Settings, sources};

/// Replaces a secret that is set.
const HIDDEN: &str = "\"(set; not shown)\"";

/// The text of `default.toml` with each value replaced by the effective one.
///
/// # Errors
/// As [`Settings::load`]: an invalid configuration is not printed as if it were valid.
pub fn effective(file: Option<&Path>, flags: &SettingFlags) -> anyhow::Result<String> {
    Settings::load(file, flags)?;
    let config = sources(file, flags)?;
    let mut section = "";
    let mut text = String::new();
    for line in DEFAULTS.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        }
        let key = line.split_once(" = ").map(|(key, _)| key).filter(|key| !key.starts_with('#'));
        match key {
            None => text.push_str(line),
            Some(key) => {
                let value = config.get::<Value>(&format!("{section}.{key}"))?;
                text.push_str(&format!("{key} = {}", printed_value(section, key, value)?));
            }
        }
        text.push('\n');
    }
    Ok(text)
}

fn printed_value(section: &str, key: &str, value: Value) -> anyhow::Result<String> {
    let value: serde_json::Value = value.try_deserialize()?;
    Ok(match value {
        serde_json::Value::String(text) if section == "secrets" && key != "master_file" && !text.is_empty() => {
            HIDDEN.to_owned()
        }
        serde_json::Value::String(text) => quoted(&text),
        serde_json::Value::Array(items) => {
            let items = items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), quoted));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    })
}

/// A TOML string; the password of a URL is replaced.
fn quoted(text: &str) -> String {
    let address = text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    match address {
        Some((scheme, (user, rest))) if user.contains(':') => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{:?}", format!("{scheme}://{name}:***@{rest}"))
        }
        _ => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_other_sources_the_defaults_are_printed_unchanged() {
        assert_eq!(effective(None, &SettingFlags::default()).unwrap(), DEFAULTS);
    }

    #[test]
    fn values_of_file_and_flags_are_printed_and_secrets_are_hidden() {
        let file = std::env::temp_dir().join(format!("voelgoed-effective-{}.toml", std::process::id()));
        let master = "a1".repeat(32);
        let content = format!(
            "[server]\nlame_duck = \"3s\"\n[cold]\nurl = \"postgres://shop:hidden@db/shop\"\nreplicas = [\"postgres://b/c\"]\n\
             [secrets]\nmaster = \"{master}\"\n[limits]\nviewers = 7\n"
        );
        std::fs::write(&file, content).unwrap();
        let flags = SettingFlags { listen: Some("127.0.0.1:9".parse().unwrap()), ..SettingFlags::default() };
        let text = effective(Some(&file), &flags).unwrap();
        std::fs::remove_file(&file).unwrap();
        for line in [
            "listen = \"127.0.0.1:9\"",
            "lame_duck = \"3s\"",
            "url = \"postgres://shop:***@db/shop\"",
            "replicas = [\"postgres://b/c\"]",
            "viewers = 7",
            "master = \"(set; not shown)\"",
            "operator = \"\"",
        ] {
            assert!(text.lines().any(|printed| printed == line), "{line}\n{text}");
        }
        assert!(!text.contains(&master) && !text.contains("hidden@"), "{text}");
    }
}
