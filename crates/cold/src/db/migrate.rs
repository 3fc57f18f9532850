//! Migrates the schema: runs every file of `migrations/` once and in order, and records its number and checksum in `schema_steps`.
//!
//! SQLite runs all missing steps in one transaction, Postgres each in one of its own.
//! Never: a changed file (its checksum would differ), a step back, a start on a schema newer than this program.
//! To add a step: a file `NNNN_<slice>.sql` in portable DDL with the tokens of `sql.rs`, and its line in [`STEPS`].

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use super::postgres_connections::connect_options;
use super::{Db, DbError, DbResult, Engine, PoolClass, Pools, PostgresSettings, TxMode, sql};

/// A file of `migrations/`.
struct SchemaStep {
    number: i64,
    name: &'static str,
    text: &'static str,
}

impl SchemaStep {
    fn checksum(&self) -> Vec<u8> {
        Sha256::digest(self.text.as_bytes()).to_vec()
    }
}

macro_rules! steps {
    ($($number:literal $name:literal,)*) => {
        &[$(SchemaStep { number: $number, name: $name, text: include_str!(concat!("../../migrations/", $name, ".sql")) },)*]
    };
}

const STEPS: &[SchemaStep] = steps! {
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

const CREATE_STEPS_TABLE: &str = "create table if not exists schema_steps (number bigint primary key, name text not null, checksum {bytes} not null)";

const STEPS_DONE: &str = "select number, checksum from schema_steps order by number";
const RECORD_STEP: &str = "insert into schema_steps (number, name, checksum) values ($1, $2, $3)";

/// The advisory lock under which the migrations of several nodes wait for each other. The number is arbitrary.
const MIGRATION_LOCK: i64 = 0x766f_656c_676f_6564;
/// The limit of a step, and of the wait for the migration of another node.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(600);
/// A waiting `alter table` blocks every later statement on its table, so a step waits only briefly for its locks and is then retried.
const SET_STEP_LOCK_TIMEOUT: &str = "set local lock_timeout = '1s'";
const STEP_ATTEMPTS_MAX: u32 = 30;
const STEP_RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Runs the missing steps on the embedded database.
pub(super) async fn run(db: &Db) -> DbResult<()> {
    let Pools::Sqlite(sqlite) = &db.inner.pools else { return Err(DbError::internal("not the embedded engine")) };
    let expand = |text: &str| sql::expand(Engine::Sqlite, text, 0).map(AssertSqlSafe);
    let (mut tx, _permit) = sqlite.begin(PoolClass::Desk, TxMode::Write).await?;
    sqlx::raw_sql(expand(CREATE_STEPS_TABLE)?).execute(&mut *tx).await?;
    let done: Vec<(i64, Vec<u8>)> = sqlx::query_as(STEPS_DONE).fetch_all(&mut *tx).await?;
    if let Some((number, _)) = done.iter().find(|(number, _)| !STEPS.iter().any(|step| step.number == *number)) {
        return Err(DbError::internal(format!("the database has step {number}, which this program does not know")));
    }
    let missing = missing(&done)?;
    if missing.is_empty() {
        tx.commit().await?;
        return Ok(());
    }
    // A step may delete secrets: their pages are overwritten in the file, and the write-ahead log that held them is truncated below.
    sqlx::raw_sql("pragma secure_delete = on").execute(&mut *tx).await?;
    for step in missing {
        tracing::info!(slice = "cold", step = step.name, "schema step");
        sqlx::raw_sql(expand(step.text)?).execute(&mut *tx).await?;
        sqlx::query(RECORD_STEP).bind(step.number).bind(step.name).bind(step.checksum()).execute(&mut *tx).await?;
    }
    sqlx::raw_sql("pragma secure_delete = off").execute(&mut *tx).await?;
    tx.commit().await?;
    let mut connection = sqlite.writer().await?;
    sqlx::raw_sql("pragma wal_checkpoint(truncate)").execute(&mut *connection).await?;
    Ok(())
}

/// Migrates a Postgres, each missing step in a transaction of its own, and returns the names of the steps that ran. Safe to run while older programs
/// serve (see `migrations/README.md`), and on several nodes at once: one migrates, the others wait and find nothing to do.
///
/// # Errors
/// [`DbError::Unavailable`] or [`DbError::Serialization`] where the server does not answer, or a step got no lock in any attempt (the steps before it
/// stay; run the migration again); [`DbError::Internal`] where the schema is not one of this program.
pub async fn migrate_postgres(settings: &PostgresSettings) -> DbResult<Vec<&'static str>> {
    let with_timeouts =
        PostgresSettings { statement_timeout: MIGRATION_TIMEOUT, lock_timeout: MIGRATION_TIMEOUT, ..settings.clone() };
    let mut connection = connect(&with_timeouts).await?;
    sqlx::query("select pg_advisory_lock($1)").bind(MIGRATION_LOCK).execute(&mut connection).await?;
    sqlx::raw_sql(sql::expand(Engine::Postgres, CREATE_STEPS_TABLE, 0).map(AssertSqlSafe)?)
        .execute(&mut connection)
        .await?;
    let done: Vec<(i64, Vec<u8>)> = sqlx::query_as(STEPS_DONE).fetch_all(&mut connection).await?;
    let missing = missing(&done)?;
    for step in &missing {
        tracing::info!(slice = "cold", step = step.name, "schema step");
        let mut attempt = 1;
        while let Err(error) = run_step(&mut connection, step).await {
            if attempt == STEP_ATTEMPTS_MAX || !matches!(error, DbError::Serialization(_) | DbError::Unavailable(_)) {
                return Err(error);
            }
            tracing::info!(%error, attempt, slice = "cold", step = step.name, "a schema step got no lock and is retried");
            tokio::time::sleep(STEP_RETRY_INTERVAL).await;
            attempt += 1;
        }
    }
    connection.close().await?;
    Ok(missing.into_iter().map(|step| step.name).collect())
}

