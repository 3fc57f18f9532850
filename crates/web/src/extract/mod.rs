//! Extracts what handlers take from a request: parsed, limited and checked, with a clear refusal for what does not fit.
//!
//! Never: a store read before a token or signature was checked (P7).

mod address;
mod body;
mod buyer;
mod credential;
mod device;
mod idempotency;
mod multipart;
mod organizer;
mod path_and_query;
mod session;
mod token_or_organizer;

pub use address::ClientAddress;
pub use body::{JsonBody, ReadBody, RequestIdentity, read_body};
pub use buyer::{BuyerSession, BuyerToken, KnownSession, presented_token};
pub use credential::unauthenticated;
pub use device::DeviceCaller;
pub use idempotency::{KEY_HEADER, OptionalKey, RequiredKey};
pub use multipart::only_file;
pub use organizer::{LOGIN_COOKIE, Operator, Organizer, bearer};
pub use path_and_query::{PathId, PathIds, QueryParams};
pub use session::{SESSION_COOKIE, SESSION_HEADER, SessionLayer, set_session_cookie};
pub use token_or_organizer::TokenOrOrganizer;
