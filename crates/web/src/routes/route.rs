//! Joins a row of the table of routes with its handler: documented API routes by [`api`], pages and other routes by [`plain`].

use axum::http::Method;
use axum::routing::MethodRouter;
use utoipa::openapi::path::PathItem;
use utoipa_axum::router::UtoipaMethodRouter;
use voelgoed_resilience::Capability;

use super::spec::{Access, BodyRules, CachePolicy, Class, Proof, RouteSpec};
use crate::state::Web;

/// The handler of a route.
pub(crate) enum Handler {
    /// Documented by `#[utoipa::path]`.
    Api(Box<UtoipaMethodRouter<Web>>),
    /// A page, or a route of operators.
    Plain(Box<MethodRouter<Web>>),
}

/// A route: its row and its handler.
pub struct Route {
    /// The row.
    pub spec: RouteSpec,
    pub(crate) handler: Handler,
}

/// A route of the API. Method and path are those of the handler's `#[utoipa::path]`.
///
/// # Panics
/// Where `handler` has not exactly one path and one method.
#[must_use]
pub fn api(handler: UtoipaMethodRouter<Web>, access: Access, slice: &'static str) -> Route {
    let mut paths = handler.1.paths.iter();
    let (path, item) = paths.next().expect("a handler with a path");
    assert!(paths.next().is_none(), "one row per route: {path} has several");
    let (method, path) = (method_of(item), path.clone());
    Route::new(method, path, access, slice, Handler::Api(Box::new(handler)))
}

/// A page, or another route that the OpenAPI document leaves out.
#[must_use]
pub fn plain(method: Method, path: &str, handler: MethodRouter<Web>, access: Access, slice: &'static str) -> Route {
    Route::new(method, path.to_owned(), access, slice, Handler::Plain(Box::new(handler)))
}

fn method_of(item: &PathItem) -> Method {
    let methods = [
        (Method::GET, item.get.is_some()),
        (Method::POST, item.post.is_some()),
        (Method::PUT, item.put.is_some()),
        (Method::PATCH, item.patch.is_some()),
        (Method::DELETE, item.delete.is_some()),
    ];
    let mut methods = methods.into_iter().filter(|(_, is_there)| *is_there).map(|(method, _)| method);
    let method = methods.next().expect("a handler with a method");
    assert!(methods.next().is_none(), "one row per route: a path item has several methods");
    method
}

impl Route {
    fn new(method: Method, path: String, access: Access, slice: &'static str, handler: Handler) -> Self {
        let spec = RouteSpec {
            method,
            path,
            access,
            slice,
            class: Class::Browse,
            capability: None,
            sale: false,
            cache: CachePolicy::NoStore,
            body: BodyRules::Default,
            internal: false,
        };
        Self { spec, handler }
    }

    /// Shed as this class instead of as browsing.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.spec.class = class;
        self
    }

    /// Shed last where the caller gives this proof.
    #[must_use]
    pub fn critical_with(self, proof: Proof) -> Self {
        self.class(Class::Critical(proof))
    }

    /// Refused while the capability table refuses this capability.
    #[must_use]
    pub fn requires(mut self, capability: Capability) -> Self {
        self.spec.capability = Some(capability);
        self
    }

    /// Counted as a request of a sale (P11).
    #[must_use]
    pub fn of_a_sale(mut self) -> Self {
        self.spec.sale = true;
        self
    }

    /// Caches may keep its answers by this policy.
    #[must_use]
    pub fn cache(mut self, cache: CachePolicy) -> Self {
        self.spec.cache = cache;
        self
    }

    /// Its body follows these rules.
    #[must_use]
    pub fn body(mut self, body: BodyRules) -> Self {
        self.spec.body = body;
        self
    }

    /// Served by the internal listener only.
    #[must_use]
    pub fn internal(mut self) -> Self {
        self.spec.internal = true;
        self
    }
}
