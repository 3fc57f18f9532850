//! Checks that every organizer's write has exactly one audit line, and its replay or refusal none (O6).
//!
//! Driven by the route table: a writing route without a case here fails. To add one: an arm in [`act`].

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::{PASSWORD, TestTenant};
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;
use voelgoed_web::routes::{self, Access};

/// Routes that change only the caller's own login, which has no audit line.
const NO_ACT: &[&str] = &[
    "/api/v1/logout",
    // Only for a refund that its provider refused; the contract of refunds checks these lines.
    "/api/v1/orders/{order}/refunds/{refund}/retry",
    "/api/v1/orders/{order}/refunds/{refund}/settle",
];

/// A request: its path, its body, and its login where it is not sent with the key with every scope.
struct Act {
    path: String,
    body: Value,
    login: Option<(String, String)>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The route with its id filled in.
fn filled(route: &str, id: &str) -> String {
    let (start, rest) = route.split_once('{').unwrap_or((route, ""));
    format!("{start}{id}{}", rest.split_once('}').map_or("", |(_, end)| end))
}

async fn made(server: &TestServer, tenant: &TestTenant, path: &str, body: Value) -> anyhow::Result<String> {
    Ok(text(&server.post(path, &tenant.key, &body).await?["id"]))
}

fn member(email: &str) -> Value {
    json!({"name": "New", "email": email, "password": PASSWORD, "scopes": ["sales"]})
}

fn priced(event: &str) -> Value {
    json!({"event": event, "name": "Full", "price": {"amount": 1000, "currency": "EUR"}})
}

fn a_show(tenant: &TestTenant) -> Value {
    let starts = "2030-01-01T10:00:00Z";
    json!({"name": "Show", "layout": tenant.layout, "starts_at": starts, "timezone": "UTC", "currency": "EUR",
        "sale": {"opens_at": "2025-01-01T10:00:00Z", "closes_at": starts}})
}

/// A draft that can be published.
async fn a_draft(server: &TestServer, tenant: &TestTenant) -> anyhow::Result<String> {
    let draft = made(server, tenant, "/api/v1/events", a_show(tenant)).await?;
    made(server, tenant, "/api/v1/ticket-types", priced(&draft)).await?;
    Ok(draft)
}

/// The request of a route, after making what it needs.
async fn act(server: &TestServer, tenant: &TestTenant, method: &str, route: &str) -> anyhow::Result<Act> {
    let short = route.trim_start_matches("/api/v1");
    if short.starts_with("/members") || short.starts_with("/api-keys") {
        return account_act(server, tenant, method, route, short).await;
    }
    let TestTenant { event, gate, venue, .. } = tenant;
    let (path, body) = match (method, short) {
        ("POST", "/venues") => (route.into(), json!({"name": "Field"})),
        ("POST", "/layouts") => (route.into(), json!({"venue": venue, "areas": [{"name": "X", "capacity": 1}]})),
        ("POST", "/layouts/import") => {
            (format!("{route}?format=csv&venue={venue}"), json!("area,row,seat,x,y,category\nX,A,1,0,0,c\n"))
        }
        ("PATCH", "/events/{event}") => (filled(route, &a_draft(server, tenant).await?), json!({"name": "Renamed"})),
        ("DELETE", "/events/{event}") => (filled(route, &a_draft(server, tenant).await?), Value::Null),
        ("PATCH", "/layouts/{layout}/flags") => {
            (filled(route, &tenant.layout), json!({"places": [3], "flags": ["accessible"]}))
        }
        ("POST", "/events") => (route.into(), a_show(tenant)),
        ("POST", "/ticket-types") => (route.into(), priced(event)),
        ("DELETE", "/ticket-types/{ticket_type}") => {
            (filled(route, &made(server, tenant, "/api/v1/ticket-types", priced(event)).await?), Value::Null)
        }
        ("POST", "/price-rules") => {
            (route.into(), json!({"event": event, "code": "LESS", "effect": {"basis_points_off": 500}}))
        }
        ("POST", "/events/{event}/publish") => (filled(route, &a_draft(server, tenant).await?), Value::Null),
        ("POST", "/events/{event}/pause" | "/events/{event}/open") => (filled(route, event), Value::Null),
        ("POST", "/events/{event}/close") => {
            let shut = a_draft(server, tenant).await?;
            server.post(&format!("/api/v1/events/{shut}/publish"), &tenant.key, &Value::Null).await?;
            (filled(route, &shut), Value::Null)
        }
        ("POST" | "DELETE", "/events/{event}/blocks") => (filled(route, event), json!({"places": [70]})),
        ("POST", "/orders/{order}/cancel") => (filled(route, &unpaid(server, tenant).await?), Value::Null),
        ("POST", "/orders/{order}/refunds") => {
            (filled(route, &tenant.order.0), json!({"tickets": [tenant.ticket], "reason": "ill"}))
        }
        ("POST", "/gates") => (route.into(), json!({"event": event, "name": "South"})),
        ("POST", "/devices") => (route.into(), json!({"event": event, "name": "New", "gates": [gate]})),
        ("DELETE", "/devices/{device}") => {
            let body = json!({"event": event, "name": "Old", "gates": [gate]});
            (filled(route, &made(server, tenant, "/api/v1/devices", body).await?), Value::Null)
        }
        _ => anyhow::bail!("{method} {route} has no case: say here what is done, so that its audit line is looked for"),
    };
    Ok(Act { path, body, login: None })
}

async fn account_act(
    server: &TestServer,
    tenant: &TestTenant,
    method: &str,
    route: &str,
    short: &str,
) -> anyhow::Result<Act> {
    let a_member = async |email: &str| made(server, tenant, "/api/v1/members", member(email)).await;
    let mut login = None;
    let (path, body) = match (method, short) {
        ("POST", "/members") => (route.into(), member("made@example.org")),
        ("PATCH", "/members/{member}") => {
            (filled(route, &a_member("patched@example.org").await?), json!({"name": "Renamed"}))
        }
        ("POST", "/members/{member}/password") => {
            (filled(route, &a_member("reset@example.org").await?), json!({"password": "another horse battery"}))
        }
        ("POST", "/members/me/password") => {
            a_member("own@example.org").await?;
            login = Some(log_in(server, "own@example.org").await?);
            (route.into(), json!({"old_password": PASSWORD, "new_password": "another horse battery"}))
        }
        ("DELETE", "/members/{member}/logins") => {
            let id = a_member("all@example.org").await?;
            log_in(server, "all@example.org").await?;
            (filled(route, &id), Value::Null)
        }
        ("DELETE", "/members/{member}/logins/{login}") => {
            let id = a_member("one@example.org").await?;
            log_in(server, "one@example.org").await?;
            let path = format!("/api/v1/members/{id}/logins");
            let listed = server.get(&path, &tenant.key).await?;
            (format!("{path}/{}", text(&listed["items"][0]["id"])), Value::Null)
        }
        ("POST", "/api-keys") => (route.into(), json!({"name": "New", "scopes": ["sales"]})),
        ("DELETE", "/api-keys/{key}") => {
            let body = json!({"name": "Old", "scopes": ["sales"]});
            (filled(route, &made(server, tenant, "/api/v1/api-keys", body).await?), Value::Null)
        }
        _ => anyhow::bail!("{method} {route} has no case: say here what is done, so that its audit line is looked for"),
    };
    Ok(Act { path, body, login })
}

async fn log_in(server: &TestServer, email: &str) -> anyhow::Result<(String, String)> {
    let answer = server
        .send(server.request("POST", "/api/v1/login").json(&json!({"email": email, "password": PASSWORD})))
        .await?;
    anyhow::ensure!(answer.status == 200, "{email}: {} {}", answer.status, answer.body);
    let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    Ok((cookie, text(&answer.json()["csrf"])))
}

/// Makes an order that awaits its payment.
async fn unpaid(server: &TestServer, tenant: &TestTenant) -> anyhow::Result<String> {
    let body = json!({"event": tenant.event, "name": "Dear", "price": {"amount": 1000, "currency": "EUR"}});
    let ticket_type = server.post("/api/v1/ticket-types", &tenant.key, &body).await?["id"].clone();
    let items =
        json!({"items": [{"area": tenant.seated, "quantity": 1, "ticket_type": ticket_type}], "best_available": true});
    let hold = server.post(&format!("/api/v1/events/{}/holds", tenant.event), "", &items).await?;
    let mut body = TestTenant::order_of(&(text(&hold["id"]), text(&hold["token"])));
    body["payment"] = json!({"provider": "sandbox", "method": "slow"});
    let request = server.request("POST", "/api/v1/orders").header("Idempotency-Key", "unpaid").json(&body);
    let order = server.send(request).await?;
    anyhow::ensure!(order.status == 201, "{} {}", order.status, order.body);
    Ok(text(&order.json()["id"]))
}

fn request(server: &TestServer, method: &str, act: &Act) -> RequestBuilder {
    let request = server.request(method, &act.path).header("Idempotency-Key", format!("{method}:{}", act.path));
    match &act.body {
        Value::Null => request,
        Value::String(text) => request.header("Content-Type", "text/csv").body(text.clone()),
        body => request.json(body),
    }
}

/// All audit lines, oldest first.
async fn lines(server: &TestServer, key: &str) -> anyhow::Result<Vec<Value>> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/api/v1/audit?limit=200{after}"), key).await?;
        all.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(all),
        }
    }
}

