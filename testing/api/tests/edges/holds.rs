//! What becomes of a hold on its way to an order: a request that cannot succeed costs it nothing, and a paused sale does not take it away.

use serde_json::{Value, json};
use voelgoed_api_tests::server::{Answer, Server, WIDE};
use voelgoed_api_tests::tenant::Tenant;

async fn order(server: &Server, body: &Value) -> anyhow::Result<Answer> {
    server.send(server.request("POST", "/api/v1/orders").header("Idempotency-Key", "one").json(body)).await
}

async fn expires_at(server: &Server, hold: &(String, String)) -> anyhow::Result<Value> {
    let request = server.request("GET", &format!("/api/v1/holds/{}", hold.0)).header("X-Token", &hold.1);
    let answer = server.send(request).await?;
    anyhow::ensure!(answer.status == 200, "GET hold: {}", answer.body);
    Ok(answer.json()["expires_at"].clone())
}

#[tokio::test]
async fn an_unknown_way_to_pay_does_not_use_up_the_extension() -> anyhow::Result<()> {
    let server = Server::start(WIDE).await?;
    let tenant = Tenant::make(&server, "ways").await?;
    let hold = tenant.hold_seats(&server, 1).await?;
    let before = expires_at(&server, &hold).await?;
    for (payment, field) in [
        (json!({"provider": "sandbox", "method": "shells"}), "payment.method"),
        (json!({"provider": "nobody", "method": "ok"}), "payment.provider"),
    ] {
        let mut body = Tenant::order_of(&hold);
        body["payment"] = payment;
        let answer = order(&server, &body).await?;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "invalid_request"), "{}", answer.body);
        assert_eq!(answer.json()["field"], field, "{}", answer.body);
        assert_eq!(expires_at(&server, &hold).await?, before);
    }
    Ok(())
}

#[tokio::test]
async fn a_live_hold_is_honoured_after_the_sale_was_paused() -> anyhow::Result<()> {
    let server = Server::start(WIDE).await?;
    let tenant = Tenant::make(&server, "paused").await?;
    let hold = tenant.hold_seats(&server, 1).await?;
    server.post(&format!("/api/v1/events/{}/pause", tenant.event), &tenant.key, &Value::Null).await?;
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    let late = server.send(server.request("POST", &path).json(&tenant.seats(1))).await?;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (409, "sale_closed"), "{}", late.body);
    let answer = order(&server, &Tenant::order_of(&hold)).await?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    Ok(())
}
