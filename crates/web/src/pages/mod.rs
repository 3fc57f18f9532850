//! Pages for people: server-rendered, every step usable without scripts; small plain scripts make them live.
//!
//! Never: a rule or a price of its own (commands decide, `domain` prices), an inline script or style (the policy forbids them), text from outside unescaped.
//! To add a page: its handler here, its template, a line in [`routes`], a line in `access.rs`.

mod assets;
mod error_codes;
mod event;
mod form;
mod form_errors;
mod hold;
mod less;
mod list;
mod mine;
mod order;
mod own;
mod sentences;
mod shell;
#[cfg(test)]
mod tests;
mod text;
mod turned_away;

use axum::Router;
use axum::http::Uri;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::state::Web;

pub use form::form_field;
pub use turned_away::error_pages;
use turned_away::page_of;

/// The pages' routes.
pub fn routes() -> Router<Web> {
    Router::new()
        .route("/", get(list::show))
        .route("/events/{event}", get(event::show))
        .route("/events/{event}/holds", post(event::hold::create).get(page_of_form))
        .route("/holds/{hold}", get(hold::show))
        .route("/holds/{hold}/remove", post(hold::change::remove).get(page_of_form))
        .route("/holds/{hold}/release", post(hold::change::release).get(page_of_form))
        .route("/holds/{hold}/code", post(hold::change::code).get(page_of_form))
        .route("/holds/{hold}/order", post(hold::order::create).get(page_of_form))
        .route("/orders/{order}", get(order::show))
        .route("/orders/{order}/payments", post(order::pay_again::create).get(page_of_form))
        .route("/mine", get(mine::show))
        .route("/mine/forget", post(mine::forget).get(page_of_form))
        .route("/docs/errors", get(error_codes::show))
        .route("/favicon.ico", get(assets::icon))
        .route("/assets/{version}/{file}", get(assets::serve))
}

/// Whoever opens a form's address, e.g. by reloading, is led to the page that has the form.
async fn page_of_form(uri: Uri) -> Redirect {
    Redirect::to(&page_of(uri.path(), uri.query()))
}
