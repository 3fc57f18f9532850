//! Checks holds on their way to an order: a hold keeps its end after a failed request and during a paused sale.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use voelgoed_api_tests::EFFECT_TIMEOUT;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::seat_map::SeatMap;
use voelgoed_testkit::server::TestServer;
use voelgoed_testkit::until::until;

async fn order(server: &TestServer, body: &Value) -> anyhow::Result<ApiResponse> {
    server.send(server.request("POST", "/api/v1/orders").header("Idempotency-Key", "one").json(body)).await
}

async fn expires_at(server: &TestServer, hold: &(String, String)) -> anyhow::Result<Value> {
    let request = server.request("GET", &format!("/api/v1/holds/{}", hold.0)).header("X-Token", &hold.1);
    let answer = server.send(request).await?;
    anyhow::ensure!(answer.status == 200, "GET hold: {}", answer.body);
    Ok(answer.json()["expires_at"].clone())
}

#[tokio::test]
async fn order_with_an_unknown_payment_method_does_not_change_the_hold() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "ways").await?;
    let hold = tenant.hold_seats(&server, 1).await?;
    let before = expires_at(&server, &hold).await?;
    for (payment, field) in [
        (json!({"provider": "sandbox", "method": "shells"}), "payment.method"),
        (json!({"provider": "nobody", "method": "ok"}), "payment.provider"),
    ] {
        let mut body = TestTenant::order_of(&hold);
        body["payment"] = payment;
        let answer = order(&server, &body).await?;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_request"), "{}", answer.body);
        assert_eq!(answer.json()["field"], field, "{}", answer.body);
        assert_eq!(expires_at(&server, &hold).await?, before);
    }
    Ok(())
}

#[tokio::test]
async fn live_hold_can_be_ordered_after_the_sale_was_paused() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "paused").await?;
    let hold = tenant.hold_seats(&server, 1).await?;
    server.post(&format!("/api/v1/events/{}/pause", tenant.event), &tenant.key, &Value::Null).await?;
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    let late = server.send(server.request("POST", &path).json(&tenant.seats(1))).await?;
    assert_eq!((late.status, late.code().as_str()), (409, "sale_closed"), "{}", late.body);
    let answer = order(&server, &TestTenant::order_of(&hold)).await?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    Ok(())
}

#[tokio::test]
async fn concurrent_changes_of_a_hold_do_not_undo_each_other() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "changes").await?;
    let hold = tenant.hold_seats(&server, 1).await?;
    let path = format!("/api/v1/holds/{}", hold.0);
    let held = async || -> anyhow::Result<BTreeSet<u64>> {
        let answer = server.send(server.request("GET", &path).header("X-Token", &hold.1)).await?;
        Ok(answer.json()["items"].as_array().into_iter().flatten().filter_map(|item| item["place"].as_u64()).collect())
    };
    let before = held().await?;
    // Together with the first place within the limit of a hold.
    let wanted: Vec<u64> = (40..48).collect();
    let changes = wanted.iter().map(|place| {
        let add = json!({"add": [{"place": place, "ticket_type": tenant.ticket_type}]});
        server.send(server.request("PATCH", &path).header("X-Token", &hold.1).json(&add))
    });
    let answers = futures::future::try_join_all(changes).await?;
    let mut expected = before;
    for (place, answer) in wanted.iter().zip(&answers) {
        match answer.status {
            200 => assert!(expected.insert(*place)),
            status => assert_eq!((status, answer.code().as_str()), (409, "hold_changed"), "{}", answer.body),
        }
    }
    assert_eq!(held().await?, expected, "what was answered with 200 is held, and nothing else");
    Ok(())
}

