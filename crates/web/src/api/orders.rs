//! Orders, as buyers see them: made of a hold, and paid.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::checkout::place_order::{PaymentChoice, PlaceOrder, place_order};
use voelgoed_app::checkout::ports::{Buyer as BuyerDetails, OrderDetail};
use voelgoed_app::checkout::read_order::{read_order, scope_of_token};
use voelgoed_app::checkout::view_order::view_order;
use voelgoed_app::idempotency::Idempotent;
use voelgoed_app::payments::pay_again::pay_again as pay_again_command;
use voelgoed_app::scanning::codes;
use voelgoed_app::ticketing::hold::of_token;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{EventId, HoldId, OrderId, OrganizationId, PaymentId, RefundId, TicketId, TicketTypeId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::time::Timestamp;

use super::created::{created, replayed};
use super::money::MoneyDto;
use crate::extract::{Body, Buyer, BuyerToken, PathId, RequiredKey, TokenOrOrganizer};
use crate::problem::{Answer, Problem};
use crate::rendered::json;
use crate::state::Web;

/// What makes an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderBody {
    /// The hold.
    #[schema(value_type = String)]
    hold: HoldId,
    /// The hold's token.
    hold_token: String,
    /// Who buys.
    buyer: BuyerBody,
    /// How they pay; absent only where the total is zero.
    payment: Option<PaymentBody>,
}

/// Who buys.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuyerBody {
    /// Their name, as on the ticket.
    pub name: String,
    /// Where the tickets are sent.
    pub email: String,
}

/// How a buyer pays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentBody {
    /// The provider's name.
    #[schema(example = "sandbox")]
    provider: String,
    /// One of its methods.
    #[schema(example = "ok")]
    method: String,
}

impl From<PaymentBody> for PaymentChoice {
    fn from(body: PaymentBody) -> Self {
        Self { provider: body.provider, method: body.method }
    }
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderDto {
    #[schema(value_type = String)]
    id: OrderId,
    #[schema(value_type = String)]
    event: EventId,
    /// Proves that the order is yours: `X-Token`, or `?token=`.
    token: String,
    /// `awaiting_payment`, `paid`, `cancelled`, `expired`, `partially_refunded` or `refunded`.
    #[schema(value_type = String)]
    state: OrderState,
    buyer: BuyerBody,
    items: Vec<OrderItemDto>,
    fees: MoneyDto,
    tax: MoneyDto,
    total: MoneyDto,
    #[schema(value_type = String, format = DateTime)]
    pay_by: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    payments: Vec<PaymentDto>,
    refunds: Vec<RefundDto>,
    tickets: Vec<TicketDto>,
}

/// A place of an order with its price.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderItemDto {
    place: u32,
    label: String,
    #[schema(value_type = String)]
    ticket_type: TicketTypeId,
    ticket_type_name: String,
    price: MoneyDto,
}

/// A payment attempt.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentDto {
    #[schema(value_type = String)]
    id: PaymentId,
    /// `created`, `pending`, `unknown`, `captured`, `captured_late`, `failed` or `voided`.
    #[schema(value_type = String)]
    state: AttemptState,
    provider: String,
    /// Why it failed, for the buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What the buyer's browser does next.
    next_action: Option<NextActionDto>,
}

/// What the buyer's browser does next.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextActionDto {
    /// `redirect` or `wait`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where to go, or where to listen.
    url: String,
}

/// A refund.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundDto {
    #[schema(value_type = String)]
    id: RefundId,
    /// `pending`, `unknown`, `done` or `failed`.
    #[schema(value_type = String)]
    state: RefundState,
    amount: MoneyDto,
    reason: String,
    /// The tickets that are taken back with it.
    #[schema(value_type = Vec<String>)]
    tickets: Vec<TicketId>,
    /// False: money only, every ticket stays valid.
    revoke: bool,
    /// What the provider said where it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
pub struct TicketDto {
    #[schema(value_type = String)]
    id: TicketId,
    place: u32,
    label: String,
    ticket_type_name: String,
    /// What the QR code says.
    code: String,
    /// `valid`, `used`, `revoking` or `revoked`.
    #[schema(value_type = String)]
    state: TicketState,
}

/// A refund, rendered.
pub fn refund(found: &voelgoed_app::payments::ports::Refund) -> RefundDto {
    RefundDto {
        id: found.id,
        state: found.state,
        amount: found.amount.into(),
        reason: found.reason.clone(),
        revoke: !found.tickets.is_empty(),
        failure: found.failure.clone(),
        tickets: found.tickets.clone(),
    }
}

