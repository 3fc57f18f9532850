//! A statement has a name for metrics and one text for every engine, whose tokens are expanded per engine.
//!
//! Binds are `$1`, `$2`, ….
//!
//! | token | becomes |
//! |---|---|
//! | `{for_update}`, `{skip_locked}` | row locks, where the engine has them |
//! | `{rows:N}` | as many rows of N binds as are given |
//! | `{rows:N $1}` | the same, each row ending with the fixed bind `$1` |
//! | `{uuid}`, `{json}`, `{bytes}` | a column type |
//! | `{clustered}` | a table option |
//! | `{secured:table role…}` | row security of a table, with the system roles that see it |
//! | `{shown:table role…}` | replaces the system roles that see a secured table |
//!
//! Never: a brace that is no token; a table joined with rows by a bind (`where t.organization_id = $1 and t.id = v.column1`) instead of a column of the
//! rows (`{rows:1 $1}`, `t.organization_id = v.column2`). Where Postgres estimates organizations to be small (a new table, or the largest organization of
//! many), it would read all rows of the organization for a few keys.
//! To add a token: one line in [`token`].

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock, RwLock};

use super::{DbError, DbResult, Engine};

/// A statement with its metric label.
#[derive(Debug, Clone, Copy)]
pub struct Sql {
    /// `slice.operation`, the label of its metric.
    pub name: &'static str,
    /// SQL with binds and tokens.
    pub text: &'static str,
}

/// A statement whose duration is measured as `name`.
#[must_use]
pub const fn sql(name: &'static str, text: &'static str) -> Sql {
    Sql { name, text }
}

/// Address and length of the text, number of rows, engine.
type Key = (usize, usize, usize, Engine);

static EXPANDED: LazyLock<RwLock<HashMap<Key, Arc<str>>>> = LazyLock::new(RwLock::default);

/// The text for an engine with `rows` rows of binds; expanded once.
pub(super) fn expanded(engine: Engine, text: &'static str, rows: usize) -> DbResult<Arc<str>> {
    let key = (text.as_ptr() as usize, text.len(), rows, engine);
    if let Some(cached) = EXPANDED.read().map_err(|_| poisoned())?.get(&key) {
        return Ok(cached.clone());
    }
    let expanded: Arc<str> = expand(engine, text, rows)?.into();
    EXPANDED.write().map_err(|_| poisoned())?.insert(key, expanded.clone());
    Ok(expanded)
}

fn poisoned() -> DbError {
    DbError::internal("statement cache is poisoned")
}

