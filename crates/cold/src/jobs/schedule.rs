//! Claims the occurrences of schedules: the store's row decides who of all runners enqueues one.

use std::time::Duration;

use voelgoed_domain::time::Timestamp;

use crate::db::{Db, Error, Result, Sql, System, binds, sql};

const NEXT: Sql = sql("schedules.next", "select next_at from schedules where name = $1");
/// True for one caller: whoever comes second finds `next_at` moved.
const CLAIM: Sql = sql(
    "schedules.claim",
    "insert into schedules (name, next_at) values ($1, $2)
     on conflict (name) do update set next_at = excluded.next_at where schedules.next_at <= $3",
);

pub(super) async fn claim(db: &Db, name: &'static str, period: Duration, now: Timestamp) -> Result<bool> {
    let next =
        db.fetch_optional::<(i64,)>(System::Jobs, NEXT, binds![name]).await?.map(|(at,)| Timestamp::from_micros(at));
    if next.is_some_and(|at| at > now) {
        return Ok(false);
    }
    let moved = following(next.unwrap_or(now), period, now)?;
    let mut tx = db.begin(System::Jobs).await?;
    let claimed = tx.execute(CLAIM, binds![name, moved, now]).await?;
    tx.commit().await?;
    Ok(claimed == 1)
}

/// The first moment after `now` that is whole periods after `at`.
fn following(at: Timestamp, period: Duration, now: Timestamp) -> Result<Timestamp> {
    let period = i64::try_from(period.as_micros())?;
    let behind = now.micros().saturating_sub(at.micros());
    let periods = behind.checked_div(period).ok_or_else(|| Error::internal("a schedule has a period of zero"))? + 1;
    Ok(Timestamp::from_micros(at.micros().saturating_add(period.saturating_mul(periods))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_moment_keeps_the_beat() {
        let second = |n: i64| Timestamp::from_micros(n * 1_000_000);
        for (at, period, now, expected) in
            [(0, 10, 0, 10), (0, 10, 9, 10), (0, 10, 10, 20), (0, 10, 35, 40), (7, 5, 7, 12)]
        {
            assert_eq!(following(second(at), Duration::from_secs(period), second(now)).unwrap(), second(expected));
        }
        assert!(following(second(0), Duration::ZERO, second(0)).is_err());
    }
}
