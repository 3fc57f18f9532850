//! Defines the JSON of orders, payments, refunds and tickets, and renders them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::checkout::ports::OrderDetail;
use voelgoed_app::payments::ports::PaymentChoice;
use voelgoed_app::scanning::ticket_codes;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::checkout::order::OrderState;
use voelgoed_domain::ids::{EventId, HoldId, OrderId, PaymentId, RefundId, TicketId, TicketTypeId};
use voelgoed_domain::money::Money;
use voelgoed_domain::payments::attempt::AttemptState;
use voelgoed_domain::payments::refund::RefundState;
use voelgoed_domain::scanning::ticket::TicketState;
use voelgoed_domain::time::Timestamp;

use crate::api::money::MoneyDto;
use crate::state::Web;

/// An order to place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderBody {
    /// The hold to order.
    #[schema(value_type = String)]
    pub hold: HoldId,
    /// The hold's token.
    pub hold_token: String,
    /// The buyer.
    pub buyer: BuyerBody,
    /// How they pay; absent only where the total is zero.
    pub payment: Option<PaymentBody>,
}

/// A buyer.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuyerBody {
    /// The name on the tickets.
    pub name: String,
    /// The address that the tickets are sent to.
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
    /// The next step of the buyer's browser.
    next_action: Option<NextActionDto>,
}

/// The next step of the buyer's browser.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextActionDto {
    /// `redirect` or `wait`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The address to go to, or the stream to open.
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
    /// The provider's reason, where it refused the refund.
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
    /// The text of the QR code.
    code: String,
    /// `valid`, `used`, `revoking` or `revoked`.
    #[schema(value_type = String)]
    state: TicketState,
}

/// Renders a refund.
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

/// Renders an order for its buyer, as of `now`.
pub fn order_at(web: &Web, detail: &OrderDetail, now: Timestamp) -> OrderDto {
    let order = &detail.order;
    let scope = EventScope { organization: order.organization, event: order.event };
    let token = web.slices.context.tokens.mint(TokenKind::Order, scope, order.id);
    let in_currency = |amount| MoneyDto::from(Money::new(amount, order.total.currency));
    let signer = ticket_codes::signer(&web.slices.context.master, order.organization);
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
                code: ticket_codes::code(&signer, ticket.event, ticket.id),
                state: ticket.state,
            })
            .collect(),
        token,
    }
}

/// Renders an order as of now.
pub fn order_now(web: &Web, detail: &OrderDetail) -> OrderDto {
    order_at(web, detail, web.slices.context.now())
}
