//! Copies the source tree to `target/mutants/tree` and applies every patch of a mutant there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::PATCHES;
use crate::source_copy::SourceCopy;

/// The dependency that the patched crates need.
const DEPENDENCY: &str = "voelgoed-mutants.workspace = true\n";

/// Writes the mutated tree and returns its folder.
pub fn create(root: &Path) -> anyhow::Result<PathBuf> {
    let tree = root.join("target/mutants/tree");
    let mut copy = SourceCopy::read(root)?;
    apply_patches(&mut copy)?;
    copy.add_build_metadata("mutants")?;
    copy.write(&tree)?;
    Ok(tree)
}

fn apply_patches(copy: &mut SourceCopy) -> anyhow::Result<()> {
    let patches: Vec<_> =
        copy.files.iter().filter(|(path, _)| path.starts_with(PATCHES)).map(|(_, text)| text.clone()).collect();
    let mut manifests = BTreeSet::new();
    for text in patches {
        for path in copy.apply(std::str::from_utf8(&text)?)? {
            manifests.insert(path.iter().take(2).collect::<PathBuf>().join("Cargo.toml"));
        }
    }
    for path in manifests {
        copy.change(&path, |text| Ok(text.replacen("[dependencies]\n", &format!("[dependencies]\n{DEPENDENCY}"), 1)))?;
    }
    Ok(())
}
