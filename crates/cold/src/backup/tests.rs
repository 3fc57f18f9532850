//! Backups made under load, refused where something is there, and put back whole or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use voelgoed_app::accounts::ports::{AccountStore, Organization};
use voelgoed_domain::ids::OrganizationId;

use super::*;
use crate::testing::{Counting, TempDir};
use crate::{Cold, ColdConfig};

const NOW: Timestamp = Timestamp::from_micros(1_795_348_800_000_000);

struct Bench {
    directory: TempDir,
    cold: Cold,
}

impl Bench {
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

    async fn backup(&self, into: &str) -> Result<Manifest> {
        backup(&self.at("data"), &["master.key"], &self.at(into), NOW).await
    }
}

async fn open(data: &Path) -> Cold {
    Cold::open(ColdConfig::embedded(data), Arc::new(Counting::default())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_while_others_write_holds_all_that_was_acknowledged_before() {
    let bench = Bench::new().await;
    let before = bench.organization(1).await;
    let (manifest, ()) = tokio::join!(bench.backup("copy"), async {
        for number in 100..200 {
            bench.organization(number).await;
        }
    });
    let manifest = manifest.unwrap();
    assert_eq!(manifest.at, NOW);
    assert_eq!(manifest.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), [copy::FILE, "master.key"]);
    let later = bench.organization(2).await;
    assert_eq!(verify(&bench.at("copy")).await.unwrap(), manifest);
    assert_eq!(restore(&bench.at("copy"), &bench.at("restored")).await.unwrap(), manifest);
    let restored = open(&bench.at("restored")).await;
    assert!(restored.read_organization(before).await.unwrap().is_some());
    assert!(restored.read_organization(later).await.unwrap().is_none());
    assert_eq!(fs::read_to_string(bench.at("restored/master.key")).unwrap(), "secret");
    let mode = |name| fs::metadata(bench.at(name)).unwrap().permissions().mode() & 0o777;
    let rights =
        ["copy", "copy/voelgoed.sqlite", "copy/master.key", "copy/backup.json", "restored/master.key"].map(mode);
    assert_eq!(rights, [0o700, 0o600, 0o600, 0o600, 0o600], "for the owner only");
    restored.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_overwritten() {
    let bench = Bench::new().await;
    bench.backup("copy").await.unwrap();
    assert!(matches!(bench.backup("copy").await, Err(BackupError::NotEmpty(_))));
    for filled in ["data", "copy"] {
        assert!(matches!(restore(&bench.at("copy"), &bench.at(filled)).await, Err(BackupError::NotEmpty(_))));
    }
    fs::create_dir(bench.at("empty")).unwrap();
    restore(&bench.at("copy"), &bench.at("empty")).await.unwrap();
    assert!(matches!(restore(&bench.at("copy"), &bench.at("empty")).await, Err(BackupError::NotEmpty(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_whole_is_not_put_back() {
    type Harm = fn(&Path);
    let rows: &[(&str, Harm, &str)] = &[
        ("unfinished", |copy| fs::remove_file(copy.join("backup.json")).unwrap(), "is not a finished backup"),
        ("missing", |copy| fs::remove_file(copy.join("master.key")).unwrap(), "master.key is missing"),
        (
            "short",
            |copy| fs::write(copy.join("master.key"), "secre").unwrap(),
            "master.key is not what was written (5 of 6 bytes)",
        ),
        ("other", |copy| fs::write(copy.join("master.key"), "secreT").unwrap(), "master.key is not what was written"),
        ("rotten", rot, "voelgoed.sqlite is not what was written"),
        ("garbled", |copy| fs::write(copy.join("backup.json"), "{").unwrap(), "backup.json"),
        ("newer", |copy| edit(copy, "\"v\": 1", "\"v\": 2"), "version 2"),
        ("outside", |copy| edit(copy, "master.key", "../data/master.key"), "leads out of the directory"),
    ];
    let bench = Bench::new().await;
    for (name, harm, expected) in rows {
        bench.backup(name).await.unwrap();
        harm(&bench.at(name));
        let refused = restore(&bench.at(name), &bench.at("restored")).await.unwrap_err().to_string();
        assert!(refused.contains(expected), "{name}: {refused}");
        assert!(!bench.at("restored").exists(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_with_a_symbolic_link_is_refused_and_restored_files_are_private_whatever_their_mode_was() {
    let bench = Bench::new().await;
    bench.backup("copy").await.unwrap();
    for name in ["copy/voelgoed.sqlite", "copy/master.key", "copy/backup.json"] {
        fs::set_permissions(bench.at(name), fs::Permissions::from_mode(0o666)).unwrap();
    }
    restore(&bench.at("copy"), &bench.at("wide")).await.unwrap();
    let mode = |name: &str| fs::metadata(bench.at(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(["wide", "wide/voelgoed.sqlite", "wide/master.key"].map(mode), [0o700, 0o600, 0o600]);
    for name in ["master.key", "voelgoed.sqlite", "backup.json"] {
        let (moved, link) = (bench.at("elsewhere"), bench.at("copy").join(name));
        fs::rename(&link, &moved).unwrap();
        std::os::unix::fs::symlink(&moved, &link).unwrap();
        let refused = restore(&bench.at("copy"), &bench.at("linked")).await.unwrap_err().to_string();
        assert!(refused.contains("symbolic link"), "{name}: {refused}");
        assert!(!bench.at("linked").exists(), "{name}");
        fs::rename(&moved, &link).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_with_a_pipe_is_refused_and_never_waited_for() {
    let bench = Bench::new().await;
    bench.backup("copy").await.unwrap();
    for name in ["master.key", "voelgoed.sqlite", "backup.json"] {
        let (moved, place) = (bench.at("elsewhere"), bench.at("copy").join(name));
        fs::rename(&place, &moved).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&place).status().unwrap().success());
        let refused = restore(&bench.at("copy"), &bench.at("piped")).await.unwrap_err().to_string();
        assert!(refused.contains("no ordinary file"), "{name}: {refused}");
        assert!(!bench.at("piped").exists(), "{name}");
        fs::rename(&moved, &place).unwrap();
    }
}

fn edit(copy: &Path, from: &str, to: &str) {
    let path = copy.join("backup.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn rot(copy: &Path) {
    let path = copy.join(copy::FILE);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_contradicts_itself_is_noticed() {
    let bench = Bench::new().await;
    bench.backup("copy").await.unwrap();
    let path = bench.at("copy").join(copy::FILE);
    copy::check(&path).await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // Pages after the first: their headers no longer fit their trees.
    for page in bytes.chunks_mut(4096).skip(1) {
        page[..64].fill(0xff);
    }
    fs::write(&path, bytes).unwrap();
    assert!(copy::check(&path).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_copied_is_said() {
    let bench = Bench::new().await;
    let absent = backup(&bench.at("nowhere"), &[], &bench.at("a"), NOW).await;
    assert!(matches!(absent, Err(BackupError::NoDatabase(_))));
    let listed = backup(&bench.at("data"), &["absent.key"], &bench.at("b"), NOW).await.unwrap_err().to_string();
    assert!(listed.contains("absent.key"), "{listed}");
    assert!(matches!(verify(&bench.at("b")).await, Err(BackupError::NotABackup(_))), "what was left is no backup");
    let outside = backup(&bench.at("data"), &["../data/master.key"], &bench.at("c"), NOW).await;
    assert!(matches!(outside, Err(BackupError::Damaged(_))));
    // A restore that was killed leaves its staging directory; the next one starts anew.
    bench.backup("copy").await.unwrap();
    fs::create_dir(bench.at("restored.restoring")).unwrap();
    fs::write(bench.at("restored.restoring/half"), "").unwrap();
    restore(&bench.at("copy"), &bench.at("restored")).await.unwrap();
    assert!(!bench.at("restored/half").exists() && !bench.at("restored.restoring").exists());
}
