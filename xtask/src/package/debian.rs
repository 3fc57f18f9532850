//! Lays out the files of the Debian package, computes its control fields, and packs it with `dpkg-deb`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use super::Compression;
use super::payload::Payload;
use super::tree::Tree;
use crate::child_process::{capture, run_checked_quietly};
use crate::task_context::TaskContext;

const UNITS: &[&str] = &["voelgoed.service", "voelgoed-web@.service", "voelgoed-worker@.service"];
const SCRIPTS: &[&str] = &["postinst", "prerm", "postrm"];
const DOCUMENTS: &str = "usr/share/doc/voelgoed";
const CONFIGURATION: &str = "etc/voelgoed/single-node.toml";

/// What differs between two packages of one payload.
#[derive(Debug, Clone, Default)]
pub struct DebOptions {
    /// The version of the package.
    pub version: String,
    /// How it is compressed.
    pub compression: Compression,
    /// Appended to the default configuration, so that an upgrade meets a changed default.
    pub configuration_suffix: &'static str,
}

/// Builds `voelgoed_VERSION_ARCHITECTURE.deb` in `directory` and returns its path.
pub fn build_deb(
    context: &TaskContext,
    payload: &Payload,
    options: &DebOptions,
    directory: &Path,
) -> anyhow::Result<PathBuf> {
    let tree = Tree::create(directory.join("deb"))?;
    add_files(context, payload, options, &tree)?;
    let architecture = capture(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned();
    add_control(context, payload, options, &tree, &architecture)?;
    let package = directory.join(format!("voelgoed_{}_{architecture}.deb", options.version));
    let mut dpkg_deb = Command::new("dpkg-deb");
    dpkg_deb.env("SOURCE_DATE_EPOCH", &payload.epoch).arg("--root-owner-group");
    if options.compression == Compression::Fast {
        dpkg_deb.args(["-Zgzip", "-z1"]);
    }
    run_checked_quietly(dpkg_deb.arg("--build").arg(tree.root()).arg(&package))?;
    Ok(package)
}

fn add_files(context: &TaskContext, payload: &Payload, options: &DebOptions, tree: &Tree) -> anyhow::Result<()> {
    let deploy = context.root.join("deploy");
    tree.copy_program(&payload.binary, "usr/bin/voelgoed")?;
    for unit in UNITS {
        let text = with_program_in_usr(&deploy.join("systemd").join(unit))?;
        tree.write(&format!("usr/lib/systemd/system/{unit}"), text)?;
    }
    tree.write_program("usr/sbin/voelgoed-admin", with_program_in_usr(&deploy.join("voelgoed-admin"))?)?;
    let configuration = std::fs::read_to_string(deploy.join("debian/single-node.toml"))?;
    tree.write(CONFIGURATION, configuration + options.configuration_suffix)?;
    tree.write("usr/share/bash-completion/completions/voelgoed", &payload.bash)?;
    tree.write("usr/share/zsh/vendor-completions/_voelgoed", &payload.zsh)?;
    tree.write("usr/share/fish/vendor_completions.d/voelgoed.fish", &payload.fish)?;
    for (name, page) in &payload.man_pages {
        tree.write_compressed(&format!("usr/share/man/man1/{name}"), page)?;
    }
    tree.write_compressed("usr/share/man/man8/voelgoed-admin.8", std::fs::read(deploy.join("voelgoed-admin.8"))?)?;
    for document in ["copyright", "README.Debian"] {
        tree.copy(&deploy.join("debian").join(document), &format!("{DOCUMENTS}/{document}"))?;
    }
    for (from, to) in [("haproxy", "haproxy"), ("prometheus", "prometheus")] {
        tree.copy_files(&deploy.join(from), &format!("{DOCUMENTS}/examples/{to}"))?;
    }
    for (from, to) in [("haproxy.env", "haproxy/haproxy.env"), ("voelgoed.toml", "cluster.toml")] {
        tree.copy(&deploy.join("systemd").join(from), &format!("{DOCUMENTS}/examples/{to}"))?;
    }
    tree.write_compressed(&format!("{DOCUMENTS}/third-party-licenses"), &payload.third_party_licenses)?;
    tree.write_compressed(&format!("{DOCUMENTS}/changelog"), std::fs::read(context.root.join("CHANGELOG.md"))?)?;
    tree.write_compressed(&format!("{DOCUMENTS}/changelog.Debian"), changelog(payload, &options.version)?)
}

/// The text of a unit or script, which starts the program of the tarball, with that of the package.
fn with_program_in_usr(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(text.contains("=/usr/local/bin/voelgoed"), "{} does not start /usr/local/bin/voelgoed", path.display());
    Ok(text.replace("/usr/local/bin/", "/usr/bin/"))
}

/// The changelog of the packaging, which has one entry; the product's is in `changelog.gz`.
fn changelog(payload: &Payload, version: &str) -> anyhow::Result<String> {
    let date =
        capture(Command::new("date").env("LC_ALL", "C").args(["-u", "-R", "-d", &format!("@{}", payload.epoch)]))?;
    let maintainer = "The Voelgoed developers <packages@voelgoed.example>";
    Ok(format!(
        "voelgoed ({version}) unstable; urgency=medium\n\n  * See changelog.gz for what changed.\n\n -- {maintainer}  {date}"
    ))
}

fn add_control(
    context: &TaskContext,
    payload: &Payload,
    options: &DebOptions,
    tree: &Tree,
    architecture: &str,
) -> anyhow::Result<()> {
    let source = context.root.join("deploy/debian");
    let libraries = shared_libraries(&payload.binary)?;
    let in_tree = |script: &str| capture(Command::new("sh").current_dir(tree.root()).args(["-euc", script]));
    let installed_size = in_tree("du -k --apparent-size --total usr etc | tail -n1 | cut -f1")?;
    // dpkg --verify compares with these; a conffile has its sum in dpkg's own database.
    let sums = in_tree("find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum")?;
    let control = std::fs::read_to_string(source.join("control"))?;
    let control = control
        .replace("@VERSION@", &options.version)
        .replace("@ARCHITECTURE@", architecture)
        .replace("@INSTALLED_SIZE@", installed_size.trim())
        .replace("@SHARED_LIBRARIES@", &libraries);
    tree.write("DEBIAN/control", control)?;
    tree.write("DEBIAN/md5sums", sums)?;
    tree.write("DEBIAN/conffiles", format!("/{CONFIGURATION}\n"))?;
    for script in SCRIPTS {
        tree.copy_program(&source.join(script), &format!("DEBIAN/{script}"))?;
    }
    Ok(())
}

/// The packages of the shared libraries that the binary needs, as the field `Depends` names them.
fn shared_libraries(binary: &Path) -> anyhow::Result<String> {
    // dpkg-shlibdeps reads the names of packages from a source tree.
    let scratch = Tree::create(binary.with_file_name("shlibdeps"))?;
    scratch.write("debian/control", "Source: voelgoed\n\nPackage: voelgoed\nArchitecture: any\n")?;
    let printed = capture(Command::new("dpkg-shlibdeps").current_dir(scratch.root()).arg("-O").arg(binary))?;
    let fields = printed.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    Ok(fields.context("the binary needs no shared library: package a binary that is not linked statically")?.to_owned())
}
