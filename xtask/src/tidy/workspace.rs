//! Holds what the tidy rules check: the text files of the repository, and its packages as cargo reports them.

use super::source_file::SourceFile;

/// The repository.
pub struct Workspace {
    /// Sorted by path.
    pub files: Vec<SourceFile>,
    /// The workspace's packages, sorted by folder.
    pub packages: Vec<WorkspacePackage>,
    /// The external packages that are compiled.
    pub externals: Vec<ExternalPackage>,
}

/// One package of the workspace.
#[derive(Debug, Clone, Default)]
pub struct WorkspacePackage {
    /// E.g. `voelgoed-web`.
    pub name: String,
    /// E.g. `crates/web`.
    pub folder: String,
    /// Its direct dependencies.
    pub dependencies: Vec<PackageDependency>,
    /// The root files of its targets, relative to the repository's root.
    pub roots: Vec<String>,
}

/// A direct dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageDependency {
    /// The package's name.
    pub name: String,
    /// True for a dependency of tests only.
    pub is_dev: bool,
}

/// An external package.
#[derive(Debug, Clone, Default)]
pub struct ExternalPackage {
    /// The package's name.
    pub name: String,
    /// The version in the lock file.
    pub version: String,
    /// The SPDX expression of its manifest.
    pub licence: Option<String>,
    /// The registry or repository that it is fetched from.
    pub source: String,
}

impl Workspace {
    pub fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Every Rust file.
    pub fn rust(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(|file| file.is("rs"))
    }

    /// Every Rust file below `folder`.
    pub fn rust_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.rust().filter(move |file| file.path.starts_with(folder))
    }

    /// A workspace of these files, for tests of rules.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| SourceFile::new(*path, *text)).collect();
        Self { files, packages: Vec::new(), externals: Vec::new() }
    }
}
