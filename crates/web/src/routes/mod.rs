//! Describes every route of both listeners by one row: who may call it, when it is shed, and what it needs.
//!
//! To add a route: its row in `routes()` of the file of its handler.

mod route;
mod spec;
mod table;

pub(crate) use route::Handler;
pub use route::{Route, api, plain};
pub use spec::{Access, BodyRules, CachePolicy, Class, PLATFORM, Proof, RouteSpec};
pub use table::{all, documented, find};
