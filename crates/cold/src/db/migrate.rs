//! Brings the schema up to date: every file of `migrations/` once, in order, all new ones in one transaction.
//!
//! Never: a changed file (its checksum would differ), a step back, a start on a schema newer than this program.
//! To add a step: a file `NNNN_<slice>.sql` in portable DDL with the tokens of `sql.rs`, and its line in [`STEPS`].

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use super::{Db, Engine, Error, Lane, Mode, Pools, PostgresSettings, Result, postgres, sql};

/// A step of the schema.
struct Step {
    number: i64,
    name: &'static str,
    text: &'static str,
}

impl Step {
    fn checksum(&self) -> Vec<u8> {
        Sha256::digest(self.text.as_bytes()).to_vec()
    }
}

macro_rules! steps {
    ($($number:literal $name:literal,)*) => {
        &[$(Step { number: $number, name: $name, text: include_str!(concat!("../../migrations/", $name, ".sql")) },)*]
    };
}

const STEPS: &[Step] = steps! {
    10 "0010_accounts",
    20 "0020_catalog",
    30 "0030_ledger",
    40 "0040_gates",
    50 "0050_jobs",
    60 "0060_outbox",
    70 "0070_idempotency",
    100 "0100_places",
    110 "0110_orders",
    120 "0120_payments",
    130 "0130_tickets",
    150 "0150_scans",
    160 "0160_capture_grace",
    190 "0190_nodes",
    195 "0195_pulse",
    200 "0200_row_security",
    205 "0205_entry_rules",
    215 "0215_retention",
    220 "0220_analytics",
    240 "0240_memberships",
    241 "0241_quotas",
    260 "0260_row_formats",
    270 "0270_admission",
    280 "0280_sale_counts",
    290 "0290_layout_flags",
    300 "0300_session_orders",
    301 "0301_events_by_start",
    320 "0320_past_events",
    330 "0330_unpaid_by_address",
    340 "0340_unknown_past_from",
};

const HISTORY: &str = "create table if not exists schema_steps (number bigint primary key, name text not null, checksum {bytes} not null)";

const DONE: &str = "select number, checksum from schema_steps order by number";
const NOTE: &str = "insert into schema_steps (number, name, checksum) values ($1, $2, $3)";

/// Schema changes of all programs on one server wait for each other under this number; any will do.
const LOCK: i64 = 0x766f_656c_676f_6564;
/// Another node's migration is waited for so long, and a step may take so long.
const PATIENCE: Duration = Duration::from_secs(600);
/// A step waits so long for what runs on its table, since whoever comes after it waits too; then it gives way, and is repeated after a pause.
const STEP_LOCK: &str = "set local lock_timeout = '1s'";
const STEP_ATTEMPTS: u32 = 30;
const STEP_PAUSE: Duration = Duration::from_millis(500);

/// Runs the steps that this embedded database has not seen.
pub(super) async fn run(db: &Db) -> Result<()> {
    let Pools::Sqlite(sqlite) = &db.inner.pools else { return Err(Error::internal("not the embedded engine")) };
    let expand = |text: &str| sql::expand(Engine::Sqlite, text, 0).map(AssertSqlSafe);
    let (mut tx, _turn) = sqlite.begin(Lane::Desk, Mode::Write).await?;
    sqlx::raw_sql(expand(HISTORY)?).execute(&mut *tx).await?;
    let done: Vec<(i64, Vec<u8>)> = sqlx::query_as(DONE).fetch_all(&mut *tx).await?;
    if let Some((number, _)) = done.iter().find(|(number, _)| !STEPS.iter().any(|step| step.number == *number)) {
        return Err(Error::internal(format!("the database has step {number}, which this program does not know")));
    }
    let missing = missing(&done)?;
    if missing.is_empty() {
        tx.commit().await?;
        return Ok(());
    }
    // What a step deletes may be a secret: it is overwritten in the file, and the log that held it is emptied.
    sqlx::raw_sql("pragma secure_delete = on").execute(&mut *tx).await?;
    for step in missing {
        tracing::info!(slice = "cold", step = step.name, "schema step");
        sqlx::raw_sql(expand(step.text)?).execute(&mut *tx).await?;
        sqlx::query(NOTE).bind(step.number).bind(step.name).bind(step.checksum()).execute(&mut *tx).await?;
    }
    sqlx::raw_sql("pragma secure_delete = off").execute(&mut *tx).await?;
    tx.commit().await?;
    let mut connection = sqlite.writer().await?;
    sqlx::raw_sql("pragma wal_checkpoint(truncate)").execute(&mut *connection).await?;
    Ok(())
}

