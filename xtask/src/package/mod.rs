//! Makes a Debian package and a tarball from a built binary for `cargo xtask package`, with the tools of Debian.
//!
//! Never: a time, a name or an order of this machine in a package; `SOURCE_DATE_EPOCH`, or else the last commit, dates every file.

mod debian;
mod payload;
mod tarball;
mod third_party;
mod tree;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context;

pub use self::debian::{DebOptions, build_deb};
pub use self::payload::Payload;
pub use self::tarball::build_tarball;
use crate::child_process::{self, capture};
use crate::system_packages::{self, DPKG_DEV, HELP2MAN, SystemPackage};
use crate::task_context::TaskContext;

/// Packages whose tools make the packages.
pub const NEEDS: &[SystemPackage] = &[DPKG_DEV, HELP2MAN];

/// How a package is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// As small as possible.
    #[default]
    Small,
    /// As fast as possible, for tests.
    Fast,
}

/// Command line options of `cargo xtask package`.
#[derive(clap::Args)]
pub struct PackageArguments {
    /// Package this binary instead of building one.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["release", "linked_statically"])]
    binary: Option<PathBuf>,
    /// Build with the profile `release` instead of `dist`: builds quicker, runs slower.
    #[arg(long)]
    release: bool,
    /// Link glibc statically and make only the tarball; needs a build of its own.
    #[arg(long = "static")]
    linked_statically: bool,
    /// The version of the Debian package; the binary's version and `-1` if absent.
    #[arg(long, value_name = "VERSION", conflicts_with = "linked_statically")]
    deb_version: Option<String>,
}

/// Builds the binary if none is given, and writes the packages to `package/` of cargo's target directory.
pub fn run(context: &TaskContext, arguments: PackageArguments) -> anyhow::Result<ExitCode> {
    system_packages::install_missing(NEEDS)?;
    let PackageArguments { binary, release, linked_statically, deb_version } = arguments;
    let binary = match binary {
        Some(binary) => binary.canonicalize().with_context(|| format!("cannot find {}", binary.display()))?,
        None => build(context, if release { "release" } else { "dist" }, linked_statically)?,
    };
    let directory = context.target().join("package");
    let payload = Payload::build(context, &binary, &directory.join("payload"))?;
    let target = if linked_statically { format!("{}-static", target()) } else { target() };
    let mut made = vec![build_tarball(context, &payload, &target, Compression::Small, &directory)?];
    if !linked_statically {
        let version = deb_version.unwrap_or_else(|| format!("{}-1", payload.version));
        made.push(build_deb(context, &payload, &DebOptions { version, ..DebOptions::default() }, &directory)?);
    }
    for package in made {
        println!("{} ({} KiB)", package.display(), std::fs::metadata(&package)?.len() / 1024);
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the binary and returns its path.
fn build(context: &TaskContext, profile: &str, linked_statically: bool) -> anyhow::Result<PathBuf> {
    let mut command = child_process::cargo(&context.root);
    command.args(["build", "--locked", "--package", "voelgoed", "--profile", profile]);
    let mut built = context.target();
    if linked_statically {
        built = built.join("static");
        // With a target, cargo passes RUSTFLAGS to the product only: procedural macros cannot be linked statically.
        command.args(["--target", &target(), "--target-dir"]).arg(&built);
        command.env("RUSTFLAGS", "-C target-feature=+crt-static");
        built = built.join(target());
    }
    child_process::run_checked(&mut command)?;
    Ok(built.join(profile).join("voelgoed"))
}

/// The target triple of this machine.
fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// The time in seconds that dates every packaged file: `SOURCE_DATE_EPOCH`, or the time of the last commit.
fn source_date_epoch(root: &Path) -> anyhow::Result<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the variable of reproducible builds; configuration of the product is not read here"
    )]
    let given = std::env::var("SOURCE_DATE_EPOCH");
    let text = match given {
        Ok(epoch) => epoch,
        Err(_) => capture(Command::new("git").current_dir(root).args(["log", "-1", "--format=%ct"]))
            .context("this is no git repository: set SOURCE_DATE_EPOCH")?,
    };
    let epoch: u64 =
        text.trim().parse().with_context(|| format!("SOURCE_DATE_EPOCH is `{text}`, no number of seconds"))?;
    Ok(epoch.to_string())
}
