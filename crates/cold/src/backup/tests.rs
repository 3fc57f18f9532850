//! Tests backups under load, refused overwrites, and restores that are complete or do not happen.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use voelgoed_app::accounts::ports::{AccountStore, Organization};
use voelgoed_domain::ids::OrganizationId;

use super::*;
use crate::testing::{CountingEnvironment, TempDir};
use crate::{Cold, ColdConfig};

const NOW: Timestamp = Timestamp::from_micros(1_795_348_800_000_000);

struct Fixture {
    directory: TempDir,
    cold: Cold,
}

impl Fixture {
    async fn new() -> Self {
        let directory = TempDir::new();
        let data = directory.path().join("data");
        let cold = open(&data).await;
        fs::write(data.join("master.key"), "secret").unwrap();
        fs::set_permissions(data.join("master.key"), fs::Permissions::from_mode(0o600)).unwrap();
        Self { directory, cold }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    async fn organization(&self, number: u128) -> OrganizationId {
        let id = OrganizationId::from_uuid(uuid::Uuid::from_u128(number));
        let organization = Organization { id, name: "x".into(), slug: id.to_string(), created_at: NOW };
        self.cold.create_organization(organization, None, None).await.unwrap().unwrap();
        id
    }

    async fn backup(&self, into: &str) -> BackupResult<Manifest> {
        backup(&self.at("data"), &["master.key"], &self.at(into), NOW).await
    }
}

async fn open(data: &Path) -> Cold {
    Cold::open(ColdConfig::embedded(data), Arc::new(CountingEnvironment::default())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_during_writes_contains_everything_acknowledged_before_it() {
    let fixture = Fixture::new().await;
    let before = fixture.organization(1).await;
    let (manifest, ()) = tokio::join!(fixture.backup("copy"), async {
        for number in 100..200 {
            fixture.organization(number).await;
        }
    });
    let manifest = manifest.unwrap();
    assert_eq!(manifest.at, NOW);
    assert_eq!(
        manifest.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(),
        [sqlite_copy::DATABASE_FILE, "master.key"]
    );
    let later = fixture.organization(2).await;
    assert_eq!(verify(&fixture.at("copy")).await.unwrap(), manifest);
    assert_eq!(restore(&fixture.at("copy"), &fixture.at("restored")).await.unwrap(), manifest);
    let restored = open(&fixture.at("restored")).await;
    assert!(restored.read_organization(before).await.unwrap().is_some());
    assert!(restored.read_organization(later).await.unwrap().is_none());
    assert_eq!(fs::read_to_string(fixture.at("restored/master.key")).unwrap(), "secret");
    let mode = |name| fs::metadata(fixture.at(name)).unwrap().permissions().mode() & 0o777;
    let rights =
        ["copy", "copy/voelgoed.sqlite", "copy/master.key", "copy/backup.json", "restored/master.key"].map(mode);
    assert_eq!(rights, [0o700, 0o600, 0o600, 0o600, 0o600], "for the owner only");
    restored.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_and_restore_refuse_a_directory_with_entries() {
    let fixture = Fixture::new().await;
    fixture.backup("copy").await.unwrap();
    assert!(matches!(fixture.backup("copy").await, Err(BackupError::NotEmpty(_))));
    for filled in ["data", "copy"] {
        assert!(matches!(restore(&fixture.at("copy"), &fixture.at(filled)).await, Err(BackupError::NotEmpty(_))));
    }
    fs::create_dir(fixture.at("empty")).unwrap();
    restore(&fixture.at("copy"), &fixture.at("empty")).await.unwrap();
    assert!(matches!(restore(&fixture.at("copy"), &fixture.at("empty")).await, Err(BackupError::NotEmpty(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incomplete_or_damaged_backup_is_not_restored() {
    type Damage = fn(&Path);
    let rows: &[(&str, Damage, &str)] = &[
        ("unfinished", |copy| fs::remove_file(copy.join("backup.json")).unwrap(), "is not a finished backup"),
        ("missing", |copy| fs::remove_file(copy.join("master.key")).unwrap(), "master.key is missing"),
        (
            "short",
            |copy| fs::write(copy.join("master.key"), "secre").unwrap(),
            "master.key is not what was written (5 of 6 bytes)",
        ),
        ("other", |copy| fs::write(copy.join("master.key"), "secreT").unwrap(), "master.key is not what was written"),
        ("rotten", flip_a_bit, "voelgoed.sqlite is not what was written"),
        ("garbled", |copy| fs::write(copy.join("backup.json"), "{").unwrap(), "backup.json"),
        ("newer", |copy| edit(copy, "\"v\": 1", "\"v\": 2"), "version 2"),
        ("outside", |copy| edit(copy, "master.key", "../data/master.key"), "leads out of the directory"),
    ];
    let fixture = Fixture::new().await;
    for (name, damage, expected) in rows {
        fixture.backup(name).await.unwrap();
        damage(&fixture.at(name));
        let refused = restore(&fixture.at(name), &fixture.at("restored")).await.unwrap_err().to_string();
        assert!(refused.contains(expected), "{name}: {refused}");
        assert!(!fixture.at("restored").exists(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_with_a_symbolic_link_is_refused_and_restored_files_are_private() {
    let fixture = Fixture::new().await;
    fixture.backup("copy").await.unwrap();
    for name in ["copy/voelgoed.sqlite", "copy/master.key", "copy/backup.json"] {
        fs::set_permissions(fixture.at(name), fs::Permissions::from_mode(0o666)).unwrap();
    }
    restore(&fixture.at("copy"), &fixture.at("wide")).await.unwrap();
    let mode = |name: &str| fs::metadata(fixture.at(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(["wide", "wide/voelgoed.sqlite", "wide/master.key"].map(mode), [0o700, 0o600, 0o600]);
    for name in ["master.key", "voelgoed.sqlite", "backup.json"] {
        let (moved, link) = (fixture.at("elsewhere"), fixture.at("copy").join(name));
        fs::rename(&link, &moved).unwrap();
        std::os::unix::fs::symlink(&moved, &link).unwrap();
        let refused = restore(&fixture.at("copy"), &fixture.at("linked")).await.unwrap_err().to_string();
        assert!(refused.contains("symbolic link"), "{name}: {refused}");
        assert!(!fixture.at("linked").exists(), "{name}");
        fs::rename(&moved, &link).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_with_a_pipe_is_refused_and_never_waited_for() {
    let fixture = Fixture::new().await;
    fixture.backup("copy").await.unwrap();
    for name in ["master.key", "voelgoed.sqlite", "backup.json"] {
        let (moved, place) = (fixture.at("elsewhere"), fixture.at("copy").join(name));
        fs::rename(&place, &moved).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&place).status().unwrap().success());
        let refused = restore(&fixture.at("copy"), &fixture.at("piped")).await.unwrap_err().to_string();
        assert!(refused.contains("no ordinary file"), "{name}: {refused}");
        assert!(!fixture.at("piped").exists(), "{name}");
        fs::rename(&moved, &place).unwrap();
    }
}

fn edit(copy: &Path, from: &str, to: &str) {
    let path = copy.join("backup.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn flip_a_bit(copy: &Path) {
    let path = copy.join(sqlite_copy::DATABASE_FILE);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn integrity_check_finds_corrupted_pages() {
    let fixture = Fixture::new().await;
    fixture.backup("copy").await.unwrap();
    let path = fixture.at("copy").join(sqlite_copy::DATABASE_FILE);
    sqlite_copy::check_integrity(&path).await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // Overwrites the headers of all pages after the first.
    for page in bytes.chunks_mut(4096).skip(1) {
        page[..64].fill(0xff);
    }
    fs::write(&path, bytes).unwrap();
    assert!(sqlite_copy::check_integrity(&path).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_of_missing_files_is_refused_and_remains_of_a_killed_restore_are_replaced() {
    let fixture = Fixture::new().await;
    let absent = backup(&fixture.at("nowhere"), &[], &fixture.at("a"), NOW).await;
    assert!(matches!(absent, Err(BackupError::NoDatabase(_))));
    let listed = backup(&fixture.at("data"), &["absent.key"], &fixture.at("b"), NOW).await.unwrap_err().to_string();
    assert!(listed.contains("absent.key"), "{listed}");
    assert!(matches!(verify(&fixture.at("b")).await, Err(BackupError::NotABackup(_))), "the remains are no backup");
    let outside = backup(&fixture.at("data"), &["../data/master.key"], &fixture.at("c"), NOW).await;
    assert!(matches!(outside, Err(BackupError::Damaged(_))));
    // A killed restore leaves its staging directory; the next restore deletes it first.
    fixture.backup("copy").await.unwrap();
    fs::create_dir(fixture.at("restored.restoring")).unwrap();
    fs::write(fixture.at("restored.restoring/half"), "").unwrap();
    restore(&fixture.at("copy"), &fixture.at("restored")).await.unwrap();
    assert!(!fixture.at("restored/half").exists() && !fixture.at("restored.restoring").exists());
}
