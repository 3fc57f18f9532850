//! Checks P7 over HTTP: foreign ids are answered as absent, and a missing key, token or scope as such.
//!
//! Driven by the route table: a route without a case here fails. To add one: an arm in [`foreign`].

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::{SCOPES, TestTenant};
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::{OPERATOR, TestServer};
use voelgoed_web::routes::{self, Access};

/// The response to a foreign caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// 404.
    Absent,
    /// 200 without data of the other organization.
    OwnOnly,
    /// 200: published events are public.
    Public,
    /// 200 with a refused scan.
    ScanRefused,
    /// 410: an invalid pairing code is answered like an expired one.
    PairingExpired,
    /// 401: the route has no caller of an organization.
    Unauthenticated,
    /// 204: the route ends the caller's own login.
    Own,
}

use Expected::{Absent, Own, OwnOnly, PairingExpired, Public, ScanRefused, Unauthenticated};

/// The path and body of a request, and the expected response.
type Case = (String, Value, Expected);

/// A request with ids of `a`, to be sent by `b`; none where the route has no id.
fn foreign(method: &str, route: &str, a: &TestTenant, b: &TestTenant) -> Option<Case> {
    let short = route.trim_start_matches("/api/v1");
    if ROUTES_WITHOUT_ID.contains(&(method, short)) {
        return None;
    }
    let case = to_buyers(method, route, short, a, b).or_else(|| to_organizers(method, route, short, a, b));
    Some(
        case.unwrap_or_else(|| {
            panic!("{method} {route} has no case: say here what a foreign organization is answered")
        }),
    )
}

/// The route with its id filled in.
fn filled(route: &str, id: &str) -> String {
    let (start, rest) = route.split_once('{').unwrap_or((route, ""));
    format!("{start}{id}{}", rest.split_once('}').map_or("", |(_, end)| end))
}

fn to_buyers(method: &str, route: &str, short: &str, a: &TestTenant, b: &TestTenant) -> Option<Case> {
    let path = |id: &str| filled(route, id);
    Some(match (method, short) {
        ("GET", "/events") => (format!("{route}?organization={}", b.organization), Value::Null, OwnOnly),
        ("GET", "/events/{event}" | "/events/{event}/map" | "/events/{event}/availability") => {
            (path(&a.event), Value::Null, Public)
        }
        // A draft has no public stream; other tests read the stream of a published event.
        ("GET", "/events/{event}/stream") => (path(&a.draft), Value::Null, Absent),
        ("POST", "/events/{event}/holds") => (path(&a.draft), a.seats(1), Absent),
        ("GET" | "DELETE", "/holds/{hold}") => (path(&a.hold.0), Value::Null, Absent),
        ("PATCH", "/holds/{hold}") => (path(&a.hold.0), json!({"remove": [0]}), Absent),
        ("POST", "/orders") => (route.into(), TestTenant::order_of(&(a.hold.0.clone(), b.hold.1.clone())), Absent),
        ("GET", "/orders/{order}" | "/orders/{order}/stream") => (path(&a.order.0), Value::Null, Absent),
        ("POST", "/orders/{order}/payments") => {
            (path(&a.order.0), json!({"provider": "sandbox", "method": "ok"}), Absent)
        }
        ("GET", "/tickets/{file}") => (path(&format!("{}.svg", a.ticket)), Value::Null, Absent),
        ("POST", "/login") => {
            (route.into(), json!({"email": a.member, "password": "not the password"}), Unauthenticated)
        }
        ("POST", "/logout") => (route.into(), Value::Null, Own),
        // Operator routes are not on the public listener.
        ("POST", "/organizations") => (route.into(), json!({"name": "C", "slug": "some-other"}), Absent),
        _ => return None,
    })
}

