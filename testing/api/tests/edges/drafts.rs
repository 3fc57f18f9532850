//! Checks that an organizer can delete a draft with everything made for it, and no published event (O3).

use std::time::Duration;

use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::until::until;

const RELAY_TIMEOUT: Duration = Duration::from_secs(20);

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn draft_is_deleted_with_its_gates_devices_and_blocks() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "drafts").await?;
    let (key, draft) = (&tenant.key, &tenant.draft);
    let price = json!({"event": draft, "name": "Friend", "price": {"amount": 0, "currency": "EUR"}});
    server.post("/api/v1/ticket-types", key, &price).await?;
    let gate = text(&server.post("/api/v1/gates", key, &json!({"event": draft, "name": "North"})).await?["id"]);
    let device = json!({"name": "Scanner", "event": draft, "gates": [gate]});
    let code = server.post("/api/v1/devices", key, &device).await?["pairing_code"].clone();
    let device_key = text(&server.post("/api/v1/devices/pair", "", &json!({"code": code})).await?["key"]);
    let package = async || {
        let request = server.request("GET", "/api/v1/devices/me/package").bearer_auth(&device_key);
        server.send(request).await
    };
    let before = package().await?;
    anyhow::ensure!(before.status == 200, "{} {}", before.status, before.body);
    let path = format!("/api/v1/events/{draft}");
    server
        .send(server.request("POST", &format!("{path}/blocks")).bearer_auth(key).json(&json!({"places": [3]})))
        .await?;

    let delete = async |path: &str, key: &str| server.send(server.request("DELETE", path).bearer_auth(key)).await;
    let sales = &tenant.scoped[2];
    assert_eq!(delete(&path, sales).await?.status, 403);
    let published = delete(&format!("/api/v1/events/{}", tenant.event), key).await?;
    assert_eq!((published.status, text(&published.json()["code"]).as_str()), (409, "wrong_state"));
    assert_eq!(delete(&path, key).await?.status, 204);
    assert_eq!(delete(&path, key).await?.status, 404);
    let listed = server.get("/api/v1/organization/events", key).await?;
    let ids: Vec<String> = listed["items"].as_array().into_iter().flatten().map(|event| text(&event["id"])).collect();
    assert_eq!(ids, std::slice::from_ref(&tenant.event));
    until("the device's key is over", RELAY_TIMEOUT, || async { Ok((package().await?.status == 401).then_some(())) })
        .await?;
    // No outbox event of the deleted draft stays pending.
    until("the outbox is empty", RELAY_TIMEOUT, || async {
        let metrics = server.send(server.internal_request("GET", "/metrics")).await?.body;
        Ok(metrics
            .lines()
            .any(|line| line.starts_with("voelgoed_outbox_pending{") && line.ends_with(" 0"))
            .then_some(()))
    })
    .await
}
