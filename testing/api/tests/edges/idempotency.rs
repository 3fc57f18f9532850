//! Checks that a repeated request with the same idempotency key is replayed, another request with it is a conflict, and a missing key is an error.

use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

async fn order(server: &TestServer, key: &str, body: &Value) -> anyhow::Result<ApiResponse> {
    let request = server.request("POST", "/api/v1/orders").json(body);
    let request = if key.is_empty() { request } else { request.header("Idempotency-Key", key) };
    server.send(request).await
}

#[tokio::test]
async fn order_is_placed_once_per_idempotency_key() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "repeat").await?;
    let body = TestTenant::order_of(&tenant.hold_seats(&server, 2).await?);

    for (key, code) in
        [("", "idempotency_key_required"), ("with a blank", "invalid_request"), (&"x".repeat(201), "invalid_request")]
    {
        let answer = order(&server, key, &body).await?;
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{key:?}: {}", answer.body);
    }
    // The longest valid key.
    let key = "k".repeat(200);
    let first = order(&server, &key, &body).await?;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.header("idempotency-replayed"), "");
    for _ in 0..3 {
        let again = order(&server, &key, &body).await?;
        assert_eq!((again.status, &again.body), (201, &first.body), "the very same bytes");
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    let mut other = body.clone();
    other["buyer"]["name"] = json!("Bob");
    let mismatch = order(&server, &key, &other).await?;
    assert_eq!((mismatch.status, mismatch.code().as_str()), (409, "idempotency_mismatch"));
    // A hold is ordered once, also with another key.
    let second = order(&server, "another-key", &body).await?;
    assert_eq!((second.status, second.code().as_str()), (409, "already_ordered"), "{}", second.body);
    assert_eq!(second.json()["order"], first.json()["id"]);
    Ok(())
}

#[tokio::test]
async fn idempotency_keys_of_two_callers_are_independent() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "keys").await?;
    let mut ids = Vec::new();
    for hold in [tenant.hold_seats(&server, 1).await?, tenant.hold_seats(&server, 1).await?] {
        // Two buyers with the same key.
        let answer = order(&server, "1", &TestTenant::order_of(&hold)).await?;
        assert_eq!(answer.status, 201, "{}", answer.body);
        ids.push(answer.json()["id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
    // Requests of organizers are idempotent too, if they have a key.
    let venue = || server.request("POST", "/api/v1/venues").bearer_auth(&tenant.key).header("Idempotency-Key", "v");
    let first = server.send(venue().json(&json!({"name": "Hall"}))).await?;
    let again = server.send(venue().json(&json!({"name": "Hall"}))).await?;
    assert_eq!((first.status, &first.body), (201, &again.body));
    let other = server.send(venue().json(&json!({"name": "Field"}))).await?;
    assert_eq!((other.status, other.code().as_str()), (409, "idempotency_mismatch"));
    Ok(())
}

#[tokio::test]
async fn blocks_and_pairings_can_be_repeated_after_a_lost_response() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "acts").await?;
    let blocks = format!("/api/v1/events/{}/blocks", tenant.event);
    let block = async |key: Option<&str>, place: u32| {
        let request = server.request("POST", &blocks).bearer_auth(&tenant.key).json(&json!({"places": [place]}));
        server.send(key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key))).await
    };
    for (key, place, status, replayed) in [
        (Some("one"), 70, 204, ""),
        (Some("one"), 70, 204, "true"),
        (Some("one"), 71, 409, ""),
        (Some("two"), 70, 409, ""),
        (None, 70, 409, ""),
    ] {
        let answer = block(key, place).await?;
        let seen = (answer.status, answer.header("idempotency-replayed"));
        assert_eq!(seen, (status, replayed), "{key:?} {place}: {}", answer.body);
    }

    let device = json!({"name": "Scanner", "event": tenant.event, "gates": [tenant.gate]});
    let code = server.post("/api/v1/devices", &tenant.key, &device).await?["pairing_code"].clone();
    let pair = async |key: &str| {
        let request = server.request("POST", "/api/v1/devices/pair").header("Idempotency-Key", key);
        server.send(request.json(&json!({"code": code}))).await
    };
    let (first, again, other) = (pair("scanner-1").await?, pair("scanner-1").await?, pair("scanner-2").await?);
    assert_eq!((first.status, &first.body), (200, &again.body));
    assert_eq!((other.status, other.code().as_str()), (410, "pairing_expired"));
    let paired = first.json();
    let key = paired["key"].as_str().unwrap_or_default();
    let package = server.send(server.request("GET", "/api/v1/devices/me/package").bearer_auth(key)).await?;
    assert_eq!(package.status, 200, "{}", package.body);
    let revoke = format!("/api/v1/devices/{}", paired["device"].as_str().unwrap_or_default());
    assert_eq!(server.send(server.request("DELETE", &revoke).bearer_auth(&tenant.key)).await?.status, 204);
    assert_eq!(pair("scanner-1").await?.code(), "pairing_expired", "a revoked device is not paired again");
    Ok(())
}
