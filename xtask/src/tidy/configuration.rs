//! Requires a comment directly above every key of the embedded default settings, because that file is their documentation.

use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

pub struct ConfigurationRule;

impl Rule for ConfigurationRule {
    fn name(&self) -> &'static str {
        "configuration"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let is_defaults = |file: &&SourceFile| {
            file.path.starts_with("crates/voelgoed/") && file.is("toml") && !file.path.ends_with("Cargo.toml")
        };
        workspace.files.iter().filter(is_defaults).flat_map(in_file).collect()
    }
}

fn in_file(file: &SourceFile) -> Vec<Finding> {
    let mut is_documented = false;
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let line = line.trim();
        let is_key = line.split_once('=').is_some_and(|(key, _)| is_name(key.trim()));
        if is_key && !is_documented && !line.contains('#') {
            let message = format!("the key `{}` has no comment", line.split('=').next().unwrap_or(line).trim());
            findings.push(Finding::new(
                &file.path,
                index + 1,
                message,
                "add a comment above it: what it does, in which unit",
            ));
        }
        is_documented = line.starts_with('#') && line.trim_start_matches(['#', ' ']).len() > 3;
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
    fn key_without_its_own_comment_is_found() {
        for (text, violations) in [
            ("# Where to listen.\nlisten = \"127.0.0.1:8080\"\n", 0),
            ("listen = \"127.0.0.1:8080\" # where to listen\n", 0),
            ("listen = \"127.0.0.1:8080\"\n", 1),
            ("# Where to listen.\nlisten = 1\nother = 2\n", 1),
            ("[server]\n#\nlisten = 1\n", 1),
        ] {
            let workspace = Workspace::of(&[("crates/voelgoed/src/default.toml", text)]);
            assert_eq!(ConfigurationRule.check(&workspace).len(), violations, "{text}");
        }
    }
}
