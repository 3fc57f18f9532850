//! Routes the provider's HTTP calls, authorizes the shop, and maps each refusal to a status and an error body.
//!
//! Never: a decision about a charge or a refund; those are in `state`. To add a call: a handler in its file, a route here, a section in README.md.

mod callback_url;
mod charges;
mod health;
mod methods;
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

use crate::durable_state::DurableState;
use crate::protocol::{ErrorBody, MethodList};
use crate::request_error::RequestError;

const BODY_BYTES_MAX: usize = 16 * 1024;

/// Limits the callers of `timeout` whose connections are held open at once.
const HUNG_CALLERS_MAX: usize = 2048;

/// The state of all handlers.
#[derive(Debug, Clone)]
pub struct HttpContext {
    state: Arc<DurableState>,
    methods: Arc<MethodList>,
    hung_callers: Arc<Semaphore>,
}

/// All routes.
pub fn router(state: Arc<DurableState>, methods: MethodList) -> Router {
    let hung_callers = Arc::new(Semaphore::new(HUNG_CALLERS_MAX));
    let context = HttpContext { state, methods: Arc::new(methods), hung_callers };
    let authorized = Router::new()
        .route("/charges", post(charges::create))
        .route("/charges/{key}", get(charges::show))
        .route("/charges/{key}/cancel", post(charges::cancel))
        .route("/refunds", post(refunds::create))
        .route("/refunds/{key}", get(refunds::show))
        .route_layer(middleware::from_fn_with_state(context.clone(), require_shop_authorization));
    authorized
        .route("/methods", get(methods::list))
        .route("/health", get(health::show))
        .route("/callback-url", put(callback_url::set))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(context)
}

/// Refuses calls about money without the shop's authorization, because every program of the machine reaches this port.
async fn require_shop_authorization(
    State(context): State<HttpContext>,
    request: Request,
    next: Next,
) -> Result<Response, RequestError> {
    let presented = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    context.state.config.callback_secret.verify_call(presented).map_err(|_| RequestError::InvalidSignature)?;
    Ok(next.run(request).await)
}

/// A parsed JSON body, or why it cannot be parsed.
type JsonBody<T> = Result<Json<T>, JsonRejection>;

fn parsed<T>(body: JsonBody<T>) -> Result<T, RequestError> {
    body.map(|Json(value)| value).map_err(|rejection| RequestError::Invalid(rejection.body_text()))
}

impl IntoResponse for RequestError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::InvalidSignature => StatusCode::UNAUTHORIZED,
            Self::UnknownCharge | Self::UnknownRefund => StatusCode::NOT_FOUND,
            Self::KeyMismatch | Self::TooLate | Self::NotCaptured | Self::RefundTooLarge => StatusCode::CONFLICT,
            Self::KeyCancelled => StatusCode::GONE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Busy | Self::Broken => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, Json(ErrorBody { code: self.code().to_owned(), detail: self.to_string() })).into_response()
    }
}
