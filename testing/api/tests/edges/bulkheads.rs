//! Checks that the bulkhead of one organization refuses its overload, while another organization sells (P7, P9).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

/// Concurrent buyers of the overloaded organization.
const OVERLOAD_BUYERS: usize = 40;
/// Orders of the other organization.
const OTHER_ORDERS: usize = 10;

/// Holds and orders until stopped; returns the responses to the orders.
async fn buy(server: Arc<TestServer>, tenant: Arc<TestTenant>, stop: Arc<AtomicBool>) -> Vec<ApiResponse> {
    let mut answers = Vec::new();
    let item = json!({"area": tenant.standing, "quantity": 1, "ticket_type": tenant.ticket_type});
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    while !stop.load(Ordering::Relaxed) {
        let hold = server.send(server.request("POST", &path).json(&json!({"items": [item]}))).await.unwrap();
        if hold.status == 201 {
            let text = |field: &str| hold.json()[field].as_str().unwrap_or_default().to_owned();
            let body = TestTenant::order_of(&(text("id"), text("token")));
            let order = server.request("POST", "/api/v1/orders").header("Idempotency-Key", Uuid::now_v7().to_string());
            answers.push(server.send(order.json(&body)).await.unwrap());
        }
    }
    answers
}

#[tokio::test]
async fn overload_of_one_organization_does_not_affect_another() {
    let narrow = [("VOELGOED__LIMITS__ORGANIZATION_RUNNING", "1"), ("VOELGOED__LIMITS__ORGANIZATION_WAITING", "1")];
    let server = Arc::new(start_server(&[UNLIMITED, &narrow].concat()).await.unwrap());
    let rushed = Arc::new(TestTenant::make(&server, "rushed").await.unwrap());
    let calm = TestTenant::make(&server, "calm").await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut overload = JoinSet::new();
    for _ in 0..OVERLOAD_BUYERS {
        overload.spawn(buy(Arc::clone(&server), Arc::clone(&rushed), Arc::clone(&stop)));
    }
    for _ in 0..OTHER_ORDERS {
        let hold = calm.hold_seats(&server, 1).await.unwrap();
        let order = calm.order(&server, &hold).await.unwrap();
        assert_eq!(order["state"], "paid");
    }
    stop.store(true, Ordering::Relaxed);
    let answers: Vec<ApiResponse> = overload.join_all().await.into_iter().flatten().collect();
    let (sold, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert!(!sold.is_empty(), "the overloaded organization sells within its share");
    assert!(!refused.is_empty(), "forty concurrent requests exceed one running and one waiting request");
    for answer in refused {
        assert_eq!((answer.status, answer.code().as_str()), (503, "overloaded"), "{}", answer.body);
        assert_eq!(answer.header("retry-after"), "1");
    }
}