fn to_organizers(method: &str, route: &str, short: &str, a: &TestTenant, b: &TestTenant) -> Option<Case> {
    let path = |id: &str| filled(route, id);
    let amount = json!({"amount": 100, "currency": "EUR"});
    let starts = "2030-01-01T10:00:00Z";
    let event = json!({"name": "Theirs", "layout": a.layout, "starts_at": starts, "timezone": "UTC", "currency": "EUR",
        "sale": {"opens_at": "2029-01-01T10:00:00Z", "closes_at": starts}});
    Some(match (method, short) {
        ("POST", "/events") => (route.into(), event, Absent),
        (
            "GET",
            "/members"
            | "/api-keys"
            | "/audit"
            | "/venues"
            | "/layouts"
            | "/organization/events"
            | "/orders"
            | "/refunds"
            | "/ledger/accounts"
            | "/ledger/entries",
        ) => (route.into(), Value::Null, OwnOnly),
        ("GET" | "PATCH", "/members/{member}") => (path(&a.member_id), json!({"name": "Theirs"}), Absent),
        ("POST", "/members/{member}/password") => {
            (path(&a.member_id), json!({"password": "another horse battery"}), Absent)
        }
        ("GET" | "DELETE", "/members/{member}/logins") => (path(&a.member_id), Value::Null, Absent),
        ("DELETE", "/members/{member}/logins/{login}") => {
            let login = "log_00000000000000000000000000000000";
            (filled(&path(&a.member_id), login), Value::Null, Absent)
        }
        ("DELETE", "/api-keys/{key}") => (path(&a.key_id), Value::Null, Absent),
        ("GET", "/layouts/{layout}") => (path(&a.layout), Value::Null, Absent),
        ("PATCH", "/layouts/{layout}/flags") => (path(&a.layout), json!({"places": [0], "flags": []}), Absent),
        ("POST", "/layouts") => {
            (route.into(), json!({"venue": a.venue, "areas": [{"name": "X", "capacity": 1}]}), Absent)
        }
        ("POST", "/layouts/import") => (
            format!("{route}?format=csv&venue={}", a.venue),
            json!("area,row,seat,x,y,category\nX,A,1,0,0,c\n"),
            Absent,
        ),
        ("PATCH", "/events/{event}") => (path(&a.event), json!({"name": "Mine"}), Absent),
        ("DELETE", "/events/{event}") => (path(&a.draft), Value::Null, Absent),
        ("POST", "/ticket-types") => (route.into(), json!({"event": a.event, "name": "Mine", "price": amount}), Absent),
        ("DELETE", "/ticket-types/{ticket_type}") => (path(&a.ticket_type), Value::Null, Absent),
        ("POST", "/price-rules") => {
            (route.into(), json!({"event": a.event, "code": "X", "effect": {"price": 0}}), Absent)
        }
        (
            "POST",
            "/events/{event}/publish" | "/events/{event}/pause" | "/events/{event}/open" | "/events/{event}/close",
        ) => (path(&a.event), Value::Null, Absent),
        ("POST" | "DELETE", "/events/{event}/blocks") => (path(&a.event), json!({"places": [79]}), Absent),
        ("POST", "/orders/{order}/cancel") => (path(&a.order.0), Value::Null, Absent),
        ("POST", "/orders/{order}/refunds/{refund}/retry" | "/orders/{order}/refunds/{refund}/settle") => {
            let refund = "ref_00000000000000000000000000000000";
            (filled(&path(&a.order.0), refund), json!({"reference": "mine"}), Absent)
        }
        ("POST", "/orders/{order}/refunds") => {
            (path(&a.order.0), json!({"tickets": [a.ticket], "reason": "mine"}), Absent)
        }
        _ => return to_gates(method, route, short, a, b),
    })
}

fn to_gates(method: &str, route: &str, short: &str, a: &TestTenant, b: &TestTenant) -> Option<Case> {
    let path = |id: &str| filled(route, id);
    Some(match (method, short) {
        ("POST", "/gates") => (route.into(), json!({"event": a.event, "name": "Mine"}), Absent),
        ("POST", "/devices") => (route.into(), json!({"event": a.event, "name": "Mine", "gates": [a.gate]}), Absent),
        ("GET", "/events/{event}/funnel") => (path(&a.event), Value::Null, Absent),
        ("GET", "/gates" | "/devices" | "/scans" | "/conflicts") => {
            (format!("{route}?event={}", a.event), Value::Null, Absent)
        }
        ("DELETE", "/devices/{device}") => (path(&a.device), Value::Null, Absent),
        ("POST", "/devices/pair") => (route.into(), json!({"code": "AAAA-AAAA"}), PairingExpired),
        ("GET", "/devices/me/package") => (route.into(), Value::Null, OwnOnly),
        ("POST", "/scans") => (route.into(), b.scan_of(&a.code), ScanRefused),
        ("POST", "/scans/batch") => (route.into(), json!({"scans": [b.scan_of(&a.code)]}), ScanRefused),
        ("POST", "/providers/{name}/callback") => (path("sandbox"), json!({}), Unauthenticated),
        _ => return None,
    })
}

