//! The master key: given by the configuration, or made once in the data directory, readable by its owner only.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use voelgoed_app::environment::Environment;
use voelgoed_app::token::MasterKey;

/// The file's name in the data directory; a backup must carry it.
pub const FILE: &str = "master.key";

/// The key of the configuration, or of the data directory, where it is made if absent.
pub fn master_key(configured: &str, directory: &Path, environment: &dyn Environment) -> anyhow::Result<MasterKey> {
    if !configured.is_empty() {
        return parse(configured).context("secrets.master");
    }
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let path = directory.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(text.trim()).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let bytes = environment.random();
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            write_private(&path, text.as_bytes())?;
            Ok(MasterKey::new(bytes))
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Writes a file that only its owner reads, whole or not at all, and durably: a key that is lost after tickets were signed with it would make them worthless.
pub fn write_private(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn parse(text: &str) -> anyhow::Result<MasterKey> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        bail!("must be 64 hexadecimal digits");
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).context("must be 64 hexadecimal digits")?;
    }
    Ok(MasterKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Machine;

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let directory = std::env::temp_dir().join(format!("voelgoed-key-{}", std::process::id()));
        let first = master_key("", &directory, &Machine).unwrap().derive("test", &[]);
        let again = master_key("", &directory, &Machine).unwrap().derive("test", &[]);
        assert_eq!(first, again);
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(directory.join(FILE)).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(directory.join(FILE), "short").unwrap();
        assert!(master_key("", &directory, &Machine).is_err(), "a damaged key is not replaced silently");
        std::fs::remove_dir_all(directory).unwrap();
    }
}
