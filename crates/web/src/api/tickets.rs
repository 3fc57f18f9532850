//! Renders a ticket's QR code as SVG or PNG for clients with the order's token.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use fast_qr::convert::Builder;
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::{ECL, QRBuilder, QRCode};
use utoipa_axum::routes;
use voelgoed_app::checkout::Checkout;
use voelgoed_app::checkout::ports::Ticket;
use voelgoed_app::error::Fault;
use voelgoed_app::scanning::ticket_codes;
use voelgoed_app::token::TokenKind;
use voelgoed_domain::ids::TicketId;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::ticket::TicketState;

use crate::extract::BuyerToken;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Route, api};
use crate::state::Web;

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![api(routes!(image), Access::Token, Checkout::NAME).class(Class::Hold)]
}

/// The light border that scanners need, in modules (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;
/// Pixels of one module in a PNG.
const MODULE_PIXELS: usize = 8;

/// The QR code, as `{ticket}.svg` or `{ticket}.png`.
#[utoipa::path(get, path = "/api/v1/tickets/{file}", params(("file" = String, Path, description = "`tkt_….svg` or `tkt_….png`")), tag = "checkout",
    responses((status = 200, content((String = "image/svg+xml"), (Vec<u8> = "image/png"))), (status = 404, body = Problem), (status = 410, body = Problem, description = "ticket_revoked")))]
pub async fn image(State(web): State<Web>, Path(file): Path<String>, token: BuyerToken) -> HandlerResult<Response> {
    let (id, kind) = file.rsplit_once('.').ok_or_else(Refusal::not_found)?;
    let id: TicketId = id.parse().map_err(|_| Refusal::not_found())?;
    let ticket = read_ticket(&web, id, &token.0).await?;
    if matches!(ticket.state, TicketState::Revoking | TicketState::Revoked) {
        return Err(Refusal::new(Code::TicketRevoked, "This ticket was taken back and is no longer valid.").into());
    }
    let signer = ticket_codes::signer(&web.slices.context.master, ticket.organization);
    let code = ticket_codes::code(&signer, ticket.event, ticket.id);
    let (body, content_type) = match kind {
        "svg" => (svg(&code)?.into_bytes(), "image/svg+xml"),
        "png" => (png(&code)?, "image/png"),
        _ => return Err(Refusal::not_found().into()),
    };
    let mut response = ([(header::CONTENT_TYPE, content_type)], body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn read_ticket(web: &Web, id: TicketId, token: &str) -> HandlerResult<Ticket> {
    let claims = web.slices.context.tokens.read(TokenKind::Order, token).ok_or_else(Refusal::not_found)?;
    web.slices.checkout.check_link(claims.scope).await?;
    let ticket = web.slices.checkout.orders.read_ticket(claims.scope.organization, id).await?;
    let ticket = ticket.filter(|ticket| ticket.order.uuid() == claims.id);
    Ok(ticket.ok_or_else(Refusal::not_found)?)
}

fn qr(code: &str) -> Result<QRCode, Fault> {
    // Medium correction: a phone's screen breaks, paper gets wet; the code stays small enough for cheap scanners.
    QRBuilder::new(code).ecl(ECL::M).build().map_err(|error| Fault::internal(format!("qr code: {error:?}")))
}

/// A code as SVG.
///
/// # Errors
/// [`Fault::Internal`] where it does not fit into a QR code.
pub fn svg(code: &str) -> Result<String, Fault> {
    Ok(SvgBuilder::default().margin(QUIET_ZONE).to_str(&qr(code)?))
}

fn png(code: &str) -> Result<Vec<u8>, Fault> {
    let qr = qr(code)?;
    let modules = qr.size + 2 * QUIET_ZONE;
    let side = modules * MODULE_PIXELS;
    let dark = |x: usize, y: usize| {
        let (column, row) = (x / MODULE_PIXELS, y / MODULE_PIXELS);
        let inside = |at: usize| (QUIET_ZONE..QUIET_ZONE + qr.size).contains(&at);
        inside(column) && inside(row) && qr[row - QUIET_ZONE][column - QUIET_ZONE].value()
    };
    let pixels: Vec<u8> = (0..side * side).map(|at| if dark(at % side, at / side) { 0 } else { 255 }).collect();
    let mut file = Vec::new();
    let pixel_side = u32::try_from(side).map_err(Fault::internal)?;
    let mut encoder = png::Encoder::new(&mut file, pixel_side, pixel_side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(Fault::internal)?;
    writer.write_image_data(&pixels).map_err(Fault::internal)?;
    drop(writer);
    Ok(file)
}
