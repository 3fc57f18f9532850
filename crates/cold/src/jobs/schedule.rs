//! Claims an occurrence of a schedule by a conditional update, so that one runner of all enqueues its job.

use std::time::Duration;

use voelgoed_domain::time::Timestamp;

use crate::db::{Db, DbError, DbResult, Sql, SystemRole, binds, sql};

const NEXT: Sql = sql("schedules.next", "select next_at from schedules where name = $1");
/// Affects a row for one caller only: the second one finds `next_at` moved.
const CLAIM: Sql = sql(
    "schedules.claim",
    "insert into schedules (name, next_at) values ($1, $2)
     on conflict (name) do update set next_at = excluded.next_at where schedules.next_at <= $3",
);

pub(super) async fn claim(db: &Db, name: &'static str, period: Duration, now: Timestamp) -> DbResult<bool> {
    let next = db
        .fetch_optional::<(i64,)>(SystemRole::Jobs, NEXT, binds![name])
        .await?
        .map(|(at,)| Timestamp::from_micros(at));
    if next.is_some_and(|at| at > now) {
        return Ok(false);
    }
    let moved = next_after(next.unwrap_or(now), period, now)?;
    let mut tx = db.begin(SystemRole::Jobs).await?;
    let claimed = tx.execute(CLAIM, binds![name, moved, now]).await?;
    tx.commit().await?;
    Ok(claimed == 1)
}

/// The first moment after `now` that is whole periods after `at`.
fn next_after(at: Timestamp, period: Duration, now: Timestamp) -> DbResult<Timestamp> {
    let period = i64::try_from(period.as_micros())?;
    let behind = now.micros().saturating_sub(at.micros());
    let periods = behind.checked_div(period).ok_or_else(|| DbError::internal("a schedule has a period of zero"))? + 1;
    Ok(Timestamp::from_micros(at.micros().saturating_add(period.saturating_mul(periods))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_occurrence_is_a_whole_number_of_periods_after_the_last() {
        let second = |n: i64| Timestamp::from_micros(n * 1_000_000);
        for (at, period, now, expected) in
            [(0, 10, 0, 10), (0, 10, 9, 10), (0, 10, 10, 20), (0, 10, 35, 40), (7, 5, 7, 12)]
        {
            assert_eq!(next_after(second(at), Duration::from_secs(period), second(now)).unwrap(), second(expected));
        }
        assert!(next_after(second(0), Duration::ZERO, second(0)).is_err());
    }
}
