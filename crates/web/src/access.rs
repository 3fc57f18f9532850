//! Who may call what: one line per route. A test compares it with the OpenAPI document, so that no route is added without a thought about its callers.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::Method;
use voelgoed_domain::accounts::scope::Scope;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody; buyers have an anonymous session.
    Anybody,
    /// Who has the token of the hold or order.
    Token,
    /// Who has the order's token, and the organization that sold it.
    TokenOrOrganizer,
    /// Members and API keys with this scope, which is checked before the body is read.
    Organizer(Scope),
    /// Members and API keys, whatever their scopes.
    AnyOrganizer,
    /// A paired device with its key.
    Device,
    /// The operator's key, on the internal listener.
    Operator,
    /// A payment provider, by its signature.
    Provider,
}

/// Every route of the API: method, path, who may call it.
pub const ROUTES: &[(&str, &str, Access)] = &[
    ("GET", "/api/v1/events", Access::Anybody),
    ("POST", "/api/v1/events", Access::Organizer(Scope::Catalog)),
    ("GET", "/api/v1/events/{event}", Access::Anybody),
    ("PATCH", "/api/v1/events/{event}", Access::Organizer(Scope::Catalog)),
    ("DELETE", "/api/v1/events/{event}", Access::Organizer(Scope::Catalog)),
    ("GET", "/api/v1/events/{event}/map", Access::Anybody),
    ("GET", "/api/v1/events/{event}/availability", Access::Anybody),
    ("GET", "/api/v1/events/{event}/stream", Access::Anybody),
    ("POST", "/api/v1/events/{event}/holds", Access::Anybody),
    ("GET", "/api/v1/holds/{hold}", Access::Token),
    ("PATCH", "/api/v1/holds/{hold}", Access::Token),
    ("DELETE", "/api/v1/holds/{hold}", Access::Token),
    ("POST", "/api/v1/orders", Access::Token),
    ("GET", "/api/v1/orders/{order}", Access::TokenOrOrganizer),
    ("POST", "/api/v1/orders/{order}/payments", Access::Token),
    ("GET", "/api/v1/orders/{order}/stream", Access::Token),
    ("GET", "/api/v1/tickets/{file}", Access::Token),
    ("POST", "/api/v1/login", Access::Anybody),
    ("POST", "/api/v1/logout", Access::AnyOrganizer),
    ("POST", "/api/v1/organizations", Access::Operator),
    ("POST", "/api/v1/members", Access::Organizer(Scope::Admin)),
    ("GET", "/api/v1/members", Access::Organizer(Scope::Admin)),
    ("GET", "/api/v1/members/{member}", Access::Organizer(Scope::Admin)),
    ("PATCH", "/api/v1/members/{member}", Access::Organizer(Scope::Admin)),
    ("POST", "/api/v1/members/{member}/password", Access::Organizer(Scope::Admin)),
    ("POST", "/api/v1/members/me/password", Access::AnyOrganizer),
    ("GET", "/api/v1/members/{member}/logins", Access::AnyOrganizer),
    ("DELETE", "/api/v1/members/{member}/logins", Access::AnyOrganizer),
    ("DELETE", "/api/v1/members/{member}/logins/{login}", Access::AnyOrganizer),
    ("POST", "/api/v1/api-keys", Access::Organizer(Scope::Admin)),
    ("GET", "/api/v1/api-keys", Access::Organizer(Scope::Admin)),
    ("DELETE", "/api/v1/api-keys/{key}", Access::Organizer(Scope::Admin)),
    ("GET", "/api/v1/audit", Access::Organizer(Scope::Admin)),
    ("POST", "/api/v1/venues", Access::Organizer(Scope::Catalog)),
    ("GET", "/api/v1/venues", Access::Organizer(Scope::Catalog)),
    ("POST", "/api/v1/layouts", Access::Organizer(Scope::Catalog)),
    ("GET", "/api/v1/layouts", Access::Organizer(Scope::Catalog)),
    ("GET", "/api/v1/layouts/{layout}", Access::Organizer(Scope::Catalog)),
    ("PATCH", "/api/v1/layouts/{layout}/flags", Access::Organizer(Scope::Catalog)),
    ("POST", "/api/v1/layouts/import", Access::Organizer(Scope::Catalog)),
    ("GET", "/api/v1/organization/events", Access::Organizer(Scope::Catalog)),
    ("POST", "/api/v1/ticket-types", Access::Organizer(Scope::Catalog)),
    ("DELETE", "/api/v1/ticket-types/{ticket_type}", Access::Organizer(Scope::Catalog)),
    ("POST", "/api/v1/price-rules", Access::Organizer(Scope::Catalog)),
    ("POST", "/api/v1/events/{event}/publish", Access::Organizer(Scope::Catalog)),
    ("POST", "/api/v1/events/{event}/pause", Access::Organizer(Scope::Catalog)),
    ("POST", "/api/v1/events/{event}/open", Access::Organizer(Scope::Catalog)),
    ("POST", "/api/v1/events/{event}/close", Access::Organizer(Scope::Catalog)),
    ("POST", "/api/v1/events/{event}/blocks", Access::Organizer(Scope::Catalog)),
    ("DELETE", "/api/v1/events/{event}/blocks", Access::Organizer(Scope::Catalog)),
    ("GET", "/api/v1/orders", Access::Organizer(Scope::Sales)),
    ("GET", "/api/v1/events/{event}/funnel", Access::Organizer(Scope::Reports)),
    ("POST", "/api/v1/orders/{order}/cancel", Access::Organizer(Scope::Sales)),
    ("POST", "/api/v1/orders/{order}/refunds", Access::Organizer(Scope::Sales)),
    ("GET", "/api/v1/refunds", Access::Organizer(Scope::Sales)),
    ("POST", "/api/v1/orders/{order}/refunds/{refund}/retry", Access::Organizer(Scope::Sales)),
    ("POST", "/api/v1/orders/{order}/refunds/{refund}/settle", Access::Organizer(Scope::Sales)),
    ("GET", "/api/v1/ledger/accounts", Access::Organizer(Scope::Finance)),
    ("GET", "/api/v1/ledger/entries", Access::Organizer(Scope::Finance)),
    ("POST", "/api/v1/gates", Access::Organizer(Scope::Scanning)),
    ("GET", "/api/v1/gates", Access::Organizer(Scope::Scanning)),
    ("POST", "/api/v1/devices", Access::Organizer(Scope::Scanning)),
    ("GET", "/api/v1/devices", Access::Organizer(Scope::Scanning)),
    ("DELETE", "/api/v1/devices/{device}", Access::Organizer(Scope::Scanning)),
    ("GET", "/api/v1/scans", Access::Organizer(Scope::Scanning)),
    ("GET", "/api/v1/conflicts", Access::Organizer(Scope::Scanning)),
    ("POST", "/api/v1/devices/pair", Access::Anybody),
    ("GET", "/api/v1/devices/me/package", Access::Device),
    ("GET", "/api/v1/devices/me/stream", Access::Device),
    ("POST", "/api/v1/scans", Access::Device),
    ("POST", "/api/v1/scans/batch", Access::Device),
    ("POST", "/api/v1/providers/{name}/callback", Access::Provider),
];

