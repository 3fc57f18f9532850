//! Authenticates the caller of a route and checks its scope before the handler runs, as the route's row requires.
//!
//! Never: a handler that runs without the credential that its row requires. Handlers extract the caller that this layer found.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::extract::{DeviceCaller, Operator, Organizer};
use crate::problem::Failure;
use crate::routes::Access;
use crate::state::Web;

/// Finds the caller by its credential, leaves it in the request's extensions, and runs the handler.
pub async fn authorize(State((web, access)): State<(Web, Access)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let found = match access {
        Access::Organizer(scope) => match Organizer::authenticate(&mut parts, &web).await {
            Ok(caller) => caller.may(scope).map(|()| drop(parts.extensions.insert(caller))).map_err(Failure::from),
            Err(refused) => Err(refused),
        },
        Access::AnyOrganizer => {
            Organizer::authenticate(&mut parts, &web).await.map(|caller| drop(parts.extensions.insert(caller)))
        }
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
