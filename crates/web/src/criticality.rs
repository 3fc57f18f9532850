//! How critical each route is when load is shed: one table, by method and route, with what its caller must prove.
//!
//! Never: a class by a part of a path; a class above the one of holds for a caller whose credential was not checked. A route that is not here is browsing.
//! To add a route: its line in [`ROUTES`].

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::Method;
use axum::http::request::Parts;
use serde::Deserialize;
use voelgoed_app::accounts::credentials::KnownCredential;
use voelgoed_app::accounts::secret::{SecretKind, is_issued};
use voelgoed_app::token::{TokenKind, fingerprint};
use voelgoed_domain::ids::HoldId;
use voelgoed_resilience::Criticality;

use crate::extract::{LOGIN_COOKIE, bearer, cookie, token_of};
use crate::pages::form_field;
use crate::state::Web;

use Class::{Browse, Health, Hold, Report, Serves};
use Proof::{Device, HoldForm, HoldJson, Organizer, Provider, Token, TokenForm};

/// When a route is shed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Never, and it takes no place: whoever looks after the node must see it when it is overloaded.
    Health,
    /// Last, where its caller proves what it says; else as a hold.
    Serves(Proof),
    /// After whoever looks around.
    Hold,
    /// Somebody looks.
    Browse,
    /// First.
    Report,
}

/// What a caller proves without any store, or from what this node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The token of the hold that the JSON names.
    HoldJson,
    /// The same in a form.
    HoldForm,
    /// The token of a hold or an order, in a header or in the query.
    Token,
    /// The same in a form.
    TokenForm,
    /// The key of a device.
    Device,
    /// The key or login of an organizer.
    Organizer,
    /// The signature of a payment provider.
    Provider,
}

