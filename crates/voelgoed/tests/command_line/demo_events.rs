//! A demo whose events are over gives them new dates when it starts, and leaves its other events alone.

use serde_json::{Value, json};
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::server::TestServer;

use crate::program::Program;

async fn read(demo: &TestServer, path: &str) -> ApiResponse {
    let response = demo.send(demo.request("GET", path).bearer_auth(demo.card_text("api_key"))).await.unwrap();
    assert_eq!(response.status, 200, "{}", response.body);
    response
}

/// The id, the name and the start of each event of the demo.
async fn event_starts(demo: &TestServer) -> Vec<(String, String, String)> {
    let body = read(demo, "/api/v1/organization/events").await.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let events = body["items"].as_array().unwrap().iter();
    events.map(|event| (text(&event["id"]), text(&event["name"]), text(&event["starts_at"]))).collect()
}

#[tokio::test]
async fn events_of_a_demo_that_are_over_get_new_dates_when_it_starts_again() {
    let program = Program::new("renewed");
    let over = "2020-01-01T18:00:00Z";
    let mut before = {
        let demo = program.start_demo().await;
        let events = event_starts(&demo).await;
        assert!(events.len() > 1, "{events:?}");
        for (id, ..) in &events[1..] {
            let sale = json!({"opens_at": "2019-01-01T18:00:00Z", "closes_at": over});
            let change = json!({"starts_at": over, "sale": sale});
            let request = demo.request("PATCH", &format!("/api/v1/events/{id}")).bearer_auth(demo.card_text("api_key"));
            let response = demo.send(request.json(&change)).await.unwrap();
            assert_eq!(response.status, 200, "{}", response.body);
        }
        events
    };
    let demo = program.start_demo().await;
    let mut after = event_starts(&demo).await;
    before.sort();
    after.sort();
    let names =
        |events: &[(String, String, String)]| -> Vec<_> { events.iter().map(|event| event.1.clone()).collect() };
    assert_eq!(names(&before), names(&after));
    for (id, name, starts_at) in after {
        assert!(starts_at.as_str() > "2026", "{name} starts at {starts_at}");
        let event = read(&demo, &format!("/api/v1/events/{id}")).await.json();
        assert_eq!(event["sale"]["closes_at"].as_str(), Some(starts_at.as_str()), "{event}");
    }
}