#[tokio::test]
async fn write_has_one_audit_line_and_a_replay_or_refusal_has_none() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "audited").await?;
    let body = json!({"name": "nothing", "scopes": ["integrations"]});
    let powerless = text(&server.post("/api/v1/api-keys", &tenant.key, &body).await?["secret"]);
    let mut failures = Vec::new();
    let mut judged = 0;
    for spec in routes::documented() {
        let (method, route, access) = (spec.method.as_str(), spec.path.as_str(), spec.access);
        let organizers = matches!(access, Access::Organizer(_) | Access::AnyOrganizer);
        if !organizers || method == "GET" || NO_ACT.contains(&route) {
            continue;
        }
        let act = act(&server, &tenant, method, route).await?;
        judged += 1;
        let before = lines(&server, &tenant.key).await?.len();
        let send = async |login: bool, key: &str| {
            let request = request(&server, method, &act);
            server
                .send(match &act.login {
                    Some((cookie, csrf)) if login => request.header("Cookie", cookie).header("X-CSRF-Token", csrf),
                    _ => request.bearer_auth(key),
                })
                .await
        };
        let refused = send(false, &powerless).await?;
        let done = send(true, &tenant.key).await?;
        let after = lines(&server, &tenant.key).await?;
        let again = send(true, &tenant.key).await?;
        let at_last = lines(&server, &tenant.key).await?.len();
        if !refused.is_client_error() || !done.is_success() {
            failures.push(format!(
                "{method} {route}: refused {} {}, done {} {}",
                refused.status, refused.body, done.status, done.body
            ));
        }
        let line = after.last().cloned().unwrap_or_default();
        let named = [&line["actor"], &line["action"], &line["subject"]]
            .iter()
            .all(|part| part.as_str().is_some_and(|part| !part.is_empty()));
        if after.len() != before + 1 || !named {
            failures.push(format!("{method} {route}: {} lines, the last {line}", after.len() - before));
        }
        // Setting a password is not idempotent.
        let is_repeatable = route != "/api/v1/members/{member}/password";
        if is_repeatable && at_last != after.len() {
            failures.push(format!(
                "{method} {route}: {} lines after {} {}",
                at_last - after.len(),
                again.status,
                again.body
            ));
        }
    }
    assert!(failures.is_empty(), "{} of {judged}:\n{}", failures.len(), failures.join("\n"));
    println!("{judged} writing routes, one line each");
    Ok(())
}
