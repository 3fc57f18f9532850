//! What laws look at: every text file of the repository, and what cargo says of its packages.

use std::cell::OnceCell;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::modules::reached;
use super::source::Tokens;
use crate::shell;

/// Folders that are read, beside the root's own files.
const FOLDERS: &[&str] = &[".cargo", ".ci", "crates", "deploy", "docs", "testing", "xtask"];
/// Files that are text.
const TEXTS: &[&str] = &["css", "csv", "html", "js", "json", "lua", "md", "rs", "sh", "sql", "svg", "toml", "txt"];

/// The repository.
pub struct House {
    /// Its files, sorted by path.
    pub files: Vec<File>,
    /// Its packages, sorted by folder.
    pub packages: Vec<Package>,
    /// Every package from outside that is compiled into it.
    pub externals: Vec<External>,
}

/// One text file.
pub struct File {
    /// Relative to the root, with slashes.
    pub path: String,
    /// What it says.
    pub text: String,
    tokens: OnceCell<Tokens>,
    is_test: bool,
}

/// One package of the workspace.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Its name, e.g. `voelgoed-web`.
    pub name: String,
    /// Its folder, e.g. `crates/web`.
    pub folder: String,
    /// What it depends on directly.
    pub dependencies: Vec<Dependency>,
    /// The roots of its targets, relative to the repository's root.
    pub roots: Vec<String>,
}

/// A direct dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// Only its tests use it.
    pub is_dev: bool,
}

/// A package from outside.
#[derive(Debug, Clone, Default)]
pub struct External {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence as an SPDX expression, where it states one.
    pub licence: Option<String>,
    /// Where it comes from.
    pub source: String,
}

impl File {
    /// A file with this text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), tokens: OnceCell::new(), is_test: false }
    }

    /// Its tokens, where it is Rust.
    pub fn tokens(&self) -> &Tokens {
        self.tokens.get_or_init(|| Tokens::of(&self.text))
    }

    /// True where its name ends with `.extension`.
    pub fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|own| own == extension)
    }

    /// True where the whole file is test code: by its place (`tests/…`, `benches/…`, `tests.rs`), or since only tests lead to it.
    pub fn is_test(&self) -> bool {
        if self.is_test {
            return true;
        }
        let mut parts = self.path.split('/');
        parts.any(|part| matches!(part, "tests" | "benches" | "tests.rs"))
    }

    /// The line of the first occurrence of `needle`, or 1.
    pub fn line_of(&self, needle: &str) -> usize {
        self.text.lines().position(|line| line.contains(needle)).map_or(1, |index| index + 1)
    }
}

impl House {
    /// Reads the repository at `root`.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        read_folder(root, root, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let metadata = shell::capture(shell::cargo(root).args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform=x86_64-unknown-linux-gnu",
        ]))?;
        let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is JSON")?;
        let (packages, externals) = packages(root, &metadata);
        let mut house = Self { files, packages, externals };
        let reached = reached(&house);
        for file in &mut house.files {
            file.is_test = reached.get(&file.path).copied().unwrap_or(false);
        }
        Ok(house)
    }

    /// The file at `path`.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Every Rust file.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is("rs"))
    }

    /// Every Rust file below `folder`.
    pub fn rust_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.rust().filter(move |file| file.path.starts_with(folder))
    }

    /// A house made of these files, for tests of laws.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File::new(*path, *text)).collect();
        Self { files, packages: Vec::new(), externals: Vec::new() }
    }
}

fn read_folder(root: &Path, folder: &Path, files: &mut Vec<File>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let relative = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        if entry.file_type()?.is_dir() {
            let is_read = folder != root || FOLDERS.contains(&relative.as_str());
            if is_read && entry.file_name() != "target" && entry.file_name() != "node_modules" {
                read_folder(root, &path, files)?;
            }
        } else if path.extension().is_some_and(|extension| TEXTS.iter().any(|text| extension == *text)) {
            // A file that vanishes between listing and reading belongs to somebody's running tool.
            if let Ok(text) = std::fs::read_to_string(&path) {
                files.push(File::new(relative, text));
            }
        }
    }
    Ok(())
}

fn packages(root: &Path, metadata: &Value) -> (Vec<Package>, Vec<External>) {
    let relative = |path: &Value| {
        let path = Path::new(text(path));
        path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
    };
    let mut own = Vec::new();
    let mut externals = Vec::new();
    let compiled: Vec<&str> = list(&metadata["resolve"]["nodes"]).map(|node| text(&node["id"])).collect();
    for package in list(&metadata["packages"]) {
        let name = text(&package["name"]).to_owned();
        if package["source"].is_null() {
            let manifest = relative(&package["manifest_path"]);
            let dependencies = list(&package["dependencies"])
                .map(|dependency| Dependency {
                    name: text(&dependency["name"]).to_owned(),
                    is_dev: dependency["kind"] == "dev",
                })
                .collect();
            let roots = list(&package["targets"]).map(|target| relative(&target["src_path"])).collect();
            let folder = manifest.trim_end_matches("/Cargo.toml").to_owned();
            own.push(Package { name, folder, dependencies, roots });
        } else if compiled.contains(&text(&package["id"])) {
            externals.push(External {
                name,
                version: text(&package["version"]).to_owned(),
                licence: package["license"].as_str().map(str::to_owned),
                source: text(&package["source"]).to_owned(),
            });
        }
    }
    own.sort_by(|a, b| a.folder.cmp(&b.folder));
    (own, externals)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_itself_can_be_read() -> anyhow::Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the repository")?;
        let house = House::read(root)?;
        assert!(house.file("xtask/src/tidy/house.rs").is_some());
        let own = house.packages.iter().find(|package| package.name == "xtask").context("xtask is a package")?;
        assert_eq!(own.folder, "xtask");
        assert_eq!(own.roots, ["xtask/src/main.rs"]);
        assert!(house.externals.iter().any(|external| external.name == "serde_json" && external.licence.is_some()));
        Ok(())
    }

    #[test]
    fn a_place_tells_test_files_from_others() {
        for (path, expected) in [
            ("crates/a/tests/x.rs", true),
            ("crates/a/src/b/tests.rs", true),
            ("crates/a/src/tests/c.rs", true),
            ("crates/a/src/contests.rs", false),
        ] {
            assert_eq!(File::new(path, "").is_test(), expected, "{path}");
        }
    }
}