/// Every route of the API and every page.
pub const ROUTES: &[(&str, &str, Class)] = &[
    ("GET", "/livez", Health),
    ("GET", "/readyz", Health),
    ("GET", "/metrics", Health),
    ("POST", "/api/v1/organizations", Health),
    // People stand at a gate.
    ("POST", "/api/v1/scans", Serves(Device)),
    ("POST", "/api/v1/scans/batch", Serves(Device)),
    ("GET", "/api/v1/devices/me/package", Serves(Device)),
    ("GET", "/api/v1/devices/me/stream", Serves(Device)),
    ("POST", "/api/v1/devices/pair", Hold),
    ("POST", "/api/v1/devices", Serves(Organizer)),
    ("GET", "/api/v1/devices", Hold),
    ("DELETE", "/api/v1/devices/{device}", Serves(Organizer)),
    // Money is on its way.
    ("POST", "/api/v1/orders", Serves(HoldJson)),
    ("GET", "/api/v1/orders/{order}", Serves(Token)),
    ("GET", "/api/v1/orders/{order}/stream", Serves(Token)),
    ("POST", "/api/v1/orders/{order}/payments", Serves(Token)),
    ("POST", "/api/v1/orders/{order}/cancel", Serves(Organizer)),
    ("POST", "/api/v1/orders/{order}/refunds", Serves(Organizer)),
    ("POST", "/api/v1/orders/{order}/refunds/{refund}/retry", Serves(Organizer)),
    ("POST", "/api/v1/orders/{order}/refunds/{refund}/settle", Serves(Organizer)),
    ("POST", "/api/v1/providers/{name}/callback", Serves(Provider)),
    ("POST", "/holds/{hold}/order", Serves(HoldForm)),
    ("GET", "/orders/{order}", Serves(Token)),
    ("POST", "/orders/{order}/payments", Serves(TokenForm)),
    // Somebody wants places, or has some.
    ("POST", "/api/v1/events/{event}/holds", Hold),
    ("GET", "/api/v1/holds/{hold}", Hold),
    ("PATCH", "/api/v1/holds/{hold}", Hold),
    ("DELETE", "/api/v1/holds/{hold}", Hold),
    ("GET", "/api/v1/tickets/{file}", Hold),
    ("POST", "/events/{event}/holds", Hold),
    ("GET", "/holds/{hold}", Hold),
    ("POST", "/holds/{hold}/remove", Hold),
    ("POST", "/holds/{hold}/release", Hold),
    ("POST", "/holds/{hold}/code", Hold),
    ("GET", "/mine", Hold),
    ("POST", "/mine/forget", Browse),
    // Whoever opens a form's address is led to its page.
    ("GET", "/events/{event}/holds", Browse),
    ("GET", "/holds/{hold}/remove", Browse),
    ("GET", "/holds/{hold}/release", Browse),
    ("GET", "/holds/{hold}/code", Browse),
    ("GET", "/holds/{hold}/order", Browse),
    ("GET", "/orders/{order}/payments", Browse),
    // An organizer who steers a sale.
    ("POST", "/api/v1/events/{event}/publish", Hold),
    ("POST", "/api/v1/events/{event}/pause", Hold),
    ("POST", "/api/v1/events/{event}/open", Hold),
    ("POST", "/api/v1/events/{event}/close", Hold),
    ("PATCH", "/api/v1/events/{event}", Hold),
    ("DELETE", "/api/v1/events/{event}", Hold),
    ("POST", "/api/v1/events/{event}/blocks", Hold),
    ("DELETE", "/api/v1/events/{event}/blocks", Hold),
    // Somebody looks around.
    ("GET", "/", Browse),
    ("GET", "/events/{event}", Browse),
    ("GET", "/docs/errors", Browse),
    ("GET", "/favicon.ico", Browse),
    ("GET", "/assets/{version}/{file}", Browse),
    ("GET", "/api/v1/openapi.json", Browse),
    ("GET", "/api/v1/events", Browse),
    ("GET", "/api/v1/events/{event}", Browse),
    ("GET", "/api/v1/events/{event}/map", Browse),
    ("GET", "/api/v1/events/{event}/availability", Browse),
    ("GET", "/api/v1/events/{event}/stream", Browse),
    // An organizer prepares.
    ("POST", "/api/v1/login", Browse),
    ("POST", "/api/v1/logout", Browse),
    ("POST", "/api/v1/members", Browse),
    ("GET", "/api/v1/members", Browse),
    ("GET", "/api/v1/members/{member}", Browse),
    ("PATCH", "/api/v1/members/{member}", Browse),
    ("POST", "/api/v1/members/me/password", Browse),
    ("POST", "/api/v1/members/{member}/password", Browse),
    ("GET", "/api/v1/members/{member}/logins", Browse),
    ("DELETE", "/api/v1/members/{member}/logins", Browse),
    ("DELETE", "/api/v1/members/{member}/logins/{login}", Browse),
    ("POST", "/api/v1/api-keys", Browse),
    ("GET", "/api/v1/api-keys", Browse),
    ("DELETE", "/api/v1/api-keys/{key}", Browse),
    ("POST", "/api/v1/venues", Browse),
    ("GET", "/api/v1/venues", Browse),
    ("GET", "/api/v1/layouts", Browse),
    ("POST", "/api/v1/events", Browse),
    ("POST", "/api/v1/ticket-types", Browse),
    ("DELETE", "/api/v1/ticket-types/{ticket_type}", Browse),
    ("POST", "/api/v1/price-rules", Browse),
    ("POST", "/api/v1/gates", Browse),
    ("GET", "/api/v1/gates", Browse),
    ("GET", "/api/v1/conflicts", Browse),
    // A list, a figure, a whole seating plan.
    ("POST", "/api/v1/layouts", Report),
    ("POST", "/api/v1/layouts/import", Report),
    ("GET", "/api/v1/layouts/{layout}", Report),
    ("PATCH", "/api/v1/layouts/{layout}/flags", Report),
    ("GET", "/api/v1/organization/events", Report),
    ("GET", "/api/v1/orders", Report),
    ("GET", "/api/v1/refunds", Report),
    ("GET", "/api/v1/scans", Report),
    ("GET", "/api/v1/events/{event}/funnel", Report),
    ("GET", "/api/v1/ledger/accounts", Report),
    ("GET", "/api/v1/ledger/entries", Report),
    ("GET", "/api/v1/audit", Report),
];

static TABLE: LazyLock<HashMap<(&str, &str), Class>> =
    LazyLock::new(|| ROUTES.iter().map(|(method, route, class)| ((*method, *route), *class)).collect());

/// The class of a route; none where no route is matched.
#[must_use]
pub fn class(method: &Method, route: &str) -> Option<Class> {
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    TABLE.get(&(method, route)).copied()
}

/// How critical a request of a class is, its body at hand; none where it is never shed.
pub async fn judge(web: &Web, class: Option<Class>, parts: &Parts, body: &[u8]) -> Option<Criticality> {
    let proof = match class {
        Some(Health) => return None,
        Some(Hold) => return Some(Criticality::Hold),
        Some(Report) => return Some(Criticality::Report),
        Some(Browse) | None => return Some(Criticality::Browse),
        Some(Serves(proof)) => proof,
    };
    let proven = match proof {
        HoldJson => hold_of(web, body),
        HoldForm => form_field(body, "token").is_some_and(|token| is_token(web, &token)),
        Token => token_of(parts).is_some_and(|token| is_token(web, &token)) || is_organizer(web, parts),
        TokenForm => form_field(body, "token").is_some_and(|token| is_token(web, &token)),
        Organizer => is_organizer(web, parts),
        Provider => is_provider(web, parts, body),
        Device => is_device(web, parts).await,
    };
    Some(if proven { Criticality::ScanOrPay } else { Criticality::Hold })
}

