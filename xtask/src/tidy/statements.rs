//! Requires that code loads every SQL and Lua file.

use super::module_graph::resolved;
use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

pub struct StatementsRule;

impl Rule for StatementsRule {
    fn name(&self) -> &'static str {
        "statements"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let loaded: Vec<String> = workspace.rust().flat_map(loaded).collect();
        let statements = workspace.files.iter().filter(|file| file.is("sql") || file.is("lua"));
        statements
            .filter(|file| !loaded.iter().any(|path| file.path == *path || in_folder(&file.path, path)))
            .map(|file| Finding::new(&file.path, 1, "no code loads this file", "load it, or delete it"))
            .collect()
    }
}

fn in_folder(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The paths that `include_str!` (from the file) and `migrate!` (from the package) name, relative to the root.
fn loaded(file: &SourceFile) -> Vec<String> {
    let tokens = file.tokens();
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let package =
        folder.split_once("/src").or_else(|| folder.split_once("/tests")).map_or(folder, |(package, _)| package);
    let from = |words: &'static [&'static str], base: &str| -> Vec<String> {
        tokens.find(words).filter_map(|index| Some(resolved(base, &tokens.string(index + words.len())?))).collect()
    };
    // `include_str!(concat!("folder/", $name, ".sql"))` in a macro; its names are the string literals of the file.
    let built = from(&["include_str", "!", "(", "concat", "!", "("], folder).into_iter().flat_map(|folder| {
        tokens.strings().flat_map(move |(name, _)| ["sql", "lua"].map(|ending| format!("{folder}/{name}.{ending}")))
    });
    let direct = [from(&["include_str", "!", "("], folder), from(&["migrate", "!", "("], package)].concat();
    built.chain(direct).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_no_code_loads_is_found() {
        let workspace = Workspace::of(&[
            ("crates/cold/src/schema.rs", "static M: Migrator = sqlx::migrate!(\"./migrations\");"),
            ("crates/cold/migrations/0001_places.sql", ""),
            ("crates/warm/src/redis/hold.rs", "const S: &str = include_str!(\"lua/hold.lua\");"),
            ("crates/warm/src/redis/lua/hold.lua", ""),
            ("crates/warm/src/redis/lua/old.lua", ""),
            ("crates/cold/queries/old.sql", ""),
            (
                "crates/jobs/src/schema.rs",
                "list! { \"a\"; } macro_rules! l { ($n:tt) => { include_str!(concat!(\"../sql/\", $n, \".sql\")) } }",
            ),
            ("crates/jobs/sql/a.sql", ""),
            ("crates/jobs/sql/b.sql", ""),
        ]);
        let files: Vec<_> = StatementsRule.check(&workspace).into_iter().map(|finding| finding.file).collect();
        assert_eq!(
            files,
            ["crates/warm/src/redis/lua/old.lua", "crates/cold/queries/old.sql", "crates/jobs/sql/b.sql"]
        );
    }
}
