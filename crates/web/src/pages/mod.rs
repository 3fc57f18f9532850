//! Serves the shop's HTML pages: rendered on the server, usable without scripts, made live by small scripts.
//!
//! Never: a rule or a price (commands decide, `domain` prices), an inline script or style (the content security policy forbids them), unescaped input.
//! To add a page: its handler, its template, and its row in [`routes`].

mod assets;
mod cover_picture;
mod degraded_notice;
mod error_codes;
mod error_page;
#[cfg(test)]
mod error_page_tests;
mod event;
mod event_list;
mod form;
mod form_errors;
mod formatting;
mod hold;
mod my_tickets;
mod order;
mod page_layout;
mod refusal_sentences;
mod reserved_holds;
mod sale_state;

use axum::http::{Method, Uri};
use axum::response::Redirect;
use axum::routing::{get, post};
use voelgoed_app::catalog::Catalog;
use voelgoed_app::checkout::Checkout;
use voelgoed_app::payments::Payments;
use voelgoed_app::ticketing::Ticketing;

use crate::routes::{Access, CachePolicy, Class, PLATFORM, Proof, Route, plain};

pub use error_page::error_pages;
use error_page::page_address;
pub use form::form_field;

/// The pages' routes.
pub fn routes() -> Vec<Route> {
    use Access::{Buyer, Token};
    let show = |path, handler, access, slice| plain(Method::GET, path, handler, access, slice);
    let form = |path, handler, access, slice| plain(Method::POST, path, handler, access, slice);
    // A form's address is opened by reloading a refused form; it redirects to the page with the form.
    let form_page = |path, slice| plain(Method::GET, path, get(redirect_to_page), Buyer, slice).class(Class::Browse);
    vec![
        show("/", get(event_list::show), Buyer, Catalog::NAME),
        show("/events/{event}", get(event::show), Buyer, Catalog::NAME).of_a_sale(),
        form("/events/{event}/holds", post(event::hold::create), Buyer, Ticketing::NAME).class(Class::Hold).of_a_sale(),
        form_page("/events/{event}/holds", Ticketing::NAME).of_a_sale(),
        show("/holds/{hold}", get(hold::show), Token, Ticketing::NAME).class(Class::Hold).of_a_sale(),
        form("/holds/{hold}/remove", post(hold::change::remove), Token, Ticketing::NAME).class(Class::Hold).of_a_sale(),
        form_page("/holds/{hold}/remove", Ticketing::NAME).of_a_sale(),
        form("/holds/{hold}/release", post(hold::change::release), Token, Ticketing::NAME)
            .class(Class::Hold)
            .of_a_sale(),
        form_page("/holds/{hold}/release", Ticketing::NAME).of_a_sale(),
        form("/holds/{hold}/code", post(hold::change::code), Token, Ticketing::NAME).class(Class::Hold).of_a_sale(),
        form_page("/holds/{hold}/code", Ticketing::NAME).of_a_sale(),
        form("/holds/{hold}/order", post(hold::order::create), Token, Checkout::NAME)
            .critical_with(Proof::HoldForm)
            .of_a_sale(),
        form_page("/holds/{hold}/order", Checkout::NAME).of_a_sale(),
        show("/orders/{order}", get(order::show), Token, Checkout::NAME).critical_with(Proof::Token).of_a_sale(),
        form("/orders/{order}/payments", post(order::pay_again::create), Token, Payments::NAME)
            .critical_with(Proof::TokenForm)
            .of_a_sale(),
        form_page("/orders/{order}/payments", Payments::NAME).of_a_sale(),
        show("/mine", get(my_tickets::show), Buyer, Checkout::NAME).class(Class::Hold),
        form("/mine/forget", post(my_tickets::forget), Buyer, Checkout::NAME),
        form_page("/mine/forget", Checkout::NAME),
        show("/docs/errors", get(error_codes::show), Buyer, PLATFORM),
        show("/favicon.ico", get(assets::icon), Buyer, PLATFORM).cache(CachePolicy::ByVersion),
        show("/assets/{version}/{file}", get(assets::serve), Buyer, PLATFORM).cache(CachePolicy::ByVersion),
    ]
}

/// Redirects the address of a form to the page that has the form.
async fn redirect_to_page(uri: Uri) -> Redirect {
    Redirect::to(&page_address(uri.path(), uri.query()))
}