/// Routes without an id of another organization, and a stream that ends only with its viewer.
const ROUTES_WITHOUT_ID: &[(&str, &str)] = &[
    ("POST", "/members"),
    ("POST", "/members/me/password"),
    ("POST", "/api-keys"),
    ("POST", "/venues"),
    ("GET", "/devices/me/stream"),
];

fn request(server: &TestServer, method: &str, path: &str, body: &Value) -> RequestBuilder {
    let request = server.request(method, path).header("Idempotency-Key", uuid::Uuid::now_v7().to_string());
    match body {
        Value::Null => request,
        Value::String(text) => request.header("Content-Type", "text/csv").body(text.clone()),
        _ => request.json(body),
    }
}

/// Everything of `a` that another organization must not read.
fn secrets(a: &TestTenant) -> [&str; 17] {
    [
        &a.organization,
        &a.key,
        &a.key_id,
        &a.member,
        &a.member_id,
        &a.venue,
        &a.layout,
        &a.event,
        &a.draft,
        &a.ticket_type,
        &a.gate,
        &a.device,
        &a.hold.0,
        &a.order.0,
        &a.ticket,
        &a.code,
        &a.seated,
    ]
}

fn judge(expected: Expected, answer: &ApiResponse, a: &TestTenant) -> Result<(), String> {
    let status = answer.status;
    let fits = match expected {
        Absent => status == 404 && matches!(answer.code().as_str(), "not_found"),
        Public => status == 200,
        OwnOnly => status == 200 && !secrets(a).iter().any(|secret| answer.body.contains(secret)),
        ScanRefused => status == 200 && answer.body.contains("\"refused\"") && !answer.body.contains("\"admitted\""),
        PairingExpired => status == 410,
        Unauthenticated => status == 401,
        Own => status == 204,
    };
    if fits { Ok(()) } else { Err(format!("expected {expected:?}, got {status} {}", answer.body)) }
}

#[tokio::test]
async fn test_tenant_has_one_of_everything() -> anyhow::Result<()> {
    let (_server, a, b) = two_tenants().await?;
    for secret in secrets(&a) {
        assert!(!secret.is_empty() && !secrets(&b).contains(&secret), "{secret:?}");
    }
    Ok(())
}

async fn two_tenants() -> anyhow::Result<(TestServer, TestTenant, TestTenant)> {
    let server = start_server(UNLIMITED).await?;
    let (a, b) = (TestTenant::make(&server, "first").await?, TestTenant::make(&server, "second").await?);
    Ok((server, a, b))
}

