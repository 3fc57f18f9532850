//! Brings the schema up to date: every file of `migrations/` once, in order, all new ones in one transaction.
//!
//! Never: a changed file (its checksum would differ), a step back, a start on a schema newer than this program.
//! To add a step: a file `NNNN_<slice>.sql` in portable DDL with the tokens of `sql.rs`, and its line in [`STEPS`].

use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;

use super::{Db, Error, Pools, Result, sql};

/// A step of the schema.
struct Step {
    number: i64,
    name: &'static str,
    text: &'static str,
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
};

const HISTORY: &str = "create table if not exists schema_steps (number bigint primary key, name text not null, checksum {bytes} not null)";

/// Runs the steps that this database has not seen.
pub(super) async fn run(db: &Db) -> Result<()> {
    let Pools::Sqlite(sqlite) = &db.0.pools;
    let expand = |text: &str| sql::expand(db.engine(), text, 0).map(AssertSqlSafe);
    let mut tx = sqlite.begin_write().await?;
    sqlx::raw_sql(expand(HISTORY)?).execute(&mut *tx).await?;
    let done: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("select number, checksum from schema_steps order by number").fetch_all(&mut *tx).await?;
    if let Some((number, _)) = done.iter().find(|(number, _)| !STEPS.iter().any(|step| step.number == *number)) {
        return Err(Error::internal(format!("the database has step {number}, which this program does not know")));
    }
    for step in STEPS {
        let checksum = Sha256::digest(step.text.as_bytes()).to_vec();
        match done.iter().find(|(number, _)| *number == step.number) {
            Some((_, was)) if *was == checksum => continue,
            Some(_) => {
                return Err(Error::internal(format!("the step {} differs from the one that was run", step.name)));
            }
            None => {}
        }
        tracing::info!(slice = "cold", step = step.name, "schema step");
        sqlx::raw_sql(expand(step.text)?).execute(&mut *tx).await?;
        sqlx::query("insert into schema_steps (number, name, checksum) values ($1, $2, $3)")
            .bind(step.number)
            .bind(step.name)
            .bind(checksum)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
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
