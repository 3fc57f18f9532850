//! Splits the money of an order into net, fee and tax, and computes from the journal how much of each is left to refund (P5).

use voelgoed_app::checkout::ports::{Order, OrderLine};
use voelgoed_domain::checkout::amount_parts::{AmountParts, LineAmounts, TaxPlacement};
use voelgoed_domain::ids::{OrderId, OrganizationId};
use voelgoed_domain::ledger::account::Account;
use voelgoed_domain::ledger::entry::parts_left;

use crate::db::{DbError, DbResult, Sql, Tx, binds, sql};

const POSTINGS: Sql = sql(
    "payments.postings_of_order",
    "select p.account, p.amount from journal_entries e
     join journal_postings p on p.organization_id = e.organization_id and p.entry_id = e.id
     where e.organization_id = $1 and e.order_id = $2",
);

/// The parts of the money of those lines that `of` selects.
pub(super) fn parts<'a>(
    order: &Order,
    lines: impl IntoIterator<Item = &'a OrderLine>,
    of: impl Fn(&OrderLine) -> bool,
) -> DbResult<AmountParts> {
    let amounts = |line: &OrderLine| LineAmounts { price: line.price, fee: line.fee, tax: line.tax };
    let lines: Vec<&OrderLine> = lines.into_iter().collect();
    let all: Vec<LineAmounts> = lines.iter().map(|line| amounts(line)).collect();
    let placement = TaxPlacement::of_order(&all, order.total.amount).map_err(DbError::internal)?;
    let selected: Vec<LineAmounts> = lines.iter().filter(|line| of(line)).map(|line| amounts(line)).collect();
    Ok(AmountParts::of_lines(&selected, placement))
}

/// The parts of an order's money that are not refunded yet.
pub(super) async fn left(tx: &mut Tx, organization: OrganizationId, order: OrderId) -> DbResult<AmountParts> {
    let rows: Vec<(String, i64)> = tx.fetch_all(POSTINGS, binds![organization, order]).await?;
    let postings = rows
        .into_iter()
        .map(|(account, amount)| Ok((account.parse::<Account>()?, amount)))
        .collect::<DbResult<Vec<_>>>()?;
    Ok(parts_left(postings.iter().map(|(account, amount)| (account, *amount))))
}
