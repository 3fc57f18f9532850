//! Every SQL and Lua file is loaded by some line of code.

use super::house::{File, House};
use super::modules::resolved;
use super::{Finding, Law};

/// The law.
pub struct Statements;

impl Law for Statements {
    fn name(&self) -> &'static str {
        "statements"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let loaded: Vec<String> = house.rust().flat_map(loaded).collect();
        let statements = house.files.iter().filter(|file| file.is("sql") || file.is("lua"));
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
fn loaded(file: &File) -> Vec<String> {
    let tokens = file.tokens();
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let package =
        folder.split_once("/src").or_else(|| folder.split_once("/tests")).map_or(folder, |(package, _)| package);
    let from = |words: &'static [&'static str], base: &str| -> Vec<String> {
        tokens.find(words).filter_map(|index| Some(resolved(base, &tokens.string(index + words.len())?))).collect()
    };
    // `include_str!(concat!("folder/", $name, ".sql"))` inside a macro that is given the names.
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
    fn files_that_are_loaded_by_name_or_folder_are_lawful_and_others_are_found() {
        let house = House::of(&[
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
        let files: Vec<_> = Statements.check(&house).into_iter().map(|finding| finding.file).collect();
        assert_eq!(
            files,
            ["crates/warm/src/redis/lua/old.lua", "crates/cold/queries/old.sql", "crates/jobs/sql/b.sql"]
        );
    }
}
