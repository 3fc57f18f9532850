//! Packs the binary with its completions, man pages, units, default configuration and license into a tarball.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Compression;
use super::payload::Payload;
use super::tree::Tree;
use crate::child_process::run_checked_quietly;
use crate::task_context::TaskContext;

/// Builds `voelgoed-VERSION-TARGET.tar.gz` in `directory` and returns its path.
pub fn build_tarball(
    context: &TaskContext,
    payload: &Payload,
    target: &str,
    compression: Compression,
    directory: &Path,
) -> anyhow::Result<PathBuf> {
    let name = format!("voelgoed-{}-{target}", payload.version);
    let above = directory.join("tarball");
    let tree = Tree::create(above.join(&name))?;
    add_files(context, payload, &tree)?;
    let package = directory.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"]);
    let level = if compression == Compression::Fast { "--fast" } else { "--best" };
    tar.arg(format!("--mtime=@{}", payload.epoch)).arg(format!("--use-compress-program=gzip {level} --no-name"));
    run_checked_quietly(tar.arg("--file").arg(&package).arg("--directory").arg(&above).arg(&name))?;
    Ok(package)
}

fn add_files(context: &TaskContext, payload: &Payload, tree: &Tree) -> anyhow::Result<()> {
    let deploy = context.root.join("deploy");
    tree.copy_program(&payload.binary, "bin/voelgoed")?;
    tree.copy_program(&deploy.join("voelgoed-admin"), "sbin/voelgoed-admin")?;
    tree.write("share/bash-completion/completions/voelgoed", &payload.bash)?;
    tree.write("share/zsh/site-functions/_voelgoed", &payload.zsh)?;
    tree.write("share/fish/vendor_completions.d/voelgoed.fish", &payload.fish)?;
    for (name, page) in &payload.man_pages {
        tree.write(&format!("share/man/man1/{name}"), page)?;
    }
    tree.copy(&deploy.join("voelgoed-admin.8"), "share/man/man8/voelgoed-admin.8")?;
    tree.copy(&deploy.join("debian/single-node.toml"), "etc/single-node.toml")?;
    for folder in ["systemd", "haproxy", "prometheus"] {
        tree.copy_files(&deploy.join(folder), folder)?;
    }
    tree.copy(&deploy.join("INSTALL.md"), "INSTALL.md")?;
    for document in ["README.md", "CHANGELOG.md", "LICENSE"] {
        tree.copy(&context.root.join(document), document)?;
    }
    tree.write("THIRD-PARTY-LICENSES.txt", &payload.third_party_licenses)
}