/// A scanner is known by its key. One that this node does not know yet is looked for where the platform made it, unless too many are looked for.
async fn is_device(web: &Web, parts: &Parts) -> bool {
    let Some(secret) = bearer(&parts.headers) else { return false };
    let key = fingerprint(secret);
    if let Some(known) = web.platform.credentials.known(key) {
        return matches!(known, KnownCredential::Device);
    }
    if !is_issued(&web.platform.master, SecretKind::Device, secret) {
        return false;
    }
    let Ok(_place) = web.key_lookups.try_acquire() else { return false };
    matches!(web.platform.credentials.device(key).await, Ok(Some(_)))
}

/// What of an order says whose hold it is.
#[derive(Deserialize)]
struct HoldOf<'a> {
    hold: HoldId,
    #[serde(borrow)]
    hold_token: std::borrow::Cow<'a, str>,
}

fn hold_of(web: &Web, body: &[u8]) -> bool {
    let Ok(named) = serde_json::from_slice::<HoldOf<'_>>(body) else { return false };
    let claims = web.platform.tokens.read(TokenKind::Hold, &named.hold_token);
    claims.is_some_and(|claims| claims.id == named.hold.uuid())
}

/// Whoever has a hold's token may do what its order's token allows.
fn is_token(web: &Web, token: &str) -> bool {
    [TokenKind::Order, TokenKind::Hold].into_iter().any(|kind| web.platform.tokens.read(kind, token).is_some())
}

/// An organizer whom this node knows: a key of a device or of anybody else is none. Whoever is not known is let in as others are, and known then.
fn is_organizer(web: &Web, parts: &Parts) -> bool {
    let known = |secret: &str| web.platform.credentials.known(fingerprint(secret));
    match bearer(&parts.headers) {
        Some(secret) => matches!(known(secret), Some(KnownCredential::ApiKey(_))),
        None => cookie(&parts.headers, LOGIN_COOKIE.of(&web.settings))
            .is_some_and(|secret| matches!(known(secret), Some(KnownCredential::Login(_)))),
    }
}

fn is_provider(web: &Web, parts: &Parts, body: &[u8]) -> bool {
    let name = parts.uri.path().trim_start_matches("/api/v1/providers/").split('/').next().unwrap_or_default();
    let Ok(gateway) = web.platform.gateway(name) else { return false };
    let pairs = parts.headers.iter();
    let pairs = pairs.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    gateway.verify_callback(&pairs.collect::<Vec<_>>(), body, web.platform.environment.now()).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::http::Method;

    use super::{Class, ROUTES, class};
    use crate::access;

    #[test]
    fn every_route_and_every_page_has_its_line_and_no_other_one() {
        let mut listed: BTreeSet<_> = ROUTES.iter().map(|(method, route, _)| (*method, *route)).collect();
        assert_eq!(listed.len(), ROUTES.len(), "a route is listed twice");
        for (method, route, _) in access::ROUTES {
            assert!(listed.remove(&(*method, *route)), "{method} {route} has no class");
        }
        let pages: BTreeSet<_> = listed.iter().map(|(_, route)| *route).collect();
        assert_eq!(pages, access::PAGES.iter().copied().collect());
    }

    #[test]
    fn an_order_by_a_page_is_as_critical_as_one_by_the_api() {
        for (page, api) in [
            (("POST", "/holds/{hold}/order"), ("POST", "/api/v1/orders")),
            (("POST", "/events/{event}/holds"), ("POST", "/api/v1/events/{event}/holds")),
            (("GET", "/holds/{hold}"), ("GET", "/api/v1/holds/{hold}")),
            (("GET", "/orders/{order}"), ("GET", "/api/v1/orders/{order}")),
            (("POST", "/orders/{order}/payments"), ("POST", "/api/v1/orders/{order}/payments")),
            (("GET", "/events/{event}"), ("GET", "/api/v1/events/{event}")),
        ] {
            let of = |(method, route): (&str, &str)| {
                let class = class(&method.parse::<Method>().unwrap(), route).unwrap();
                // What proves it is elsewhere in a form.
                std::mem::discriminant(&class)
            };
            assert_eq!(of(page), of(api), "{page:?}");
        }
    }

    #[test]
    fn head_is_judged_as_get_and_an_unknown_route_has_no_class() {
        assert_eq!(class(&Method::HEAD, "/livez"), Some(Class::Health));
        assert_eq!(class(&Method::DELETE, "/livez"), None);
        assert_eq!(class(&Method::DELETE, "/orders/{order}"), None);
    }
}
