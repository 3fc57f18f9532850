//! One organization's rush takes its own share of the node, and another's sale goes on beside it (P7, P9).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;
use voelgoed_api_tests::server::{Answer, Server, WIDE};
use voelgoed_api_tests::tenant::Tenant;

/// Buyers of the rush at once.
const RUSH: usize = 40;
/// Orders of the other organization beside it.
const CALM: usize = 10;

/// Holds and orders until told to stop; what the orders were answered.
async fn buys(server: Arc<Server>, tenant: Arc<Tenant>, stop: Arc<AtomicBool>) -> Vec<Answer> {
    let mut answers = Vec::new();
    let item = json!({"area": tenant.standing, "quantity": 1, "ticket_type": tenant.ticket_type});
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    while !stop.load(Ordering::Relaxed) {
        let hold = server.send(server.request("POST", &path).json(&json!({"items": [item]}))).await.unwrap();
        if hold.status == 201 {
            let text = |field: &str| hold.json()[field].as_str().unwrap_or_default().to_owned();
            let body = Tenant::order_of(&(text("id"), text("token")));
            let order = server.request("POST", "/api/v1/orders").header("Idempotency-Key", Uuid::now_v7().to_string());
            answers.push(server.send(order.json(&body)).await.unwrap());
        }
    }
    answers
}

#[tokio::test]
async fn one_organizations_rush_does_not_reach_anothers_sale() {
    let narrow = [("VOELGOED__LIMITS__ORGANIZATION_RUNNING", "1"), ("VOELGOED__LIMITS__ORGANIZATION_WAITING", "1")];
    let server = Arc::new(Server::start(&[WIDE, &narrow].concat()).await.unwrap());
    let rushed = Arc::new(Tenant::make(&server, "rushed").await.unwrap());
    let calm = Tenant::make(&server, "calm").await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut rush = JoinSet::new();
    for _ in 0..RUSH {
        rush.spawn(buys(Arc::clone(&server), Arc::clone(&rushed), Arc::clone(&stop)));
    }
    for _ in 0..CALM {
        let hold = calm.hold_seats(&server, 1).await.unwrap();
        let order = calm.order(&server, &hold).await.unwrap();
        assert_eq!(order["state"], "paid");
    }
    stop.store(true, Ordering::Relaxed);
    let answers: Vec<Answer> = rush.join_all().await.into_iter().flatten().collect();
    let (sold, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert!(!sold.is_empty(), "the rush itself goes on within its share");
    assert!(!refused.is_empty(), "forty at once are more than a share of one and one who waits");
    for answer in refused {
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "overloaded"), "{}", answer.body);
        assert_eq!(answer.header("retry-after"), "1");
    }
}
