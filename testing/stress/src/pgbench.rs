//! Turns the logged statements of one transaction into a `pgbench` script that repeats them, each time with new identifiers.
//!
//! Never: a statement left out or simplified. Values that must differ from run to run are found by comparison: every UUID that another transaction of
//! the same kind does not have, the marked places, and unique texts.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context, ensure};
use uuid::Uuid;

/// A logged statement with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedStatement {
    sql: String,
    /// None stands for null.
    values: Vec<Option<String>>,
}

/// The transactions in a log written with `log_statement = 'all'`, each from its `begin` to its `commit`.
#[must_use]
pub fn transactions(log: &str) -> Vec<Vec<LoggedStatement>> {
    let mut all = Vec::new();
    let mut open: Option<Vec<LoggedStatement>> = None;
    for entry in entries(log) {
        if let Some(values) = entry.split_once("DETAIL:  parameters: ").map(|(_, values)| values) {
            if let Some(last) = open.as_mut().and_then(|open| open.last_mut()) {
                last.values = values_of(values);
            }
            continue;
        }
        let statement = entry.split_once("LOG:  statement: ").map(|(_, sql)| sql);
        let executed =
            entry.split_once("LOG:  execute ").and_then(|(_, rest)| rest.split_once(": ")).map(|(_, sql)| sql);
        let Some(sql) = statement.or(executed) else { continue };
        let word = sql.trim_start().to_ascii_lowercase();
        if word.starts_with("begin") {
            open = Some(Vec::new());
        }
        if let Some(open) = &mut open {
            open.push(LoggedStatement { sql: sql.trim().trim_end_matches(';').to_owned(), values: Vec::new() });
        }
        if word.starts_with("commit") {
            all.extend(open.take());
        }
    }
    all
}

/// A line that starts with a tab continues the line before.
fn entries(log: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        match (line.strip_prefix('\t'), entries.last_mut()) {
            (Some(rest), Some(last)) => {
                last.push('\n');
                last.push_str(rest);
            }
            _ => entries.push(line.to_owned()),
        }
    }
    entries
}

/// `$1 = 'a', $2 = NULL, …`; a quote in a value is doubled.
fn values_of(text: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once(" = ") {
        let Some(quoted) = behind.strip_prefix('\'') else {
            values.push(None);
            rest = behind.strip_prefix("NULL").unwrap_or(behind);
            continue;
        };
        let mut value = String::new();
        let mut letters = quoted.char_indices().peekable();
        let mut end = quoted.len();
        while let Some((at, letter)) = letters.next() {
            if letter != '\'' {
                value.push(letter);
            } else if letters.next_if(|(_, next)| *next == '\'').is_some() {
                value.push('\'');
            } else {
                end = at + 1;
                break;
            }
        }
        values.push(Some(value));
        rest = &quoted[end..];
    }
    values
}

/// The script that repeats `one`. `another` is a transaction of the same kind: values that both have are not identifiers. `places` are the two places
/// of `one`, which become `:p` and `:q`; the caller sets `i` to zero.
///
/// # Errors
/// The transactions are not of one kind, or nothing in them differs.
pub fn script(one: &[LoggedStatement], another: &[LoggedStatement], places: [u32; 2]) -> anyhow::Result<String> {
    ensure!(one.len() == another.len(), "{} statements and {}", one.len(), another.len());
    let common: BTreeSet<&String> = another.iter().flat_map(|statement| statement.values.iter().flatten()).collect();
    let mut own: Vec<&String> = Vec::new();
    for value in one.iter().flat_map(|statement| statement.values.iter().flatten()) {
        if !common.contains(value) && !own.contains(&value) {
            own.push(value);
        }
    }
    ensure!(own.len() > 2, "nothing differs between two orders");
    let mut text = String::from(
        "\\set i :i + 1\n\\set n :client_id * 1000000 + :i\n\\set p (:client_id * 5000 + :i) * 2\n\\set q :p + 1\n",
    );
    for statement in one {
        let mut sql = statement.sql.split_whitespace().collect::<Vec<_>>().join(" ");
        // The highest number first, since $1 is a prefix of $10.
        for (at, value) in statement.values.iter().enumerate().rev() {
            let written = match value {
                // The null values of an order are times.
                None => "null::bigint".to_owned(),
                Some(value) => match own.iter().position(|other| *other == value) {
                    Some(number) => new_value(value, number, places),
                    None => literal(value),
                },
            };
            sql = sql.replace(&format!("${}", at + 1), &written);
        }
        writeln!(text, "{sql};").context("writing to a string")?;
    }
    Ok(text)
}

/// An expression for a value that must differ each time.
fn new_value(value: &str, number: usize, places: [u32; 2]) -> String {
    if value.parse::<Uuid>().is_ok() {
        return format!("md5('{number}-' || :n)::uuid");
    }
    if let Ok(place) = value.parse::<u32>() {
        return match places.iter().position(|known| *known == place) {
            Some(0) => "cast(:p as bigint)".to_owned(),
            Some(_) => "cast(:q as bigint)".to_owned(),
            None => literal(value),
        };
    }
    // Outbox events and bytes may repeat, since nothing reads them here; a plain text must be unique.
    if value.starts_with(['{', '[', '\\']) { literal(value) } else { format!("({} || :n)", literal(value)) }
}

/// A value as a typed literal, since a select does not type its columns; without a colon, which `pgbench` would read as a variable.
fn literal(value: &str) -> String {
    if value.parse::<i64>().is_ok() {
        return value.to_owned();
    }
    if value.parse::<Uuid>().is_ok() {
        return format!("'{value}'::uuid");
    }
    let plain = value.replace('\\', "\\\\").replace('\'', "''").replace(':', "\\x3a");
    let kind = if value.starts_with("\\x") { "::bytea" } else { "" };
    format!("E'{plain}'{kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026 LOG:  statement: begin; set local x = 1\n2026 LOG:  execute sqlx_s_1: insert into t (id, place, note)\n\tvalues ($1, $2, $3)\n\
        2026 DETAIL:  parameters: $1 = '00000000-0000-0000-0000-00000000000A', $2 = '77701', $3 = 'it''s: {1}'\n2026 LOG:  statement: commit\n\
        2026 LOG:  execute sqlx_s_2: select 1\n2026 LOG:  statement: BEGIN\n2026 LOG:  execute sqlx_s_1: insert into t (id, place, note)\n\tvalues ($1, $2, $3)\n\
        2026 DETAIL:  parameters: $1 = '00000000-0000-0000-0000-00000000000b', $2 = '5', $3 = NULL\n2026 LOG:  statement: COMMIT\n";

    #[test]
    fn log_is_split_into_transactions() {
        let all = transactions(LOG);
        assert_eq!(all.len(), 2);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(all[0][1].sql, "insert into t (id, place, note)\nvalues ($1, $2, $3)");
        assert_eq!(all[0][1].values, [text("00000000-0000-0000-0000-00000000000A"), text("77701"), text("it's: {1}")]);
        assert_eq!(all[1][1].values[2], None);
    }

    #[test]
    fn script_has_new_values_where_they_must_differ() {
        let all = transactions(LOG);
        let script = script(&all[0], &all[1], [77_701, 77_702]).unwrap();
        let insert = script.lines().find(|line| line.starts_with("insert")).unwrap();
        assert_eq!(
            insert,
            r"insert into t (id, place, note) values (md5('0-' || :n)::uuid, cast(:p as bigint), (E'it''s\x3a {1}' || :n));"
        );
        assert!(script.ends_with("commit;\n") && script.contains("begin; set local x = 1;\n"), "{script}");
    }
}
