//! Every configuration key of the embedded defaults is explained by a comment directly above it.
//!
//! The commented file is the documentation: whoever adds a key says what it does there, or does not add it.

use super::house::{File, House};
use super::{Finding, Law};

/// The law.
pub struct Configuration;

impl Law for Configuration {
    fn name(&self) -> &'static str {
        "configuration"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let is_defaults = |file: &&File| {
            file.path.starts_with("crates/voelgoed/") && file.is("toml") && !file.path.ends_with("Cargo.toml")
        };
        house.files.iter().filter(is_defaults).flat_map(in_file).collect()
    }
}

fn in_file(file: &File) -> Vec<Finding> {
    let mut is_explained = false;
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let line = line.trim();
        let is_key = line.split_once('=').is_some_and(|(key, _)| is_name(key.trim()));
        if is_key && !is_explained && !line.contains('#') {
            let message = format!("nobody explains the key `{}`", line.split('=').next().unwrap_or(line).trim());
            findings.push(Finding::new(&file.path, index + 1, message, "say above it what it does and in which unit"));
        }
        is_explained = line.starts_with('#') && line.trim_start_matches(['#', ' ']).len() > 3;
    }
    findings
}

fn is_name(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_needs_its_own_comment() {
        for (text, breaches) in [
            ("# Where to listen.\nlisten = \"127.0.0.1:8080\"\n", 0),
            ("listen = \"127.0.0.1:8080\" # where to listen\n", 0),
            ("listen = \"127.0.0.1:8080\"\n", 1),
            ("# Where to listen.\nlisten = 1\nother = 2\n", 1),
            ("[server]\n#\nlisten = 1\n", 1),
        ] {
            let house = House::of(&[("crates/voelgoed/src/default.toml", text)]);
            assert_eq!(Configuration.check(&house).len(), breaches, "{text}");
        }
    }
}
