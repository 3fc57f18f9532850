//! Requires that every package inherits the workspace's lints, and that the workspace forbids unsafe code.

use toml::Table;

use super::workspace::Workspace;
use super::{Finding, Rule};

pub struct LintsRule;

impl Rule for LintsRule {
    fn name(&self) -> &'static str {
        "lints"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let mut findings = Vec::new();
        for file in workspace.files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
            let Ok(manifest) = file.text.parse::<Table>() else { continue };
            if manifest.contains_key("workspace") && !forbids_unsafe(&manifest) {
                let fix = "write `unsafe_code = \"forbid\"` below [workspace.lints.rust]";
                findings.push(Finding::new(
                    &file.path,
                    file.line_of("[workspace.lints.rust]"),
                    "unsafe code is not forbidden",
                    fix,
                ));
            }
            let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
            if manifest.contains_key("package") && inherits != Some(true) {
                let fix = "add `[lints]` with `workspace = true`";
                findings.push(Finding::new(&file.path, 1, "the package does not inherit the workspace's lints", fix));
            }
        }
        findings
    }
}

fn forbids_unsafe(manifest: &Table) -> bool {
    let level = manifest.get("workspace").and_then(|workspace| workspace.get("lints")?.get("rust")?.get("unsafe_code"));
    level.and_then(toml::Value::as_str) == Some("forbid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_without_the_workspace_lints_is_found() {
        for (manifest, violations) in [
            ("[package]\nname = \"a\"\n[lints]\nworkspace = true\n", 0),
            ("[package]\nname = \"a\"\n", 1),
            ("[package]\nname = \"a\"\n[lints.rust]\nunsafe_code = \"allow\"\n", 1),
            ("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n", 0),
            ("[workspace.lints.rust]\nunsafe_code = \"deny\"\n", 1),
            ("[workspace]\nmembers = []\n", 1),
        ] {
            assert_eq!(LintsRule.check(&Workspace::of(&[("a/Cargo.toml", manifest)])).len(), violations, "{manifest}");
        }
    }
}
