//! Reads the master key from the configuration or a file that all nodes share, or creates it once in the data directory, readable by its owner only.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use voelgoed_app::environment::Environment;
use voelgoed_app::token::MasterKey;

use crate::data_directory;
use crate::data_files::MASTER_KEY;
use crate::secret_strength::check_bytes;
use crate::settings::SecretSettings;

/// The key of the configuration, of the file that it names, or of the data directory, where it is created if absent.
pub fn master_key(
    secrets: &SecretSettings,
    directory: &Path,
    environment: &dyn Environment,
) -> anyhow::Result<MasterKey> {
    if let Some(key) = configured_key(secrets)? {
        return Ok(key);
    }
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let path = directory.join(MASTER_KEY);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(text.trim()).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // A new key would invalidate the tickets, links and stored responses in the database.
            if data_directory::holds_database(directory) {
                bail!(
                    "{} is missing, and the database beside it was written with it; put it back from a backup",
                    path.display()
                );
            }
            let bytes = environment.random();
            write_private(&path, hex::encode(bytes).as_bytes())?;
            Ok(MasterKey::new(bytes))
        }
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// The key of the configuration or of the file that it names; none if the key belongs into the data directory.
pub fn configured_key(secrets: &SecretSettings) -> anyhow::Result<Option<MasterKey>> {
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

/// Writes a file atomically, durably and readable by its owner only: tickets that a lost key signed would be worthless.
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
    // The decoder's error would repeat a digit of the key.
    hex::decode_to_slice(text, &mut bytes).map_err(|_| anyhow!(SHAPE))?;
    check_bytes("the master key", &bytes)?;
    Ok(MasterKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system_environment::SystemEnvironment;

    fn secrets(master: &str, file: &str) -> SecretSettings {
        SecretSettings { master: master.to_owned(), master_file: file.into(), operator: String::new() }
    }

    #[test]
    fn master_key_is_created_once_and_read_again() {
        let directory = std::env::temp_dir().join(format!("voelgoed-key-{}", std::process::id()));
        let own = secrets("", "");
        let first = master_key(&own, &directory, &SystemEnvironment).unwrap().derive("test", &[]);
        let again = master_key(&own, &directory, &SystemEnvironment).unwrap().derive("test", &[]);
        assert_eq!(first, again);
        // Another node that is given the file, or its content, has the same key.
        let file = directory.join(MASTER_KEY);
        let elsewhere = directory.join("elsewhere");
        let by_file = master_key(&secrets("", file.to_str().unwrap()), &elsewhere, &SystemEnvironment).unwrap();
        assert_eq!(by_file.derive("test", &[]), first);
        let text = std::fs::read_to_string(&file).unwrap();
        let by_text = master_key(&secrets(&text, ""), &elsewhere, &SystemEnvironment).unwrap();
        assert_eq!(by_text.derive("test", &[]), first);
        assert!(
            master_key(&secrets("", "/nowhere/at/all"), &elsewhere, &SystemEnvironment).is_err(),
            "an absent file is not created"
        );
        assert!(!elsewhere.exists(), "nothing is created if the key is given");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(directory.join(MASTER_KEY)).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        for weak in ["0".repeat(64), "0123456789abcdef".repeat(4), "deadbeef".repeat(8), format!("+{}", "1".repeat(63))]
        {
            assert!(master_key(&secrets(&weak, ""), &elsewhere, &SystemEnvironment).is_err(), "{weak}");
        }
        std::fs::write(directory.join(MASTER_KEY), "short").unwrap();
        assert!(master_key(&own, &directory, &SystemEnvironment).is_err(), "a damaged key is not replaced silently");
        std::fs::remove_file(directory.join(MASTER_KEY)).unwrap();
        std::fs::write(directory.join(crate::data_files::DATABASE), "").unwrap();
        let missing = master_key(&own, &directory, &SystemEnvironment).err().unwrap().to_string();
        assert!(missing.contains("put it back from a backup"), "{missing}");
        assert!(!directory.join(MASTER_KEY).exists(), "a missing key is not replaced silently");
        std::fs::remove_dir_all(directory).unwrap();
    }
}
