//! What handlers take out of a request: parsed, limited and checked, with a clear refusal for what does not fit.
//!
//! Never: a store asked before a token or signature was checked (P7).

mod address;
mod body;
mod buyer;
mod device;
mod idempotency;
mod multipart;
mod organizer;
mod parts;
mod session;
mod token_or_organizer;

pub use address::ClientAddress;
pub use body::{AnyCharacters, Asked, Body, LargestBody, ReadBody, bytes};
pub use buyer::{Buyer, BuyerToken, KnownSession, token_of};
pub use device::DeviceCaller;
pub use idempotency::{KEY_HEADER, OptionalKey, RequiredKey};
pub use multipart::only_file;
pub use organizer::{LOGIN_COOKIE, Operator, Organizer, bearer, unauthenticated};
pub use parts::{Params, PathId, PathIds};
pub use session::{CookieName, SESSION_COOKIE, SESSION_HEADER, SessionLayer, cookie, set_session_cookie};
pub use token_or_organizer::TokenOrOrganizer;
