//! The master key: given by the configuration or a file that all nodes share, or made once in the data directory, readable by its owner only.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use voelgoed_app::environment::Environment;
use voelgoed_app::token::MasterKey;

use crate::data_directory;
use crate::secret_strength::check_bytes;
use crate::settings::Secrets;

/// The file's name in the data directory; a backup must carry it.
pub const FILE: &str = "master.key";

/// The key of the configuration, of the file that it names, or of the data directory, where it is made if absent.
pub fn master_key(secrets: &Secrets, directory: &Path, environment: &dyn Environment) -> anyhow::Result<MasterKey> {
    if let Some(key) = configured_key(secrets)? {
        return Ok(key);
    }
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let path = directory.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(text.trim()).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Another key opens none of the tickets, links and stored answers of the shop that is there.
            if data_directory::holds_database(directory) {
                bail!(
                    "{} is missing, and the database beside it was written with it; put it back from a backup",
                    path.display()
                );
            }
            let bytes = environment.random();
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            write_private(&path, text.as_bytes())?;
            Ok(MasterKey::new(bytes))
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// The key of the configuration or of the file that it names; none where the key stands in the data directory.
pub fn configured_key(secrets: &Secrets) -> anyhow::Result<Option<MasterKey>> {
    if !secrets.master.is_empty() {
        return parse(secrets.master.trim()).context("secrets.master").map(Some);
    }
    let path = &secrets.master_file;
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    parse(text.trim()).with_context(|| path.display().to_string()).map(Some)
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
    const SHAPE: &str = "must be 64 hexadecimal digits; make them with `openssl rand -hex 32`";
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        bail!(SHAPE);
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).context(SHAPE)?;
    }
    check_bytes("the master key", &bytes)?;
    Ok(MasterKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Machine;

    fn secrets(master: &str, file: &str) -> Secrets {
        Secrets { master: master.to_owned(), master_file: file.into(), operator: String::new() }
    }

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let directory = std::env::temp_dir().join(format!("voelgoed-key-{}", std::process::id()));
        let own = secrets("", "");
        let first = master_key(&own, &directory, &Machine).unwrap().derive("test", &[]);
        let again = master_key(&own, &directory, &Machine).unwrap().derive("test", &[]);
        assert_eq!(first, again);
        // Another node that is given the file, or its content, has the same key.
        let file = directory.join(FILE);
        let elsewhere = directory.join("elsewhere");
        let by_file = master_key(&secrets("", file.to_str().unwrap()), &elsewhere, &Machine).unwrap();
        assert_eq!(by_file.derive("test", &[]), first);
        let text = std::fs::read_to_string(&file).unwrap();
        let by_text = master_key(&secrets(&text, ""), &elsewhere, &Machine).unwrap();
        assert_eq!(by_text.derive("test", &[]), first);
        assert!(
            master_key(&secrets("", "/nowhere/at/all"), &elsewhere, &Machine).is_err(),
            "an absent file is not made"
        );
        assert!(!elsewhere.exists(), "nothing is made where the key is given");
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(directory.join(FILE)).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        for weak in ["0".repeat(64), "0123456789abcdef".repeat(4), "deadbeef".repeat(8), format!("+{}", "1".repeat(63))]
        {
            assert!(master_key(&secrets(&weak, ""), &elsewhere, &Machine).is_err(), "{weak}");
        }
        std::fs::write(directory.join(FILE), "short").unwrap();
        assert!(master_key(&own, &directory, &Machine).is_err(), "a damaged key is not replaced silently");
        std::fs::remove_file(directory.join(FILE)).unwrap();
        std::fs::write(directory.join(data_directory::DATABASE), "").unwrap();
        let missing = master_key(&own, &directory, &Machine).err().unwrap().to_string();
        assert!(missing.contains("put it back from a backup"), "{missing}");
        assert!(!directory.join(FILE).exists(), "a missing key is not replaced silently");
        std::fs::remove_dir_all(directory).unwrap();
    }
}
