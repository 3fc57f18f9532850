//! Orders that cost nothing: paid and answered with their tickets at once, and taken back without a provider.

use serde_json::{Value, json};
use voelgoed_api_tests::server::{Answer, Server, WIDE};
use voelgoed_api_tests::tenant::Tenant;
use voelgoed_api_tests::until;

async fn order(server: &Server, tenant: &Tenant, seats: u32) -> anyhow::Result<Answer> {
    let hold = tenant.hold_seats(server, seats).await?;
    let body = Tenant::order_of(&hold);
    let request = || server.request("POST", "/api/v1/orders").header("Idempotency-Key", "one").json(&body);
    let answer = server.send(request()).await?;
    assert_eq!(server.send(request()).await?.body, answer.body, "a repeat answers the same");
    Ok(answer)
}

async fn read(server: &Server, order: &Value) -> anyhow::Result<Value> {
    let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap_or_default());
    let token = order["token"].as_str().unwrap_or_default();
    Ok(server.send(server.request("GET", &path).header("X-Token", token)).await?.json())
}

async fn refund(server: &Server, tenant: &Tenant, order: &Value, body: &Value) -> anyhow::Result<Answer> {
    let path = format!("/api/v1/orders/{}/refunds", order["id"].as_str().unwrap_or_default());
    let request =
        server.request("POST", &path).bearer_auth(&tenant.key).header("Idempotency-Key", body.to_string().len());
    server.send(request.json(body)).await
}

#[tokio::test]
async fn the_answer_carries_the_tickets() -> anyhow::Result<()> {
    let server = Server::start(WIDE).await?;
    let tenant = Tenant::make(&server, "gratis").await?;
    let answer = order(&server, &tenant, 3).await?;
    let placed = answer.json();
    assert_eq!((answer.status.as_u16(), &placed["state"]), (201, &json!("paid")), "{}", answer.body);
    assert_eq!(placed["tickets"].as_array().map(Vec::len), Some(3), "{}", answer.body);
    assert_eq!(read(&server, &placed).await?["tickets"], placed["tickets"]);
    let code = placed["tickets"][0]["code"].as_str().unwrap_or_default();
    let scanned = server.post("/api/v1/scans", &tenant.device_key, &tenant.scan_of(code)).await?;
    assert_eq!(scanned["result"], "admitted", "{scanned}");
    Ok(())
}

#[tokio::test]
async fn tickets_that_cost_nothing_are_taken_back() -> anyhow::Result<()> {
    let server = Server::start(WIDE).await?;
    let tenant = Tenant::make(&server, "back").await?;
    let balances = server.get("/api/v1/ledger/accounts", &tenant.key).await?;
    let placed = order(&server, &tenant, 2).await?.json();
    let ticket = |at: usize| placed["tickets"][at]["id"].clone();
    let money = json!({"amount": {"amount": 1, "currency": "EUR"}, "reason": "rain"});
    let answer = refund(&server, &tenant, &placed, &money).await?;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "refund_too_large"), "{}", answer.body);
    for (at, state) in [(0, "partially_refunded"), (1, "refunded")] {
        let body = json!({"tickets": [ticket(at)], "reason": "x".repeat(at + 1)});
        let answer = refund(&server, &tenant, &placed, &body).await?;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.json()["amount"], json!({"amount": 0, "currency": "EUR"}));
        until("the tickets are taken back", std::time::Duration::from_millis(20), async || {
            let now = read(&server, &placed).await?;
            Ok((now["state"] == state && now["tickets"][at]["state"] == "revoked").then_some(()))
        })
        .await?;
        let code = placed["tickets"][at]["code"].as_str().unwrap_or_default();
        let scanned = server.post("/api/v1/scans", &tenant.device_key, &tenant.scan_of(code)).await?;
        assert_eq!((&scanned["result"], &scanned["reason"]), (&json!("refused"), &json!("revoked")), "{scanned}");
    }
    // Their places can be bought again, and the books have not moved.
    let place = placed["tickets"][0]["place"].clone();
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    let again = json!({"items": [{"place": place, "ticket_type": tenant.ticket_type}]});
    until("the place is free", std::time::Duration::from_millis(20), async || {
        Ok((server.send(server.request("POST", &path).json(&again)).await?.status == 201).then_some(()))
    })
    .await?;
    assert_eq!(server.get("/api/v1/ledger/accounts", &tenant.key).await?, balances);
    Ok(())
}

#[tokio::test]
async fn one_of_many_refunds_and_cancellations_at_once_is_done() -> anyhow::Result<()> {
    let server = Server::start(WIDE).await?;
    let tenant = Tenant::make(&server, "race").await?;
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
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status.is_success());
    assert_eq!(done.len(), 1, "{done:?}");
    assert_eq!(done[0].json()["tickets"], body["tickets"], "a paid order is not cancelled");
    for answer in refused {
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "wrong_state"), "{}", answer.body);
    }
    until("the refund is done", std::time::Duration::from_millis(20), async || {
        Ok((read(&server, &placed).await?["state"] == "refunded").then_some(()))
    })
    .await?;
    assert_eq!(read(&server, &placed).await?["refunds"].as_array().map(Vec::len), Some(1));
    Ok(())
}