/// Brings the schema of a Postgres up to date, each missing step in a transaction of its own; returns the names of those that ran. Safe to run while
/// older programs serve (see `migrations/README.md`), and on several nodes at once: the others wait and find nothing to do.
///
/// # Errors
/// [`Error::Away`] or [`Error::Serialization`] where the server does not answer, or a step met transactions of the sale each time (the steps before it
/// stay; run it again); [`Error::Internal`] where the schema is not one of ours.
pub async fn migrate_postgres(settings: &PostgresSettings) -> Result<Vec<&'static str>> {
    let patient = PostgresSettings { statement: PATIENCE, lock: PATIENCE, ..settings.clone() };
    let mut connection = connect(&patient).await?;
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await?;
    sqlx::raw_sql(sql::expand(Engine::Postgres, HISTORY, 0).map(AssertSqlSafe)?).execute(&mut connection).await?;
    let done: Vec<(i64, Vec<u8>)> = sqlx::query_as(DONE).fetch_all(&mut connection).await?;
    let missing = missing(&done)?;
    for step in &missing {
        tracing::info!(slice = "cold", step = step.name, "schema step");
        let mut attempt = 1;
        while let Err(error) = run_step(&mut connection, step).await {
            if attempt == STEP_ATTEMPTS || !matches!(error, Error::Serialization(_) | Error::Away(_)) {
                return Err(error);
            }
            tracing::info!(%error, attempt, slice = "cold", step = step.name, "a schema step gives way and is repeated");
            tokio::time::sleep(STEP_PAUSE).await;
            attempt += 1;
        }
    }
    connection.close().await?;
    Ok(missing.into_iter().map(|step| step.name).collect())
}

/// One step with its note, or nothing of it.
async fn run_step(connection: &mut PgConnection, step: &Step) -> Result<()> {
    let mut tx = connection.begin().await?;
    sqlx::raw_sql(STEP_LOCK).execute(&mut *tx).await?;
    sqlx::raw_sql("set local voelgoed.system = 'migration'").execute(&mut *tx).await?;
    sqlx::raw_sql(sql::expand(Engine::Postgres, step.text, 0).map(AssertSqlSafe)?).execute(&mut *tx).await?;
    sqlx::query(NOTE).bind(step.number).bind(step.name).bind(step.checksum()).execute(&mut *tx).await?;
    tx.commit().await.map_err(|error| Error::from(error).at_commit())
}

/// Refuses what must not be served on: a role that row security does not hold for, commits that are not on disk when they are answered, a schema
/// that is behind this program, or so far ahead that this program is too old for it.
pub(super) async fn check_postgres(settings: &PostgresSettings) -> Result<()> {
    let mut connection = connect(settings).await?;
    let (above, sync, steps): (bool, String, bool) = sqlx::query_as(
        "select rolsuper or rolbypassrls, current_setting('synchronous_commit'), to_regclass('schema_steps') is not null
         from pg_roles where rolname = current_user",
    )
    .fetch_one(&mut connection)
    .await?;
    if above {
        return Err(Error::internal(
            "this role of Postgres is above row security; serve with one that is no superuser",
        ));
    }
    if sync == "off" {
        return Err(Error::internal("synchronous_commit is off: what was answered could be lost (P3)"));
    }
    let done = match steps {
        true => sqlx::query_as(DONE).fetch_all(&mut connection).await?,
        false => Vec::new(),
    };
    if let Some(step) = missing(&done)?.first() {
        return Err(Error::internal(format!("the schema lacks the step {}; run `voelgoed migrate`", step.name)));
    }
    let (floor,): (i64,) = sqlx::query_as("select max(step) from schema_floor").fetch_one(&mut connection).await?;
    if STEPS.iter().all(|step| step.number < floor) {
        return Err(Error::internal(format!(
            "the schema needs a program that knows its step {floor}; this one is older"
        )));
    }
    connection.close().await?;
    Ok(())
}

/// One connection outside of every pool.
pub(crate) async fn connect(settings: &PostgresSettings) -> Result<PgConnection> {
    let options = postgres::options(&settings.url, settings)?.application_name("voelgoed schema");
    let connecting = tokio::time::timeout(settings.acquire, options.connect());
    let connection = connecting.await.map_err(|_| Error::Away("Postgres does not answer".to_owned()))?;
    Ok(connection?)
}

/// The steps that were not run; those that were must be the ones that this program knows under their number.
fn missing(done: &[(i64, Vec<u8>)]) -> Result<Vec<&'static Step>> {
    let mut missing = Vec::new();
    for step in STEPS {
        match done.iter().find(|(number, _)| *number == step.number) {
            Some((_, was)) if *was == step.checksum() => {}
            Some(_) => {
                return Err(Error::internal(format!("the step {} differs from the one that was run", step.name)));
            }
            None => missing.push(step),
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_in_order_and_named_by_their_number() {
        assert!(STEPS.is_sorted_by_key(|step| step.number));
        for step in STEPS {
            assert_eq!(format!("{:04}", step.number), step.name[..4], "{}", step.name);
        }
    }
}
