//! Every package inherits the workspace's lints, and the workspace forbids unsafe code and undocumented silence.

use toml::Table;

use super::house::House;
use super::{Finding, Law};

/// The law.
pub struct Lints;

impl Law for Lints {
    fn name(&self) -> &'static str {
        "lints"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let mut findings = Vec::new();
        for file in house.files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
            let Ok(manifest) = file.text.parse::<Table>() else { continue };
            if manifest.contains_key("workspace") && !forbids_unsafe(&manifest) {
                let cure = "write `unsafe_code = \"forbid\"` below [workspace.lints.rust]";
                findings.push(Finding::new(
                    &file.path,
                    file.line_of("[workspace.lints.rust]"),
                    "unsafe code is not forbidden",
                    cure,
                ));
            }
            let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
            if manifest.contains_key("package") && inherits != Some(true) {
                let cure = "add `[lints]` with `workspace = true`";
                findings.push(Finding::new(&file.path, 1, "the package does not inherit the workspace's lints", cure));
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
    fn manifests_are_judged() {
        for (manifest, breaches) in [
            ("[package]\nname = \"a\"\n[lints]\nworkspace = true\n", 0),
            ("[package]\nname = \"a\"\n", 1),
            ("[package]\nname = \"a\"\n[lints.rust]\nunsafe_code = \"allow\"\n", 1),
            ("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n", 0),
            ("[workspace.lints.rust]\nunsafe_code = \"deny\"\n", 1),
            ("[workspace]\nmembers = []\n", 1),
        ] {
            assert_eq!(Lints.check(&House::of(&[("a/Cargo.toml", manifest)])).len(), breaches, "{manifest}");
        }
    }
}