/// Runs a step and records it, in one transaction.
async fn run_step(connection: &mut PgConnection, step: &SchemaStep) -> DbResult<()> {
    let mut tx = connection.begin().await?;
    sqlx::raw_sql(SET_STEP_LOCK_TIMEOUT).execute(&mut *tx).await?;
    sqlx::raw_sql("set local voelgoed.system = 'migration'").execute(&mut *tx).await?;
    sqlx::raw_sql(sql::expand(Engine::Postgres, step.text, 0).map(AssertSqlSafe)?).execute(&mut *tx).await?;
    sqlx::query(RECORD_STEP).bind(step.number).bind(step.name).bind(step.checksum()).execute(&mut *tx).await?;
    tx.commit().await.map_err(|error| DbError::from(error).during_commit())
}

/// Refuses to serve with a role that bypasses row security, with commits that do not wait for the disk, or on a schema that is older than this program
/// or whose `schema_floor` is newer.
pub(super) async fn check_postgres(settings: &PostgresSettings) -> DbResult<()> {
    let mut connection = connect(settings).await?;
    let (bypasses_row_security, synchronous_commit, has_steps): (bool, String, bool) = sqlx::query_as(
        "select rolsuper or rolbypassrls, current_setting('synchronous_commit'), to_regclass('schema_steps') is not null
         from pg_roles where rolname = current_user",
    )
    .fetch_one(&mut connection)
    .await?;
    if bypasses_row_security {
        return Err(DbError::internal(
            "this role of Postgres bypasses row security; serve with a role that is no superuser",
        ));
    }
    if synchronous_commit == "off" {
        return Err(DbError::internal(
            "synchronous_commit is off: acknowledged sales could be lost (P3); switch it on",
        ));
    }
    let done = match has_steps {
        true => sqlx::query_as(STEPS_DONE).fetch_all(&mut connection).await?,
        false => Vec::new(),
    };
    if let Some(step) = missing(&done)?.first() {
        return Err(DbError::internal(format!("the schema lacks the step {}; run `voelgoed migrate`", step.name)));
    }
    let (floor,): (i64,) = sqlx::query_as("select max(step) from schema_floor").fetch_one(&mut connection).await?;
    if STEPS.iter().all(|step| step.number < floor) {
        return Err(DbError::internal(format!(
            "the schema needs a program that knows its step {floor}; this one is older"
        )));
    }
    connection.close().await?;
    Ok(())
}

/// Opens one connection outside of every pool.
pub(crate) async fn connect(settings: &PostgresSettings) -> DbResult<PgConnection> {
    let options = connect_options(&settings.url, settings)?.application_name("voelgoed schema");
    let connecting = tokio::time::timeout(settings.acquire_timeout, options.connect());
    let connection = connecting.await.map_err(|_| DbError::Unavailable("Postgres does not answer".to_owned()))?;
    Ok(connection?)
}

/// The steps that have not run. Refuses a step that has run with another text than this program's.
fn missing(done: &[(i64, Vec<u8>)]) -> DbResult<Vec<&'static SchemaStep>> {
    let mut missing = Vec::new();
    for step in STEPS {
        match done.iter().find(|(number, _)| *number == step.number) {
            Some((_, was)) if *was == step.checksum() => {}
            Some(_) => {
                return Err(DbError::internal(format!(
                    "the step {} differs from the one that has run; migrations are never edited",
                    step.name
                )));
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
    fn steps_are_in_order_and_their_names_begin_with_their_numbers() {
        assert!(STEPS.is_sorted_by_key(|step| step.number));
        for step in STEPS {
            assert_eq!(format!("{:04}", step.number), step.name[..4], "{}", step.name);
        }
    }
}