/// Expands the tokens. The binds of rows come first, then the fixed ones. Rows are anonymous binds on SQLite, which looks up a named bind linearly.
pub(super) fn expand(engine: Engine, text: &str, rows: usize) -> DbResult<String> {
    let width = row_width(text)?;
    if width > 0 && text.contains("organization_id = $") {
        return Err(DbError::internal(format!(
            "rows are joined with an organization by a bind instead of a column of the rows: `{text}`"
        )));
    }
    let shift = width * rows;
    let mut out = String::with_capacity(text.len() + shift * 2);
    let mut rest = text;
    while let Some(at) = rest.find(['{', '$']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('$') {
            let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let number: usize =
                after[..digits].parse().map_err(|_| DbError::internal(format!("invalid bind in `{text}`")))?;
            let _ = write!(out, "${}", number + shift);
            rest = &after[digits..];
        } else {
            let end = rest.find('}').ok_or_else(|| DbError::internal(format!("unclosed token in `{text}`")))?;
            let name = &rest[1..end];
            match name.split_once(':') {
                Some(("rows", _)) => {
                    push_rows(&mut out, engine, width, rows, row_ends(name, text)?.map(|end| end + shift))
                }
                Some(("secured", table)) if engine == Engine::Postgres => push_secured(&mut out, table),
                Some(("shown", table)) if engine == Engine::Postgres => push_shown(&mut out, table),
                Some(("secured" | "shown", _)) => {}
                _ => out.push_str(token(engine, name)?),
            }
            rest = &rest[end + 1..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn row_width(text: &str) -> DbResult<usize> {
    let Some((_, after)) = text.split_once("{rows:") else { return Ok(0) };
    let digits = after.split(['}', ' ']).next().unwrap_or_default();
    digits.parse().map_err(|_| DbError::internal(format!("invalid row width in `{text}`")))
}

/// The fixed bind that ends each row.
fn row_ends(token: &str, text: &str) -> DbResult<Option<usize>> {
    let Some((_, end)) = token.split_once(' ') else { return Ok(None) };
    let number = end.strip_prefix('$').and_then(|digits| digits.parse().ok());
    number.map(Some).ok_or_else(|| DbError::internal(format!("invalid end of a row in `{text}`")))
}

fn push_rows(out: &mut String, engine: Engine, width: usize, rows: usize, end: Option<usize>) {
    for row in 0..rows {
        out.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..width {
            out.push_str(if column == 0 { "" } else { "," });
            let _ = match engine {
                Engine::Sqlite => out.write_char('?'),
                Engine::Postgres => write!(out, "${}", row * width + column + 1),
            };
        }
        if let Some(end) = end {
            let _ = write!(out, ",${end}");
        }
        out.push(')');
    }
}

/// Row security of `table role role…`, or `table(column) …` where another column holds the organization. It applies to the owner of the table too.
fn push_secured(out: &mut String, secured: &str) {
    let mut words = secured.split(' ');
    let table = words.next().unwrap_or_default();
    let (table, column) = match table.trim_end_matches(')').split_once('(') {
        Some(named) => named,
        None => (table, "organization_id"),
    };
    let roles = roles(words);
    let _ = write!(
        out,
        "alter table {table} enable row level security;
         alter table {table} force row level security;
         create policy tenant on {table} using ({column} = (select nullif(current_setting('voelgoed.organization', true), '')::uuid));
         create policy system on {table} using ({});",
        system(&roles)
    );
}

/// The subselect makes Postgres read the setting once per statement instead of once per row.
fn system(roles: &str) -> String {
    format!("(select current_setting('voelgoed.system', true) in ({roles}))")
}

/// Replaces the system roles of a policy.
fn push_shown(out: &mut String, shown: &str) {
    let mut words = shown.split(' ');
    let table = words.next().unwrap_or_default();
    let roles = roles(words);
    let _ = write!(out, "alter policy system on {table} using ({});", system(&roles));
}

/// The roles of a policy; migrations see every table.
fn roles<'a>(named: impl Iterator<Item = &'a str>) -> String {
    named.fold("'migration'".to_owned(), |roles, role| format!("{roles}, '{role}'"))
}

fn token(engine: Engine, name: &str) -> DbResult<&'static str> {
    Ok(match (engine, name) {
        // One writer has nothing to lock.
        (Engine::Sqlite, "for_update" | "skip_locked") => "",
        (Engine::Sqlite, "uuid" | "bytes") => "blob",
        (Engine::Sqlite, "json") => "text",
        (Engine::Sqlite, "clustered") => "without rowid",
        (Engine::Postgres, "for_update") => "for update",
        (Engine::Postgres, "skip_locked") => "skip locked",
        (Engine::Postgres, "uuid") => "uuid",
        (Engine::Postgres, "bytes") => "bytea",
        // Only this program reads it, and as a whole, so Postgres' JSON types would gain nothing.
        (Engine::Postgres, "json") => "text",
        (Engine::Postgres, "clustered") => "",
        (_, _) => return Err(DbError::internal(format!("unknown token `{name}`"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_binds_expand() {
        for (text, rows, expected) in [
            ("select 1", 0, "select 1"),
            ("select a from t where b = $1 and c = $12", 0, "select a from t where b = $1 and c = $12"),
            ("select a from t where b = $1 {for_update} {skip_locked}", 0, "select a from t where b = $1  "),
            ("insert into t values {rows:2}", 3, "insert into t values (?,?),(?,?),(?,?)"),
            (
                "update t set a = $1 from (values {rows:1}) v where b = $2",
                2,
                "update t set a = $3 from (values (?),(?)) v where b = $4",
            ),
            (
                "select * from (values {rows:2 $1}) v where b = $2",
                2,
                "select * from (values (?,?,$5),(?,?,$5)) v where b = $6",
            ),
            (
                "create table t (a {uuid}, b {json}, c {bytes}) {clustered}",
                0,
                "create table t (a blob, b text, c blob) without rowid",
            ),
        ] {
            assert_eq!(expand(Engine::Sqlite, text, rows).unwrap(), expected);
        }
        assert_eq!(
            expand(Engine::Postgres, "update t set a = $1 from (values {rows:2}) v where b = $2 {for_update}", 2)
                .unwrap(),
            "update t set a = $5 from (values ($1,$2),($3,$4)) v where b = $6 for update"
        );
        assert_eq!(
            expand(Engine::Postgres, "select * from (values {rows:2 $1}) v where b = $2", 2).unwrap(),
            "select * from (values ($1,$2,$5),($3,$4,$5)) v where b = $6"
        );
        for text in [
            "select {what}",
            "select {rows:x}",
            "select {rows:1 x}",
            "update t set a = 1 from (values {rows:1}) v where t.organization_id = $1 and t.id = v.column1",
            "select {",
            "select $a",
        ] {
            assert!(expand(Engine::Sqlite, text, 1).is_err(), "{text}");
        }
    }

    #[test]
    fn expansion_is_cached_by_text_and_number_of_rows() {
        const TEXT: &str = "select * from (values {rows:1})";
        let first = expanded(Engine::Sqlite, TEXT, 4).unwrap();
        assert!(Arc::ptr_eq(&first, &expanded(Engine::Sqlite, TEXT, 4).unwrap()));
        assert!(!Arc::ptr_eq(&first, &expanded(Engine::Sqlite, TEXT, 8).unwrap()));
    }
}
