//! Checks the rule for typed text over the API: what is stored, what is refused, and which texts are equal.

use serde_json::{Value, json};
use uuid::Uuid;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

/// A path, and the body of a request with a name.
type Typed = (&'static str, Box<dyn Fn(&str) -> Value>);

/// Every request with a typed name.
fn names(tenant: &TestTenant) -> Vec<Typed> {
    let (venue, layout, event, gate) =
        (tenant.venue.clone(), tenant.layout.clone(), tenant.event.clone(), tenant.gate.clone());
    let of_event = event.clone();
    let of_layout = venue.clone();
    let devices = event.clone();
    vec![
        ("/api/v1/venues", Box::new(|name| json!({"name": name}))),
        (
            "/api/v1/layouts",
            Box::new(move |name| json!({"venue": of_layout, "areas": [{"name": name, "capacity": 1}]})),
        ),
        (
            "/api/v1/events",
            Box::new(move |name| {
                json!({"name": name, "layout": layout, "starts_at": "2999-01-01T10:00:00Z", "timezone": "UTC",
                    "sale": {"opens_at": "2026-01-01T10:00:00Z", "closes_at": "2999-01-01T09:00:00Z"}, "currency": "EUR"})
            }),
        ),
        (
            "/api/v1/ticket-types",
            Box::new(move |name| json!({"event": of_event, "name": name, "price": {"amount": 1, "currency": "EUR"}})),
        ),
        ("/api/v1/gates", Box::new(move |name| json!({"event": event, "name": name}))),
        ("/api/v1/devices", Box::new(move |name| json!({"event": devices, "name": name, "gates": [gate]}))),
        ("/api/v1/api-keys", Box::new(|name| json!({"name": name, "scopes": ["sales"]}))),
        (
            "/api/v1/members",
            Box::new(|name| {
                let email = format!("m{}@example.org", Uuid::now_v7().simple());
                json!({"name": name, "email": email, "password": "correct horse battery", "scopes": ["sales"]})
            }),
        ),
    ]
}

async fn post(server: &TestServer, tenant: &TestTenant, path: &str, body: &Value) -> anyhow::Result<ApiResponse> {
    server.send(server.request("POST", path).bearer_auth(&tenant.key).json(body)).await
}

#[tokio::test]
async fn every_typed_name_follows_one_rule() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "typed").await?;
    for (path, body) in names(&tenant) {
        for refused in ["\u{200b}", "\u{202e}evil", "a\u{202e}b", "a\0b", "a\r\nb", " ", "\u{3164}", "a\u{200b}b"] {
            let answer = post(&server, &tenant, path, &body(refused)).await?;
            let got = (answer.status, answer.code());
            assert_eq!(got, (400, "invalid_request".to_owned()), "{path} {refused:?}: {}", answer.body);
        }
        for (typed, stored) in [
            (" Ju\u{308}rgen\r\n", "Jürgen"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("👩\u{200d}👩\u{200d}👧", "👩\u{200d}👩\u{200d}👧"),
        ] {
            let answer = post(&server, &tenant, path, &body(typed)).await?;
            assert_eq!(answer.status, 201, "{path} {typed:?}: {}", answer.body);
            assert!(answer.body.contains(&format!("\"name\":\"{stored}\"")), "{path}: {}", answer.body);
        }
    }
    Ok(())
}

#[tokio::test]
async fn buyer_name_and_email_are_normalized_or_refused() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "buyers").await?;
    for (name, email, status) in [
        (" Zo\u{eb} \r\n", "\r\n Zoe@Exa\u{6d}ple.ORG\u{200b}\r\n", 201),
        ("අක්\u{200d}ෂ", "අක@උදාහරණ.ලංකා", 201),
        ("Ann\r\nBcc: bob@example.org", "ann@example.org", 400),
        ("Ann\0", "ann@example.org", 400),
        ("Ann", "ann@example.org\r\nBcc: bob@example.org", 400),
        ("\u{202e}nnA", "ann@example.org", 400),
    ] {
        let hold = tenant.hold_seats(&server, 1).await?;
        let mut body = TestTenant::order_of(&hold);
        body["buyer"] = json!({"name": name, "email": email});
        let request = server.request("POST", "/api/v1/orders").header("Idempotency-Key", Uuid::now_v7().to_string());
        let answer = server.send(request.json(&body)).await?;
        assert_eq!(answer.status, status, "{name:?} {email:?}: {}", answer.body);
    }
    let orders = server.get("/api/v1/orders", &tenant.key).await?.to_string();
    assert!(orders.contains(r#""name":"Zoë""#) && orders.contains(r#""email":"Zoe@example.org""#), "{orders}");
    assert!(!orders.contains("\\r") && !orders.contains("\\n"), "{orders}");
    Ok(())
}

#[tokio::test]
async fn promo_codes_that_look_the_same_are_equal() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "codes").await?;
    let body = json!({"event": tenant.event, "name": "Paid", "price": {"amount": 1000, "currency": "EUR"}});
    let paid = post(&server, &tenant, "/api/v1/ticket-types", &body).await?.json()["id"].clone();
    let rule = |code: &str| json!({"event": tenant.event, "code": code, "effect": {"amount_off": 100}});
    assert_eq!(post(&server, &tenant, "/api/v1/price-rules", &rule("SUMMER10")).await?.status, 201);
    for alike in ["summer10", "SUMMER1O", "SUMMER\u{200b}10", "ЅUMMER10", "ＳＵＭＭＥＲ10"] {
        let answer = post(&server, &tenant, "/api/v1/price-rules", &rule(alike)).await?;
        let refused =
            matches!((answer.status, answer.code().as_str()), (409, "already_exists") | (400, "invalid_request"));
        assert!(refused, "{alike:?}: {}", answer.body);
    }
    let holds = format!("/api/v1/events/{}/holds", tenant.event);
    for (place, typed) in
        [(30, "Summer10"), (31, "SUM\u{200b}MER10"), (32, " summer10\u{feff} "), (33, "SUM\u{ad}MER10")]
    {
        let body = json!({"items": [{"place": place, "ticket_type": paid}], "code": typed});
        let answer = server.send(server.request("POST", &holds).json(&body)).await?;
        assert_eq!(answer.status, 201, "{typed:?}: {}", answer.body);
        assert_eq!(answer.json()["total"]["amount"], 900);
    }
    Ok(())
}