/// Two floor places of a hold are blocked before the order, which gets other places while any are free.
#[tokio::test]
async fn blocked_floor_place_of_a_hold_is_replaced_by_another() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "floor").await?;
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    let two = json!({"items": [{"area": tenant.standing, "quantity": 2, "ticket_type": tenant.ticket_type}]});
    let block = async |places: Vec<u64>| {
        let path = format!("/api/v1/events/{}/blocks", tenant.event);
        server.send(server.request("POST", &path).bearer_auth(&tenant.key).json(&json!({"places": places}))).await
    };
    for (free, status) in [(true, 201), (false, 409)] {
        let hold = server.post(&path, "", &two).await?;
        let held: Vec<u64> =
            hold["items"].as_array().into_iter().flatten().filter_map(|it| it["place"].as_u64()).collect();
        assert_eq!(held.len(), 2, "{hold}");
        if free {
            assert_eq!(block(vec![held[0]]).await?.status, 204);
        } else {
            // All free places of the floor, and one of the two held places.
            until("the floor is blocked", EFFECT_TIMEOUT, || async {
                let view = server.get(&format!("/api/v1/events/{}/availability", tenant.event), "").await?;
                let map = SeatMap::from_availability(&view)?;
                let rest = (80..1_080).filter(|place| map.places[*place] == 0).map(|place| place as u64);
                Ok((block(rest.chain([held[0]]).collect()).await?.status == 204).then_some(()))
            })
            .await?;
        }
        let text = |name: &str| hold[name].as_str().unwrap_or_default().to_owned();
        let answer = order(&server, &TestTenant::order_of(&(text("id"), text("token")))).await?;
        assert_eq!(answer.status, status, "{}", answer.body);
        if free {
            let got = answer.json()["items"].clone();
            let got: BTreeSet<u64> =
                got.as_array().into_iter().flatten().filter_map(|it| it["place"].as_u64()).collect();
            assert!(got.contains(&held[1]) && !got.contains(&held[0]) && got.len() == 2, "{got:?} for {held:?}");
            assert!(got.iter().all(|place| (80..1_080).contains(place)), "of the same area: {got:?}");
        } else {
            assert_eq!(answer.code(), "sold_out", "{}", answer.body);
        }
    }
    Ok(())
}

#[tokio::test]
async fn order_without_enough_time_to_pay_is_refused() -> anyhow::Result<()> {
    let short = [("VOELGOED__SALE__HOLD", "4s"), ("VOELGOED__SALE__EXTENSION", "0s")];
    let server = start_server(&[UNLIMITED, &short].concat()).await?;
    let tenant = TestTenant::make(&server, "short").await?;
    let body = json!({"event": tenant.event, "name": "Full", "price": {"amount": 900, "currency": "EUR"}});
    let full = server.post("/api/v1/ticket-types", &tenant.key, &body).await?["id"].clone();
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    for (ticket_type, status, code) in [(full, 410, "hold_expired"), (json!(tenant.ticket_type), 201, "")] {
        let ask = json!({"items": [{"area": tenant.standing, "quantity": 1, "ticket_type": ticket_type}]});
        let hold = server.post(&path, "", &ask).await?;
        let text = |name: &str| hold[name].as_str().unwrap_or_default().to_owned();
        let mut body = TestTenant::order_of(&(text("id"), text("token")));
        body["payment"] = json!({"provider": "sandbox", "method": "ok"});
        let answer = order(&server, &body).await?;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.body);
    }
    Ok(())
}

/// Added items are validated like items of a hold, and errors name the fields of this body.
#[tokio::test]
async fn invalid_change_of_a_hold_names_its_field() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "fields").await?;
    let hold = tenant.hold_seats(&server, 1).await?;
    let path = format!("/api/v1/holds/{}", hold.0);
    let place = |place: u64| json!([{"place": place, "ticket_type": tenant.ticket_type}]);
    for (body, field) in [
        (json!({"add": place(9_999)}), "add[0].place"),
        (json!({"add": [place(40)[0], place(40)[0]]}), "add[1].place"),
        (json!({"remove": [79]}), "remove[0]"),
    ] {
        let request = server.request("PATCH", &path).header("X-Token", &hold.1).json(&body);
        let answer = server.send(request).await?;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!(field)), "{}", answer.body);
    }
    Ok(())
}
