//! Authenticates the caller of a route and checks its scope before the handler runs, as the route's row requires.
//!
//! Never: a handler that runs without the credential that its row requires; a refused caller that uses up the writes of its organization. Handlers extract
//! the caller that this layer found.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use voelgoed_domain::accounts::scope::Scope;

use crate::extract::{DeviceCaller, Operator, Organizer};
use crate::problem::Failure;
use crate::routes::Access;
use crate::state::Web;

/// Finds the caller by its credential, leaves it in the request's extensions, and runs the handler.
pub async fn authorize(State((web, access)): State<(Web, Access)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let found = match access {
        Access::Organizer(scope) => find_organizer(&mut parts, &web, Some(scope)).await,
        Access::AnyOrganizer => find_organizer(&mut parts, &web, None).await,
        Access::Device => {
            DeviceCaller::authenticate(&mut parts, &web).await.map(|caller| drop(parts.extensions.insert(caller)))
        }
        Access::Operator => Operator::authenticate(&mut parts, &web).await.map(|caller| {
            parts.extensions.insert(caller);
        }),
        Access::Anyone
        | Access::Buyer
        | Access::Token
        | Access::TokenInBody
        | Access::TokenOrOrganizer
        | Access::Provider => Ok(()),
    };
    match found {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refused) => refused.into_response(),
    }
}

/// Finds the organizer, checks the scope, and only then counts the write.
async fn find_organizer(parts: &mut Parts, web: &Web, scope: Option<Scope>) -> Result<(), Failure> {
    let caller = Organizer::authenticate(parts, web).await?;
    if let Some(scope) = scope {
        caller.may(scope)?;
    }
    caller.count_write(web, &parts.method).await?;
    parts.extensions.insert(caller);
    Ok(())
}