fn check_no_failures(failures: Vec<String>) {
    assert!(failures.is_empty(), "{} routes fail:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test]
async fn foreign_ids_are_answered_as_absent() -> anyhow::Result<()> {
    let (server, a, b) = two_tenants().await?;
    let mut failures = Vec::new();
    let mut judged = 0;
    for spec in routes::documented() {
        let (method, route, access) = (spec.method.as_str(), spec.path.as_str(), spec.access);
        let Some((path, body, expected)) = foreign(method, route, &a, &b) else {
            continue;
        };
        let request = request(&server, method, &path, &body);
        let request = match access {
            Access::Anyone | Access::Buyer | Access::TokenInBody | Access::Provider => request,
            Access::Token if route.starts_with("/api/v1/holds") => request.header("X-Token", &b.hold.1),
            Access::Token => request.header("X-Token", &b.order.1),
            Access::TokenOrOrganizer | Access::Organizer(_) | Access::AnyOrganizer | Access::Operator => {
                request.bearer_auth(&b.key)
            }
            Access::Device => request.bearer_auth(&b.device_key),
        };
        let answer = server.send(request).await?;
        if let Err(failure) = judge(expected, &answer, &a) {
            failures.push(format!("{method} {path}: {failure}"));
        }
        judged += 1;
    }
    check_no_failures(failures);
    assert_eq!(judged + ROUTES_WITHOUT_ID.len(), routes::documented().len());
    // Nothing of the first organization has changed.
    let order = server.request("GET", &format!("/api/v1/orders/{}", a.order.0)).header("X-Token", &a.order.1);
    assert_eq!(server.send(order).await?.json()["state"], "paid");
    let hold = server.request("GET", &format!("/api/v1/holds/{}", a.hold.0)).header("X-Token", &a.hold.1);
    assert_eq!(server.send(hold).await?.status, 200);
    let scan = server.post("/api/v1/scans", &a.device_key, &a.scan_of(&a.code)).await?;
    assert_eq!(scan["result"], "admitted", "{scan}");
    Ok(())
}

#[tokio::test]
async fn key_of_another_kind_is_refused() -> anyhow::Result<()> {
    let (server, a, b) = two_tenants().await?;
    let mut failures = Vec::new();
    for spec in routes::documented() {
        let (method, route, access) = (spec.method.as_str(), spec.path.as_str(), spec.access);
        let Some((path, body, _)) = foreign(method, route, &a, &b) else { continue };
        let wrong: Vec<(&str, String)> = match access {
            Access::Anyone | Access::Buyer | Access::TokenInBody | Access::Provider => continue,
            Access::Token | Access::TokenOrOrganizer => {
                let other_kind = if route.starts_with("/api/v1/holds") { &a.order.1 } else { &a.hold.1 };
                let own = if route.starts_with("/api/v1/holds") { &a.hold.1 } else { &a.order.1 };
                let mut altered_end = own.clone();
                let last = altered_end.pop().unwrap_or_default();
                altered_end.push(if last == 'A' { 'B' } else { 'A' });
                // The last letter of base64 has unused bits, so a letter in the middle is changed too.
                let middle = own.len() / 2;
                let letter = if own.as_bytes()[middle] == b'x' { "y" } else { "x" };
                let mut altered_middle = own.clone();
                altered_middle.replace_range(middle..=middle, letter);
                let mut wrong = vec![
                    ("X-Token", other_kind.clone()),
                    ("X-Token", altered_end),
                    ("X-Token", altered_middle),
                    ("X-Token", "x".into()),
                    ("X-Nothing", "-".into()),
                ];
                if access == Access::TokenOrOrganizer {
                    wrong.extend(not_an_organizers_key(&b));
                }
                wrong
            }
            Access::Organizer(_) | Access::AnyOrganizer => not_an_organizers_key(&b).into(),
            Access::Device => [b.key.as_str(), OPERATOR, "vgd_AAAA", ""].map(bearer).into(),
            // The public listener refuses even the operator's key.
            Access::Operator => [b.key.as_str(), b.device_key.as_str(), OPERATOR, "operator", ""].map(bearer).into(),
        };
        for (header, value) in wrong {
            let expected = if header == "Authorization" && access != Access::Operator { 401 } else { 404 };
            let answer = server.send(request(&server, method, &path, &body).header(header, &value)).await?;
            if answer.status != expected {
                failures.push(format!(
                    "{method} {path} with {header}: {value}: expected {expected}, got {} {}",
                    answer.status, answer.body
                ));
            }
        }
    }
    check_no_failures(failures);
    Ok(())
}

/// Credentials that are not an organizer's key.
fn not_an_organizers_key(tenant: &TestTenant) -> [(&'static str, String); 4] {
    [tenant.device_key.as_str(), OPERATOR, "vgk_AAAA", ""].map(bearer)
}

fn bearer(key: &str) -> (&'static str, String) {
    ("Authorization", format!("Bearer {key}"))
}

#[tokio::test]
async fn route_is_opened_by_exactly_one_scope() -> anyhow::Result<()> {
    let (server, a, b) = two_tenants().await?;
    let mut failures = Vec::new();
    for spec in routes::documented() {
        let (method, route, access) = (spec.method.as_str(), spec.path.as_str(), spec.access);
        if !matches!(access, Access::Organizer(_) | Access::TokenOrOrganizer) {
            continue;
        }
        // Where a route has no id, a request of the caller's own data is used.
        let (path, body, _) =
            foreign(method, route, &a, &b).unwrap_or_else(|| (route.to_string(), creation_body(route), Absent));
        let mut opened = Vec::new();
        for (scope, key) in SCOPES.iter().zip(&b.scoped) {
            let answer = server.send(request(&server, method, &path, &body).bearer_auth(key)).await?;
            match (answer.status, answer.code().as_str()) {
                (403, "missing_scope") => {}
                (200 | 201 | 404, _) => opened.push(*scope),
                (status, _) => failures.push(format!("{method} {path} with {scope}: {status} {}", answer.body)),
            }
        }
        if opened.len() != 1 {
            failures.push(format!("{method} {route} is opened by {opened:?}"));
        }
    }
    check_no_failures(failures);
    Ok(())
}

/// The body of a request that makes something for the caller.
fn creation_body(route: &str) -> Value {
    match route {
        "/api/v1/members" => {
            json!({"name": "New", "email": "new@example.org", "password": "correct horse battery", "scopes": []})
        }
        "/api/v1/api-keys" => json!({"name": "New", "scopes": ["admin"]}),
        _ => json!({"name": "New"}),
    }
}
