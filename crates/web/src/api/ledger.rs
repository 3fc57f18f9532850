//! Shows the balances and the entries of an organization's journal.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::ledger::Ledger;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{EntryId, EventId, OrderId};
use voelgoed_domain::money::Money;
use voelgoed_domain::time::Timestamp;

use super::money::MoneyDto;
use super::paging::{ListDto, ListParams};
use crate::extract::{Organizer, QueryParams};
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(accounts), Access::Organizer(Scope::Finance), Ledger::NAME).class(Class::Report),
        api(routes!(entries), Access::Organizer(Scope::Finance), Ledger::NAME).class(Class::Report),
    ]
}

/// An account's balance in one currency; debits are positive.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceDto {
    account: String,
    balance: MoneyDto,
}

/// A journal entry; its postings sum to zero.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryDto {
    #[schema(value_type = String)]
    id: EntryId,
    /// `sale`, `refund`, …
    kind: String,
    #[schema(value_type = String)]
    event: EventId,
    #[schema(value_type = String)]
    order: OrderId,
    postings: Vec<PostingDto>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// A posting; debits are positive.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostingDto {
    account: String,
    amount: MoneyDto,
}

/// Every account's balance.
#[utoipa::path(get, path = "/api/v1/ledger/accounts", tag = "ledger",
    responses((status = 200, body = ListDto<BalanceDto>), (status = 403, body = Problem)))]
pub async fn accounts(
    State(ledger): State<Arc<Ledger>>,
    caller: Organizer,
) -> HandlerResult<Json<ListDto<BalanceDto>>> {
    let found = ledger.store.balances(caller.organization).await?;
    let render = |found: voelgoed_app::ledger::ports::Balance| BalanceDto {
        balance: Money::new(found.amount, found.currency).into(),
        account: found.account,
    };
    Ok(Json(ListDto::whole(found.into_iter().map(render).collect())))
}

/// The journal, oldest first.
#[utoipa::path(get, path = "/api/v1/ledger/entries", params(ListParams), tag = "ledger",
    responses((status = 200, body = ListDto<EntryDto>), (status = 403, body = Problem)))]
pub async fn entries(
    State(ledger): State<Arc<Ledger>>,
    caller: Organizer,
    QueryParams(params): QueryParams<ListParams>,
) -> HandlerResult<Json<ListDto<EntryDto>>> {
    let found = ledger.store.entries(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |entry| {
        let amount = |amount| MoneyDto::from(Money::new(amount, entry.currency));
        let postings = entry
            .postings
            .into_iter()
            .map(|posting| PostingDto { amount: amount(posting.amount), account: posting.account });
        EntryDto {
            id: entry.id,
            kind: entry.kind,
            event: entry.event,
            order: entry.order,
            postings: postings.collect(),
            at: entry.at,
        }
    })))
}
