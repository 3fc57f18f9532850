//! Checks free orders: paid and answered with their tickets at once, and refunded without a provider.

use serde_json::{Value, json};
use voelgoed_api_tests::EFFECT_TIMEOUT;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;
use voelgoed_testkit::until::until;

async fn order(server: &TestServer, tenant: &TestTenant, seats: u32) -> anyhow::Result<ApiResponse> {
    let hold = tenant.hold_seats(server, seats).await?;
    let body = TestTenant::order_of(&hold);
    let request = || server.request("POST", "/api/v1/orders").header("Idempotency-Key", "one").json(&body);
    let answer = server.send(request()).await?;
    assert_eq!(server.send(request()).await?.body, answer.body, "a repeat answers the same");
    Ok(answer)
}

async fn read(server: &TestServer, order: &Value) -> anyhow::Result<Value> {
    let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap_or_default());
    let token = order["token"].as_str().unwrap_or_default();
    Ok(server.send(server.request("GET", &path).header("X-Token", token)).await?.json())
}

async fn refund(server: &TestServer, tenant: &TestTenant, order: &Value, body: &Value) -> anyhow::Result<ApiResponse> {
    let path = format!("/api/v1/orders/{}/refunds", order["id"].as_str().unwrap_or_default());
    let request =
        server.request("POST", &path).bearer_auth(&tenant.key).header("Idempotency-Key", body.to_string().len());
    server.send(request.json(body)).await
}

#[tokio::test]
async fn response_to_a_free_order_contains_its_tickets() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "gratis").await?;
    let answer = order(&server, &tenant, 3).await?;
    let placed = answer.json();
    assert_eq!((answer.status, &placed["state"]), (201, &json!("paid")), "{}", answer.body);
    assert_eq!(placed["tickets"].as_array().map(Vec::len), Some(3), "{}", answer.body);
    assert_eq!(read(&server, &placed).await?["tickets"], placed["tickets"]);
    let code = placed["tickets"][0]["code"].as_str().unwrap_or_default();
    let scanned = server.post("/api/v1/scans", &tenant.device_key, &tenant.scan_of(code)).await?;
    assert_eq!(scanned["result"], "admitted", "{scanned}");
    Ok(())
}

#[tokio::test]
async fn free_tickets_are_refunded_and_revoked() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "back").await?;
    let balances = server.get("/api/v1/ledger/accounts", &tenant.key).await?;
    let placed = order(&server, &tenant, 2).await?.json();
    let ticket = |at: usize| placed["tickets"][at]["id"].clone();
    let money = json!({"amount": {"amount": 1, "currency": "EUR"}, "reason": "rain"});
    let answer = refund(&server, &tenant, &placed, &money).await?;
    assert_eq!((answer.status, answer.code().as_str()), (409, "refund_too_large"), "{}", answer.body);
    for (at, state) in [(0, "partially_refunded"), (1, "refunded")] {
        let body = json!({"tickets": [ticket(at)], "reason": "x".repeat(at + 1)});
        let answer = refund(&server, &tenant, &placed, &body).await?;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.json()["amount"], json!({"amount": 0, "currency": "EUR"}));
        until("the tickets are taken back", EFFECT_TIMEOUT, || async {
            let now = read(&server, &placed).await?;
            Ok((now["state"] == state && now["tickets"][at]["state"] == "revoked").then_some(()))
        })
        .await?;
        let code = placed["tickets"][at]["code"].as_str().unwrap_or_default();
        let scanned = server.post("/api/v1/scans", &tenant.device_key, &tenant.scan_of(code)).await?;
        assert_eq!((&scanned["result"], &scanned["reason"]), (&json!("refused"), &json!("revoked")), "{scanned}");
    }
    // The places can be bought again, and the ledger has not changed.
    let place = placed["tickets"][0]["place"].clone();
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    let again = json!({"items": [{"place": place, "ticket_type": tenant.ticket_type}]});
    until("the place is free", EFFECT_TIMEOUT, || async {
        Ok((server.send(server.request("POST", &path).json(&again)).await?.status == 201).then_some(()))
    })
    .await?;
    assert_eq!(server.get("/api/v1/ledger/accounts", &tenant.key).await?, balances);
    Ok(())
}

#[tokio::test]
async fn one_of_many_concurrent_refunds_and_cancellations_succeeds() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "race").await?;
    let placed = order(&server, &tenant, 1).await?.json();
    let id = placed["id"].as_str().unwrap_or_default();
    let body = json!({"tickets": [placed["tickets"][0]["id"]], "reason": "rain"});
    let calls = (0..8).map(|number| {
        let cancels = number % 2 == 0;
        let path = format!("/api/v1/orders/{id}/{}", if cancels { "cancel" } else { "refunds" });
        let request = server.request("POST", &path).bearer_auth(&tenant.key).header("Idempotency-Key", number);
        server.send(if cancels { request } else { request.json(&body) })
    });
    let answers = futures::future::try_join_all(calls).await?;
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.is_success());
    assert_eq!(done.len(), 1, "{done:?}");
    assert_eq!(done[0].json()["tickets"], body["tickets"], "a paid order is not cancelled");
    for answer in refused {
        assert_eq!((answer.status, answer.code().as_str()), (409, "wrong_state"), "{}", answer.body);
    }
    until("the refund is done", EFFECT_TIMEOUT, || async {
        Ok((read(&server, &placed).await?["state"] == "refunded").then_some(()))
    })
    .await?;
    assert_eq!(read(&server, &placed).await?["refunds"].as_array().map(Vec::len), Some(1));
    Ok(())
}
