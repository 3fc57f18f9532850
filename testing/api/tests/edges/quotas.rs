//! What one organization may have and do: every quota at its edge, and the rate of its changes (H9).

use serde_json::{Value, json};
use voelgoed_api_tests::server::{Server, WIDE};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

async fn tenant(server: &Server, slug: &str) -> anyhow::Result<String> {
    Ok(text(&server.organization(slug).await?["api_key"]))
}

#[tokio::test]
async fn every_quota_is_refused_by_its_name_at_its_edge() -> anyhow::Result<()> {
    let mut settings = WIDE.to_vec();
    for (name, most) in [
        ("MEMBERS", "2"),
        ("API_KEYS", "2"),
        ("DEVICES", "2"),
        ("EVENTS", "2"),
        ("LAYOUTS", "3"),
        ("SEATS", "10"),
        ("VENUES", "2"),
        ("TICKET_TYPES_PER_EVENT", "2"),
        ("PRICE_RULES_PER_EVENT", "2"),
        ("GATES_PER_EVENT", "2"),
    ] {
        settings.push((Box::leak(format!("VOELGOED__QUOTAS__{name}_MAX").into_boxed_str()), most));
    }
    let server = Server::start(&settings).await?;
    let key = tenant(&server, "quotas").await?;
    let venue = text(&server.post("/api/v1/venues", &key, &json!({"name": "Hall"})).await?["id"]);
    let layout = |places: u32| json!({"venue": venue, "areas": [{"name": "Floor", "capacity": places}]});
    let plan = text(&server.post("/api/v1/layouts", &key, &layout(4)).await?["id"]);
    let starts = "2030-01-01T10:00:00Z";
    let event = json!({"name": "Show", "layout": plan, "starts_at": starts, "timezone": "UTC", "currency": "EUR",
        "sale": {"opens_at": "2025-01-01T10:00:00Z", "closes_at": starts}});
    let made = text(&server.post("/api/v1/events", &key, &event).await?["id"]);
    let gate = text(&server.post("/api/v1/gates", &key, &json!({"event": made, "name": "North"})).await?["id"]);
    let refused = async |path: &str, body: &Value, name: &str, most: u64| {
        let answer = server.send(server.request("POST", path).bearer_auth(&key).json(body)).await?;
        let limit = answer.json()["limit"].clone();
        anyhow::ensure!(
            answer.status == 409 && answer.code() == "quota_reached",
            "{path}: {} {}",
            answer.status,
            answer.body
        );
        anyhow::ensure!(limit == json!({"name": name, "most": most}), "{path}: {}", answer.body);
        anyhow::Ok(())
    };
    let member = |number: u32| json!({"name": "M", "email": format!("{number}@example.org"), "password": "correct horse battery", "scopes": []});
    for number in 0..2 {
        server.post("/api/v1/members", &key, &member(number)).await?;
    }
    refused("/api/v1/members", &member(2), "members_max", 2).await?;
    // The first key is one of the two.
    let second = server.post("/api/v1/api-keys", &key, &json!({"name": "K", "scopes": ["sales"]})).await?;
    refused("/api/v1/api-keys", &json!({"name": "K", "scopes": ["sales"]}), "api_keys_max", 2).await?;
    let revoke = server.request("DELETE", &format!("/api/v1/api-keys/{}", text(&second["id"]))).bearer_auth(&key);
    assert_eq!(server.send(revoke).await?.status, 204);
    server.post("/api/v1/api-keys", &key, &json!({"name": "K", "scopes": ["sales"]})).await?;
    let device = json!({"name": "D", "event": made, "gates": [gate]});
    for _ in 0..2 {
        server.post("/api/v1/devices", &key, &device).await?;
    }
    refused("/api/v1/devices", &device, "devices_max", 2).await?;
    let second_event = text(&server.post("/api/v1/events", &key, &event).await?["id"]);
    refused("/api/v1/events", &event, "events_max", 2).await?;
    refused("/api/v1/layouts", &layout(7), "seats_max", 10).await?;
    server.post("/api/v1/layouts", &key, &layout(5)).await?;
    server.post("/api/v1/layouts", &key, &layout(1)).await?;
    refused("/api/v1/layouts", &layout(1), "layouts_max", 3).await?;
    let hall = json!({"name": "Hall"});
    server.post("/api/v1/venues", &key, &hall).await?;
    refused("/api/v1/venues", &hall, "venues_max", 2).await?;
    let of_event = |event: &str| {
        let price = json!({"amount": 100, "currency": "EUR"});
        [
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
        ]
    };
    for (path, name, body) in of_event(&second_event) {
        for _ in 0..2 {
            server.post(path, &key, &body).await?;
        }
        refused(path, &body, name, 2).await?;
    }
    // Another event has its own.
    for (path, _, body) in of_event(&made) {
        server.post(path, &key, &body).await?;
    }
    // Another organization has its own.
    let other = tenant(&server, "other").await?;
    server.post("/api/v1/members", &other, &member(0)).await?;
    Ok(())
}

#[tokio::test]
async fn one_organization_changes_only_so_much_in_a_minute() -> anyhow::Result<()> {
    let mut settings = WIDE.to_vec();
    settings.retain(|(name, _)| *name != "VOELGOED__LIMITS__ORGANIZER_WRITE_BURST");
    settings
        .extend([("VOELGOED__LIMITS__ORGANIZER_WRITE_BURST", "5"), ("VOELGOED__LIMITS__ORGANIZER_WRITE_PER", "1h")]);
    let server = Server::start(&settings).await?;
    let [key, other] = [tenant(&server, "busy").await?, tenant(&server, "calm").await?];
    let venue = async |key: &str| {
        server.send(server.request("POST", "/api/v1/venues").bearer_auth(key).json(&json!({"name": "Hall"}))).await
    };
    for number in 0..5 {
        assert_eq!(venue(&key).await?.status, 201, "{number}");
    }
    let refused = venue(&key).await?;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "rate_limited"), "{}", refused.body);
    assert_eq!(refused.json()["limit"], json!({"name": "organizer_writes", "most": 5}));
    assert!(!refused.header("retry-after").is_empty());
    server.get("/api/v1/venues", &key).await?;
    assert_eq!(venue(&other).await?.status, 201, "another organization goes on");
    Ok(())
}
