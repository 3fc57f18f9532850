//! Sums the postings of an organization per account and currency; no balance is stored.

use voelgoed_app::ledger::ports::Balance;
use voelgoed_domain::ids::OrganizationId;

use crate::catalog::currency;
use crate::db::{Db, DbResult, Sql, binds, sql};

const BALANCES: Sql = sql(
    "ledger.balances",
    "select account, currency, cast(sum(amount) as bigint) as amount from journal_postings
     where organization_id = $1 group by account, currency order by account, currency",
);

pub(super) async fn balances(db: &Db, organization: OrganizationId) -> DbResult<Vec<Balance>> {
    let rows: Vec<(String, String, i64)> = db.fetch_all(organization, BALANCES, binds![organization]).await?;
    rows.into_iter()
        .map(|(account, code, amount)| Ok(Balance { account, currency: currency(&code)?, amount }))
        .collect()
}