/// An order, rendered for its buyer.
pub fn render(web: &Web, detail: &OrderDetail, now: Timestamp) -> OrderDto {
    let order = &detail.order;
    let scope = EventScope { organization: order.organization, event: order.event };
    let token = web.platform.tokens.mint(TokenKind::Order, scope, order.id);
    let in_currency = |amount| MoneyDto::from(Money::new(amount, order.total.currency));
    let signer = codes::signer(&web.platform.master, order.organization);
    let listen = format!("/api/v1/orders/{}/stream?token={token}", order.id);
    OrderDto {
        id: order.id,
        event: order.event,
        state: order.state,
        buyer: BuyerBody { name: order.buyer.name.clone(), email: order.buyer.email.clone() },
        items: detail
            .lines
            .iter()
            .map(|line| OrderItemDto {
                place: line.place.0,
                label: line.label.clone(),
                ticket_type: line.ticket_type,
                ticket_type_name: line.ticket_type_name.clone(),
                price: in_currency(line.price),
            })
            .collect(),
        fees: order.fees.into(),
        tax: order.tax.into(),
        total: order.total.into(),
        pay_by: order.pay_by,
        created_at: order.created_at,
        now,
        payments: detail
            .attempts
            .iter()
            .map(|attempt| PaymentDto {
                id: attempt.id,
                state: attempt.state,
                provider: attempt.provider.clone(),
                reason: attempt.reason.clone(),
                next_action: attempt.state.is_unresolved().then(|| NextActionDto { kind: "wait", url: listen.clone() }),
            })
            .collect(),
        refunds: detail.refunds.iter().map(refund).collect(),
        tickets: detail
            .tickets
            .iter()
            .map(|ticket| TicketDto {
                id: ticket.id,
                place: ticket.place.0,
                label: ticket.label.clone(),
                ticket_type_name: ticket.ticket_type_name.clone(),
                code: codes::code(&signer, ticket.event, ticket.id),
                state: ticket.state,
            })
            .collect(),
        token,
    }
}

/// Turns a hold into an order and sets its payment off.
#[utoipa::path(post, path = "/api/v1/orders", request_body = OrderBody, tag = "checkout",
    params(("Idempotency-Key" = String, Header)),
    responses((status = 201, body = OrderDto), (status = 409, body = Problem, description = "place_taken, already_ordered, idempotency_mismatch"),
        (status = 410, body = Problem, description = "hold_expired, hold_lost"), (status = 503, body = Problem)))]
pub async fn create(State(web): State<Web>, buyer: Buyer, key: RequiredKey, body: Body<OrderBody>) -> Answer<Response> {
    let scope = of_token(&web.platform, body.value.hold, &body.value.hold_token)?;
    let key = key.of(body.value.hold, body.digest);
    if let Err(refused) = buyer.limited(&web).await {
        return replayed(&web, scope.organization, &key, refused).await;
    }
    let show = |detail: &OrderDetail| json(&render(&web, detail, detail.order.created_at));
    let command = PlaceOrder {
        scope,
        hold: body.value.hold,
        buyer: BuyerDetails { name: body.value.buyer.name, email: body.value.buyer.email },
        address: Some(buyer.address),
        payment: body.value.payment.map(Into::into),
        idempotent: Idempotent { key, render: &show },
    };
    let outcome = place_order(&web.platform, command).await?;
    Ok(created(outcome, show))
}

/// An order with its payments, refunds and tickets: for its buyer, and for the organization that sold it.
#[utoipa::path(get, path = "/api/v1/orders/{order}", params(("order" = String, Path)), tag = "checkout",
    responses((status = 200, body = OrderDto), (status = 404, body = Problem)))]
pub async fn show(
    State(web): State<Web>,
    PathId(order): PathId<OrderId>,
    reader: TokenOrOrganizer,
) -> Answer<Json<OrderDto>> {
    let shown = match reader {
        TokenOrOrganizer::Token(token) => {
            viewed(&web, scope_of_token(&web.platform, order, &token.0).await?.organization, order).await?
        }
        TokenOrOrganizer::Organizer(organizer) => {
            organizer.may(Scope::Sales)?;
            rendered(&web, &read_order(&web.platform, organizer.organization, order).await?)
        }
    };
    Ok(Json(shown))
}

/// An order as its buyer sees it.
async fn viewed(web: &Web, organization: OrganizationId, order: OrderId) -> Answer<OrderDto> {
    Ok(rendered(web, &*view_order(&web.platform, organization, order).await?))
}

/// An order as it is now, rendered.
pub fn rendered(web: &Web, detail: &OrderDetail) -> OrderDto {
    render(web, detail, web.platform.environment.now())
}

/// Another attempt while the places are kept.
#[utoipa::path(post, path = "/api/v1/orders/{order}/payments", request_body = PaymentBody, tag = "checkout",
    params(("order" = String, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 201, body = OrderDto), (status = 404, body = Problem), (status = 409, body = Problem, description = "payment_unresolved, not_payable")))]
pub async fn pay_again(
    State(web): State<Web>,
    PathId(order): PathId<OrderId>,
    buyer: Buyer,
    token: BuyerToken,
    key: RequiredKey,
    body: Body<PaymentBody>,
) -> Answer<Response> {
    let scope = scope_of_token(&web.platform, order, &token.0).await?;
    let key = key.of(order, body.digest);
    if let Err(refused) = buyer.limited(&web).await {
        return replayed(&web, scope.organization, &key, refused).await;
    }
    let now = web.platform.environment.now();
    let show = |detail: &OrderDetail| json(&render(&web, detail, now));
    let idempotent = Idempotent { key, render: &show };
    let outcome = pay_again_command(&web.platform, scope, order, body.value.into(), idempotent).await?;
    Ok(created(outcome, show))
}
