//! Records the answer of a creating request under its idempotency key, in the commit of the creation, and replays it for a repeated request (P3, P8).
//!
//! Never: a second creation under one key, an answer without its creation or the other way round, an unsealed answer. A creating operation calls
//! [`record_or_replay`] first in its transaction; if that returns an answer, the operation is finished.

use async_trait::async_trait;
use bytes::Bytes;
use voelgoed_app::error::{CommandError, Fault, StoreResult};
use voelgoed_app::idempotency::{
    ANSWER_RETENTION, Created, IdempotencyKey, IdempotencyRecord, IdempotencyStore, replay,
};
use voelgoed_app::sealing::Sealer;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use crate::Cold;
use crate::db::{self, Db, DbError, Sql, Tx, binds, sql};

/// An expired record is replaced.
const RECORD: Sql = sql(
    "idempotency.note",
    "insert into idempotency (organization_id, scope, key, request, answer, at) values ($1, $2, $3, $4, $5, $6)
     on conflict (organization_id, scope, key) do update
     set request = excluded.request, answer = excluded.answer, at = excluded.at where idempotency.at <= $7",
);
/// Without a condition on the age, so that no engine uses the index by age.
const FIND: Sql = sql(
    "idempotency.find",
    "select request, answer, at from idempotency where organization_id = $1 and scope = $2 and key = $3",
);

/// Request digest, sealed answer, time in microseconds.
pub(crate) type IdempotencyRow = (Vec<u8>, Vec<u8>, i64);

/// Records the request in the caller's transaction, before any other write. An answer means that the request is a repeat, or conflicts with another
/// request under its key: drop the transaction and return the answer.
pub(crate) async fn record_or_replay<T>(
    tx: &mut Tx,
    organization: OrganizationId,
    record: Option<&IdempotencyRecord>,
) -> db::DbResult<Option<Result<Created<T>, Refusal>>> {
    let Some(record) = record else {
        return Ok(None);
    };
    let IdempotencyRecord { key, at, .. } = record;
    let expired_before = at.minus(ANSWER_RETENTION);
    let answer = tx.sealer()?.seal(organization, record).map_err(DbError::internal)?;
    let binds = binds![organization, &key.caller, &key.key, key.request, answer, *at, expired_before];
    if tx.execute(RECORD, binds).await? == 1 {
        return Ok(None);
    }
    let found = tx.fetch_optional::<IdempotencyRow>(FIND, binds![organization, &key.caller, &key.key]).await?;
    let row = found
        .filter(|(.., at)| is_current(*at, expired_before))
        .ok_or_else(|| DbError::internal("an idempotency record conflicted and was not found"))?;
    replayed_result(open_record(tx.sealer()?, organization, key, row)?, key).map(Some)
}

/// The recorded answer of a request, read outside a transaction.
pub(crate) async fn find_result<T>(
    db: &Db,
    organization: OrganizationId,
    key: &IdempotencyKey,
    now: Timestamp,
) -> db::DbResult<Option<Result<Created<T>, Refusal>>> {
    let found =
        db.fetch_optional::<IdempotencyRow>(organization, FIND, binds![organization, &key.caller, &key.key]).await?;
    let Some(row) = found.filter(|(.., at)| is_current(*at, now.minus(ANSWER_RETENTION))) else { return Ok(None) };
    replayed_result(open_record(db.sealer()?, organization, key, row)?, key).map(Some)
}

fn replayed_result<T>(record: IdempotencyRecord, wanted: &IdempotencyKey) -> db::DbResult<Result<Created<T>, Refusal>> {
    match replay(record, &wanted.request) {
        Ok(created) => Ok(Ok(created)),
        Err(CommandError::Refused(refusal)) => Ok(Err(refusal)),
        Err(CommandError::Fault(fault)) => Err(DbError::internal(fault)),
    }
}

/// False where a record of `at` has expired and is not deleted yet.
pub(crate) fn is_current(at: i64, expired_before: Timestamp) -> bool {
    at > expired_before.micros()
}

/// Opens the record of a row. The answer of another request stays sealed, because it is not returned.
pub(crate) fn open_record(
    sealer: &Sealer,
    organization: OrganizationId,
    asked: &IdempotencyKey,
    (request, answer, at): IdempotencyRow,
) -> db::DbResult<IdempotencyRecord> {
    let request = request.try_into().map_err(|_| DbError::internal("a stored request digest is not 32 bytes"))?;
    let key = IdempotencyKey { request, ..asked.clone() };
    let sealed = IdempotencyRecord { key, answer: Bytes::from(answer), at: Timestamp::from_micros(at) };
    match request == asked.request {
        true => sealer.open(organization, sealed).map_err(DbError::internal),
        false => Ok(sealed),
    }
}

#[async_trait]
impl IdempotencyStore for Cold {
    async fn find(
        &self,
        organization: OrganizationId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> StoreResult<Option<IdempotencyRecord>> {
        let binds = binds![organization, &key.caller, &key.key];
        let found = self.db.fetch_optional::<IdempotencyRow>(organization, FIND, binds).await?;
        let sealer = self.db.sealer()?;
        found
            .filter(|(.., at)| is_current(*at, now.minus(ANSWER_RETENTION)))
            .map(|row| open_record(sealer, organization, key, row))
            .transpose()
            .map_err(Fault::from)
    }
}
