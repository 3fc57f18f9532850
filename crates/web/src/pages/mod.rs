//! Pages for people: server-rendered, every step usable without scripts; small plain scripts make them live.
//!
//! Never: a rule or a price of its own (commands decide, `domain` prices), an inline script or style (the policy forbids them), text from outside unescaped.
//! To add a page: its handler here, its template, a line in [`routes`], a line in `access.rs`.

mod assets;
mod error_codes;
mod event;
mod form;
mod hold;
mod less;
mod list;
mod order;
mod shell;
#[cfg(test)]
mod tests;
mod text;
mod turned_away;

use axum::Router;
use axum::routing::{get, post};

use crate::state::Web;

pub use form::form_field;
pub use turned_away::error_pages;

/// The pages' routes.
pub fn routes() -> Router<Web> {
    Router::new()
        .route("/", get(list::show))
        .route("/events/{event}", get(event::show))
        .route("/events/{event}/holds", post(event::hold::create))
        .route("/holds/{hold}", get(hold::show))
        .route("/holds/{hold}/remove", post(hold::change::remove))
        .route("/holds/{hold}/release", post(hold::change::release))
        .route("/holds/{hold}/code", post(hold::change::code))
        .route("/holds/{hold}/order", post(hold::order::create))
        .route("/orders/{order}", get(order::show))
        .route("/orders/{order}/payments", post(order::pay_again::create))
        .route("/docs/errors", get(error_codes::show))
        .route("/favicon.ico", get(assets::icon))
        .route("/assets/{version}/{file}", get(assets::serve))
}
