//! The provider's HTTP surface: which path is which operation, and how a refusal looks.
//!
//! Never: a decision; those are in `books`. To add a call: a handler in its file, a route here, a section in README.md.

mod about;
mod charges;
mod refunds;

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use tokio::sync::Semaphore;

use super::provider::Provider;
use super::refused::Refused;
use crate::sandbox::protocol::{MethodList, Problem};

/// The most bytes of a body.
const MOST_BODY_BYTES: usize = 16 * 1024;

/// The most callers of `timeout` that are kept waiting at once.
const MOST_KEPT_WAITING: usize = 2048;

/// What handlers need.
#[derive(Debug, Clone)]
pub struct Desk {
    provider: Arc<Provider>,
    methods: Arc<MethodList>,
    kept_waiting: Arc<Semaphore>,
}

/// All routes.
pub fn router(provider: Arc<Provider>, methods: MethodList) -> Router {
    let desk = Desk { provider, methods: Arc::new(methods), kept_waiting: Arc::new(Semaphore::new(MOST_KEPT_WAITING)) };
    let money = Router::new()
        .route("/charges", post(charges::open))
        .route("/charges/{key}", get(charges::show))
        .route("/charges/{key}/cancel", post(charges::cancel))
        .route("/refunds", post(refunds::open))
        .route("/refunds/{key}", get(refunds::show))
        .route_layer(middleware::from_fn_with_state(desk.clone(), of_the_shop));
    money
        .route("/methods", get(about::methods))
        .route("/health", get(about::health))
        .route("/callback-url", put(about::retarget))
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .with_state(desk)
}

/// Lets nobody near money but the holder of the shared secret: any program of the machine reaches this port.
async fn of_the_shop(State(desk): State<Desk>, request: Request, next: Next) -> Result<Response, Refused> {
    let presented = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    desk.provider.config.callback_secret.verify_call(presented).map_err(|_| Refused::NotBelieved)?;
    Ok(next.run(request).await)
}

/// A JSON body, or why it is none.
type Body<T> = Result<Json<T>, JsonRejection>;

fn body<T>(body: Body<T>) -> Result<T, Refused> {
    body.map(|Json(value)| value).map_err(|rejection| Refused::Invalid(rejection.body_text()))
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotBelieved => StatusCode::UNAUTHORIZED,
            Self::UnknownCharge | Self::UnknownRefund => StatusCode::NOT_FOUND,
            Self::KeyMismatch | Self::TooLate | Self::NotCaptured | Self::RefundTooLarge => StatusCode::CONFLICT,
            Self::KeyCancelled => StatusCode::GONE,
            Self::NotHere => StatusCode::MISDIRECTED_REQUEST,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Busy | Self::Broken => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Json(Problem { code: self.code().to_owned(), detail: self.to_string() })).into_response()
    }
}
