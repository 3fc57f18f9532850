//! The checkout form: makes an order and leads to it. Its hidden key makes a second click, or a repeat after a lost answer, the same order (P2).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use voelgoed_app::checkout::place_order::{PaymentChoice, PlaceOrder, place_order};
use voelgoed_app::checkout::ports::{Buyer as BuyerDetails, OrderDetail};
use voelgoed_app::error::{Error, Fault};
use voelgoed_app::idempotency::{Created, IdempotencyKey, Idempotent, replay_or};
use voelgoed_app::ticketing::hold::of_token;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_app::ticketing::read_hold::read_hold;
use voelgoed_app::ticketing::terms::HoldView;
use voelgoed_domain::accounts::identity;
use voelgoed_domain::ids::{HoldId, OrderId};
use voelgoed_domain::refusal::{Code, Nature, Refusal};

use super::change::apply_code;
use super::{FIELDS, Said, Typed, gone, later, render, to_order};
use crate::extract::{Buyer, PathId};
use crate::pages::event;
use crate::pages::form::Form;
use crate::pages::form_errors::FormErrors;
use crate::pages::less::{AWAY, is_away};
use crate::pages::sentences::sentence;
use crate::problem::{Answer, status_of};
use crate::state::Web;

/// The form.
pub async fn create(
    State(web): State<Web>,
    PathId(hold): PathId<HoldId>,
    buyer: Buyer,
    form: Form,
) -> Answer<Response> {
    let scope = of_token(&web.platform, hold, form.must("token")?)?;
    if let Err(refused) = buyer.limited(&web).await {
        let written: Created<()> =
            replay_or(&web.platform, scope.organization, &key(&form, hold)?, refused.into()).await?;
        return match written {
            Created::Replayed(answer) => Ok(to_order(&web, scope, read(&answer)?)),
            Created::Fresh(()) => Err(Fault::internal("a request that was refused created something").into()),
        };
    }
    if form.get("code").is_some() {
        return apply_code(&web, hold, &buyer, &form).await;
    }
    let outcome = submit(&web, &buyer, scope, hold, &form).await;
    match outcome {
        Ok(order) => Ok(to_order(&web, scope, order)),
        // Whatever was changed in the form since: the hold is an order, and that is what its buyer looks for.
        Err(Error::Refused(refusal)) if matches!(refusal.code, Code::IdempotencyMismatch | Code::InvalidRequest) => {
            if let Some(order) = web.platform.orders.order_of_hold(scope.organization, hold).await? {
                return Ok(to_order(&web, scope, order));
            }
            again(&web, scope, hold, &form, refusal).await
        }
        Err(Error::Refused(refusal)) if refusal.code == Code::PlaceTaken => {
            taken(&web, &buyer, scope, &form, &refusal).await
        }
        Err(Error::Refused(refusal)) if refusal.code == Code::AlreadyOrdered => match refusal.evidence.order {
            Some(order) => Ok(to_order(&web, scope, order)),
            None => gone(&web, scope, hold, refusal.into(), "").await,
        },
        Err(Error::Refused(refusal)) if matches!(refusal.code.nature(), Nature::Invalid | Nature::Conflict) => {
            again(&web, scope, hold, &form, refusal).await
        }
        // The places are still theirs, and so is what they typed; the same form may be sent again.
        Err(error) if is_away(&error) => match read_hold(&web.platform, scope, hold).await {
            Ok(view) => {
                let said = Said { notice: Some(AWAY.to_owned()), ..Said::default() };
                render(&web, &view, StatusCode::SERVICE_UNAVAILABLE, said, typed(&form)).await
            }
            Err(_) => Ok(later(&web, scope, hold, error)),
        },
        Err(error) => gone(&web, scope, hold, error, form.get("places").unwrap_or_default()).await,
    }
}

/// The form once more, with what was typed and why it was refused.
async fn again(web: &Web, scope: EventScope, hold: HoldId, form: &Form, refusal: Refusal) -> Answer<Response> {
    match read_hold(&web.platform, scope, hold).await {
        Ok(view) => {
            let said = said(web, &view, form, &refusal).await?;
            render(web, &view, status_of(refusal.code.nature()), said, typed(form)).await
        }
        Err(error) => gone(web, scope, hold, error, form.get("places").unwrap_or_default()).await,
    }
}

