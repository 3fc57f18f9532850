//! Answers of creating requests, written in the same commit as what they tell of (P3, P8).
//!
//! Never: a second creation under one key, an answer that outlives its creation or the other way round, an answer that is not sealed. A creating
//! operation calls [`note`] first in its transaction; where that answers, nothing else is to be done.

use async_trait::async_trait;
use bytes::Bytes;
use voelgoed_app::checkout::ports::IdempotencyStore;
use voelgoed_app::error::{Error as AppError, Fault, StoreResult};
use voelgoed_app::idempotency::{Created, IdempotencyKey, IdempotencyRecord, KEPT_FOR, replay};
use voelgoed_app::sealing::Sealer;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;
use voelgoed_planted::{Bug, planted};

use crate::Cold;
use crate::db::{self, Db, Error, Sql, Tx, binds, sql};

/// A record that is over gives way to a new one.
const NOTE: Sql = sql(
    "idempotency.note",
    "insert into idempotency (organization_id, scope, key, request, answer, at) values ($1, $2, $3, $4, $5, $6)
     on conflict (organization_id, scope, key) do update
     set request = excluded.request, answer = excluded.answer, at = excluded.at where idempotency.at <= $7",
);
/// Its age is not asked for, so that no engine searches by it.
const FIND: Sql = sql(
    "idempotency.find",
    "select request, answer, at from idempotency where organization_id = $1 and scope = $2 and key = $3",
);

/// Request digest, sealed answer, moment.
pub(crate) type Row = (Vec<u8>, Vec<u8>, i64);

/// Notes the request in the caller's transaction, before anything else of it. Some answer means that the request is a repeat (or clashes with
/// another one under its key): drop the transaction and return the answer.
pub(crate) async fn note<T>(
    tx: &mut Tx,
    organization: OrganizationId,
    record: Option<&IdempotencyRecord>,
) -> db::Result<Option<Result<Created<T>, Refusal>>> {
    let Some(record) = record.filter(|_| !planted(Bug::RecordNotNoted)) else {
        return Ok(None);
    };
    let IdempotencyRecord { key, at, .. } = record;
    let over = at.minus(KEPT_FOR);
    let answer = tx.sealer()?.seal(organization, record).map_err(Error::internal)?;
    let binds = binds![organization, &key.scope, &key.key, key.request, answer, *at, over];
    if tx.execute(NOTE, binds).await? == 1 {
        return Ok(None);
    }
    let found = tx.fetch_optional::<Row>(FIND, binds![organization, &key.scope, &key.key]).await?;
    let row = found
        .filter(|(.., at)| is_kept(*at, over))
        .ok_or_else(|| Error::internal("an idempotency record was there and is not"))?;
    answer_of(stored(tx.sealer()?, organization, key, row)?, key).map(Some)
}

/// What was answered to this request before, outside of any transaction.
pub(crate) async fn answered<T>(
    db: &Db,
    organization: OrganizationId,
    key: &IdempotencyKey,
    now: Timestamp,
) -> db::Result<Option<Result<Created<T>, Refusal>>> {
    let found = db.fetch_optional::<Row>(organization, FIND, binds![organization, &key.scope, &key.key]).await?;
    let Some(row) = found.filter(|(.., at)| is_kept(*at, now.minus(KEPT_FOR))) else { return Ok(None) };
    answer_of(stored(db.sealer()?, organization, key, row)?, key).map(Some)
}

fn answer_of<T>(record: IdempotencyRecord, asked: &IdempotencyKey) -> db::Result<Result<Created<T>, Refusal>> {
    match replay(record, &asked.request) {
        Ok(created) => Ok(Ok(created)),
        Err(AppError::Refused(refusal)) => Ok(Err(refusal)),
        Err(AppError::Fault(fault)) => Err(Error::internal(fault)),
    }
}

/// False where a record of `at` is over, and only not deleted yet.
pub(crate) fn is_kept(at: i64, over: Timestamp) -> bool {
    at > over.micros()
}

/// The record that a row keeps. An answer to another request is left sealed, since nobody is given it.
pub(crate) fn stored(
    sealer: &Sealer,
    organization: OrganizationId,
    asked: &IdempotencyKey,
    (request, answer, at): Row,
) -> db::Result<IdempotencyRecord> {
    let request = request.try_into().map_err(|_| Error::internal("a stored request digest is not 32 bytes"))?;
    let key = IdempotencyKey { request, ..asked.clone() };
    let sealed = IdempotencyRecord { key, answer: Bytes::from(answer), at: Timestamp::from_micros(at) };
    match request == asked.request || planted(Bug::KeyReused) {
        true => sealer.open(organization, sealed).map_err(Error::internal),
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
        let binds = binds![organization, &key.scope, &key.key];
        let found = self.db.fetch_optional::<Row>(organization, FIND, binds).await?;
        let sealer = self.db.sealer()?;
        found
            .filter(|(.., at)| is_kept(*at, now.minus(KEPT_FOR)))
            .map(|row| stored(sealer, organization, key, row))
            .transpose()
            .map_err(Fault::from)
    }
}
