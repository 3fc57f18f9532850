//! Reads the funnel of an event per minute; orders and entries are counted from their own tables, so no second count can diverge.

use std::collections::BTreeMap;

use voelgoed_app::analytics::ports::FunnelMinute;
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use crate::db::{Db, DbResult, Sql, binds, sql};

const COUNTED: Sql = sql(
    "analytics.counted",
    "select minute, cast(sum(viewed) as bigint), cast(sum(held) as bigint), cast(sum(refused) as bigint) from counts
     where organization_id = $1 and event_id = $2 and minute >= $3 and minute < $4 group by minute",
);
const ORDERED: Sql = sql(
    "analytics.ordered",
    "select created_at - created_at % 60000000 as minute, count(*) from orders
     where organization_id = $1 and event_id = $2 and created_at >= $3 and created_at < $4 group by minute",
);
const PAID: Sql = sql(
    "analytics.paid",
    "select paid_at - paid_at % 60000000 as minute, count(*) from orders
     where organization_id = $1 and event_id = $2 and paid_at >= $3 and paid_at < $4 group by minute",
);
const ADMITTED: Sql = sql(
    "analytics.admitted",
    "select e.at - e.at % 60000000 as minute, count(*) from entries e
     join tickets t on t.organization_id = e.organization_id and t.id = e.ticket_id
     where e.organization_id = $1 and t.event_id = $2 and e.entry_no = 1 and e.at >= $3 and e.at < $4 group by minute",
);

pub(super) async fn funnel(
    db: &Db,
    organization: OrganizationId,
    event: EventId,
    from: Timestamp,
    to: Timestamp,
) -> DbResult<Vec<FunnelMinute>> {
    let mut minutes = BTreeMap::<i64, FunnelMinute>::new();
    let mut tx = db.snapshot(organization).await?;
    let binds = || binds![organization, event, from, to];
    for (at, viewed, held, refused) in tx.fetch_all::<(i64, i64, i64, i64)>(COUNTED, binds()).await? {
        let minute = minutes.entry(at).or_default();
        (minute.viewed, minute.held, minute.refused) =
            (u64::try_from(viewed)?, u64::try_from(held)?, u64::try_from(refused)?);
    }
    for (statement, figure) in [
        (ORDERED, (|minute| &mut minute.ordered) as fn(&mut FunnelMinute) -> &mut u64),
        (PAID, |minute| &mut minute.paid),
        (ADMITTED, |minute| &mut minute.admitted),
    ] {
        for (at, count) in tx.fetch_all::<(i64, i64)>(statement, binds()).await? {
            *figure(minutes.entry(at).or_default()) = u64::try_from(count)?;
        }
    }
    tx.rollback().await?;
    Ok(minutes.into_iter().map(|(at, minute)| FunnelMinute { at: Timestamp::from_micros(at), ..minute }).collect())
}