/// What is wrong with the form: every field at once, or what the refusal says where it names none of them.
async fn said(web: &Web, view: &HoldView, form: &Form, refusal: &Refusal) -> Result<Said, Error> {
    let listing = web.platform.listings.listing(view.scope).await?;
    let timezone = &listing.event.timezone;
    let Typed { name, email, method } = typed(form);
    let mut errors = FormErrors::default();
    let named = FormErrors::of(refusal, FIELDS, timezone);
    if !named.0.is_empty() {
        let mut wrong = vec![identity::name("buyer.name", &name).err(), identity::email("buyer.email", &email).err()];
        if method.is_empty() && !view.terms.terms.total().is_zero() {
            wrong.push(Some(Refusal::invalid("payment.method", "Say how you want to pay.")));
        }
        wrong.push(Some(refusal.clone()));
        for refusal in wrong.into_iter().flatten() {
            errors.add(&refusal, FIELDS, timezone);
        }
    }
    let notice = errors.0.is_empty().then(|| sentence(refusal, timezone));
    Ok(Said { notice, errors, done: None })
}

async fn submit(web: &Web, buyer: &Buyer, scope: EventScope, hold: HoldId, form: &Form) -> Result<OrderId, Error> {
    let Typed { name, email, method } = typed(form);
    let payment = method.split_once(':');
    let payment = payment.map(|(provider, method)| PaymentChoice { provider: provider.into(), method: method.into() });
    let key = key(form, hold)?;
    let command = PlaceOrder {
        scope,
        hold,
        buyer: BuyerDetails { name, email },
        address: Some(buyer.address),
        payment,
        idempotent: Idempotent { key, render: &written },
    };
    match place_order(&web.platform, command).await? {
        Created::Fresh(detail) => Ok(detail.order.id),
        Created::Replayed(answer) => read(&answer),
    }
}

/// What was typed into the form.
pub fn typed(form: &Form) -> Typed {
    let text = |name| form.get(name).unwrap_or_default().to_owned();
    Typed { name: text("name"), email: text("email"), method: text("method") }
}

/// The form's own key, and what a repeat with it must repeat.
///
/// # Errors
/// `invalid_request` where the form has none.
pub fn key(form: &Form, scope: impl ToString) -> Result<IdempotencyKey, Refusal> {
    let key = form.must("key")?;
    if key.len() > 64 || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refusal::invalid("key", "Load the page again."));
    }
    let mut hasher = Sha256::new();
    // How answers are kept: what an older program wrote is another request.
    hasher.update([2]);
    for name in ["name", "email", "method"] {
        hasher.update(form.get(name).unwrap_or_default().as_bytes());
        hasher.update(b"\0");
    }
    // Keys of pages and of the API never meet.
    Ok(IdempotencyKey { scope: scope.to_string(), key: format!("page/{key}"), request: hasher.finalize().into() })
}

/// What is kept for a repeat: which order it was.
pub fn written(detail: &OrderDetail) -> Bytes {
    detail.order.id.to_string().into()
}

/// Reads what [`written`] wrote.
///
/// # Errors
/// [`Fault::Internal`] where it is not ours.
pub fn read(answer: &Bytes) -> Result<OrderId, Error> {
    let id = std::str::from_utf8(answer).ok().and_then(|text| text.parse().ok());
    id.ok_or_else(|| Fault::internal("a stored answer names no order").into())
}

/// A place was sold to another in the meantime: back to the event with the rest chosen.
async fn taken(web: &Web, buyer: &Buyer, scope: EventScope, form: &Form, refusal: &Refusal) -> Answer<Response> {
    let listing = web.platform.listings.listing(scope).await?;
    let places = form.get("places").unwrap_or_default().to_owned();
    let chosen = Form(vec![("keep".to_owned(), places)]);
    let shown = event::Shown::asked(&chosen, &listing).refused(refusal, &listing.event.timezone);
    event::render(web, buyer, scope, &listing, status_of(refusal.code.nature()), shown).await
}