/// The scope that a route asks for; none where it asks for none, or not for one alone.
#[must_use]
pub fn scope_of(method: &Method, path: &str) -> Option<Scope> {
    static SCOPES: LazyLock<HashMap<(&str, &str), Scope>> = LazyLock::new(|| {
        let scopes = ROUTES.iter().filter_map(|(method, path, access)| match access {
            Access::Organizer(scope) => Some(((*method, *path), *scope)),
            _ => None,
        });
        scopes.collect()
    });
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    SCOPES.get(&(method, path)).copied()
}

/// Pages and health, each by its template; anybody may see them, but `/readyz` and `/metrics` on the internal listener only.
pub const PAGES: &[&str] = &[
    "/",
    "/events/{event}",
    "/events/{event}/holds",
    "/holds/{hold}",
    "/holds/{hold}/remove",
    "/holds/{hold}/release",
    "/holds/{hold}/code",
    "/holds/{hold}/order",
    "/orders/{order}",
    "/orders/{order}/payments",
    "/mine",
    "/mine/forget",
    "/docs/errors",
    "/favicon.ico",
    "/assets/{version}/{file}",
    "/livez",
    "/readyz",
    "/metrics",
    "/api/v1/openapi.json",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Access, ROUTES};
    use crate::assembly::document;

    #[test]
    fn the_table_and_the_document_name_the_same_routes() {
        let document = document();
        let mut documented = BTreeSet::new();
        for (path, item) in &document.paths.paths {
            for (method, there) in [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PUT", item.put.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ] {
                if there {
                    documented.insert((method, path.as_str()));
                }
            }
        }
        let listed: BTreeSet<_> = ROUTES.iter().map(|(method, path, _)| (*method, *path)).collect();
        assert_eq!(listed, documented);
        assert_eq!(listed.len(), ROUTES.len(), "a route is listed twice");
    }

    #[test]
    fn operator_calls_are_on_the_internal_listener_and_nowhere_else() {
        let operators = crate::api::operator_routes().into_openapi();
        for (method, path, access) in ROUTES {
            assert_eq!(operators.paths.paths.contains_key(*path), *access == Access::Operator, "{method} {path}");
        }
    }
}
