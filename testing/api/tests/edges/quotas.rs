//! Checks every quota of an organization at its edge, and the rate limit of its writes (H9).

use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Sends a request beyond the quota `name`, and checks its refusal.
async fn check_refused(
    server: &TestServer,
    key: &str,
    path: &str,
    body: &Value,
    name: &str,
    most: u64,
) -> anyhow::Result<()> {
    let answer = server.send(server.request("POST", path).bearer_auth(key).json(body)).await?;
    let limit = answer.json()["limit"].clone();
    let found = (answer.status, answer.code());
    anyhow::ensure!(found == (409, "quota_reached".to_owned()), "{path}: {found:?} {}", answer.body);
    anyhow::ensure!(limit == json!({"name": name, "most": most}), "{path}: {}", answer.body);
    Ok(())
}

/// Starts a server with these quotas.
async fn start_with_quotas(quotas: &[(&str, &'static str)]) -> anyhow::Result<TestServer> {
    let mut settings = UNLIMITED.to_vec();
    for (name, most) in quotas {
        settings.push((Box::leak(format!("VOELGOED__QUOTAS__{name}_MAX").into_boxed_str()), most));
    }
    start_server(&settings).await
}

/// The body of a draft.
fn draft(layout: &str) -> Value {
    let starts = "2030-01-01T10:00:00Z";
    json!({"name": "Show", "layout": layout, "starts_at": starts, "timezone": "UTC", "currency": "EUR",
        "sale": {"opens_at": "2025-01-01T10:00:00Z", "closes_at": starts}})
}

async fn tenant(server: &TestServer, slug: &str) -> anyhow::Result<String> {
    Ok(text(&server.organization(slug).await?["api_key"]))
}

#[tokio::test]
async fn request_beyond_a_quota_is_refused_with_the_name_of_the_quota() -> anyhow::Result<()> {
    let server = start_with_quotas(&[
        ("MEMBERS", "2"),
        ("API_KEYS", "2"),
        ("DEVICES", "2"),
        ("EVENTS", "2"),
        ("LAYOUTS", "3"),
        ("SEATS", "10"),
    ])
    .await?;
    let key = tenant(&server, "quotas").await?;
    let venue = text(&server.post("/api/v1/venues", &key, &json!({"name": "Hall"})).await?["id"]);
    let layout = |places: u32| json!({"venue": venue, "areas": [{"name": "Floor", "capacity": places}]});
    let plan = text(&server.post("/api/v1/layouts", &key, &layout(4)).await?["id"]);
    let event = draft(&plan);
    let made = text(&server.post("/api/v1/events", &key, &event).await?["id"]);
    let gate = text(&server.post("/api/v1/gates", &key, &json!({"event": made, "name": "North"})).await?["id"]);
    let member = |number: u32| json!({"name": "M", "email": format!("{number}@example.org"), "password": "correct horse battery", "scopes": []});
    for number in 0..2 {
        server.post("/api/v1/members", &key, &member(number)).await?;
    }
    check_refused(&server, &key, "/api/v1/members", &member(2), "members_max", 2).await?;
    // The first key counts for the quota.
    let second = server.post("/api/v1/api-keys", &key, &json!({"name": "K", "scopes": ["sales"]})).await?;
    check_refused(&server, &key, "/api/v1/api-keys", &json!({"name": "K", "scopes": ["sales"]}), "api_keys_max", 2)
        .await?;
    let revoke = server.request("DELETE", &format!("/api/v1/api-keys/{}", text(&second["id"]))).bearer_auth(&key);
    assert_eq!(server.send(revoke).await?.status, 204);
    server.post("/api/v1/api-keys", &key, &json!({"name": "K", "scopes": ["sales"]})).await?;
    let device = json!({"name": "D", "event": made, "gates": [gate]});
    for _ in 0..2 {
        server.post("/api/v1/devices", &key, &device).await?;
    }
    check_refused(&server, &key, "/api/v1/devices", &device, "devices_max", 2).await?;
    server.post("/api/v1/events", &key, &event).await?;
    check_refused(&server, &key, "/api/v1/events", &event, "events_max", 2).await?;
    check_refused(&server, &key, "/api/v1/layouts", &layout(7), "seats_max", 10).await?;
    server.post("/api/v1/layouts", &key, &layout(5)).await?;
    server.post("/api/v1/layouts", &key, &layout(1)).await?;
    check_refused(&server, &key, "/api/v1/layouts", &layout(1), "layouts_max", 3).await?;
    // Quotas of organizations are independent.
    let other = tenant(&server, "other").await?;
    server.post("/api/v1/members", &other, &member(0)).await?;
    Ok(())
}

#[tokio::test]
async fn request_beyond_a_catalogue_quota_is_refused_with_the_name_of_the_quota() -> anyhow::Result<()> {
    let quotas = ["VENUES", "TICKET_TYPES_PER_EVENT", "PRICE_RULES_PER_EVENT", "GATES_PER_EVENT"];
    let server = start_with_quotas(&quotas.map(|name| (name, "2"))).await?;
    let key = tenant(&server, "catalogue").await?;
    let hall = json!({"name": "Hall"});
    let venue = text(&server.post("/api/v1/venues", &key, &hall).await?["id"]);
    server.post("/api/v1/venues", &key, &hall).await?;
    check_refused(&server, &key, "/api/v1/venues", &hall, "venues_max", 2).await?;
    let layout = json!({"venue": venue, "areas": [{"name": "Floor", "capacity": 4}]});
    let layout = text(&server.post("/api/v1/layouts", &key, &layout).await?["id"]);
    let price = json!({"amount": 100, "currency": "EUR"});
    for _ in 0..2 {
        let event = text(&server.post("/api/v1/events", &key, &draft(&layout)).await?["id"]);
        for (path, name, body) in [
            (
                "/api/v1/ticket-types",
                "ticket_types_per_event_max",
                json!({"event": event, "name": "Full", "price": price}),
            ),
            (
                "/api/v1/price-rules",
                "price_rules_per_event_max",
                json!({"event": event, "effect": {"basis_points_off": 100}}),
            ),
            ("/api/v1/gates", "gates_per_event_max", json!({"event": event, "name": "South"})),
        ] {
            for _ in 0..2 {
                server.post(path, &key, &body).await?;
            }
            check_refused(&server, &key, path, &body, name, 2).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn writes_are_limited_by_organization() -> anyhow::Result<()> {
    let mut settings = UNLIMITED.to_vec();
    settings.retain(|(name, _)| *name != "VOELGOED__LIMITS__ORGANIZER_WRITE_BURST");
    settings
        .extend([("VOELGOED__LIMITS__ORGANIZER_WRITE_BURST", "5"), ("VOELGOED__LIMITS__ORGANIZER_WRITE_PER", "1h")]);
    let server = start_server(&settings).await?;
    let [key, other] = [tenant(&server, "busy").await?, tenant(&server, "calm").await?];
    let venue = async |key: &str| {
        server.send(server.request("POST", "/api/v1/venues").bearer_auth(key).json(&json!({"name": "Hall"}))).await
    };
    let reader = server.post("/api/v1/api-keys", &key, &json!({"name": "reader", "scopes": ["reports"]})).await?;
    let reader = text(&reader["secret"]);
    for _ in 0..10 {
        let refused = venue(&reader).await?;
        assert_eq!((refused.status, refused.code().as_str()), (403, "missing_scope"), "refused writes do not count");
    }
    for number in 1..5 {
        assert_eq!(venue(&key).await?.status, 201, "{number}");
    }
    let refused = venue(&key).await?;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"), "{}", refused.body);
    assert_eq!(refused.json()["limit"], json!({"name": "organizer_writes", "most": 5}));
    assert!(!refused.header("retry-after").is_empty());
    server.get("/api/v1/venues", &key).await?;
    assert_eq!(venue(&other).await?.status, 201, "another organization goes on");
    Ok(())
}
