//! A demo whose events are over gives them new dates when it starts, and leaves its other events alone.

use serde_json::{Value, json};

use crate::program::Program;
use crate::running_demo::RunningDemo;

/// The events of the demo by name, each with its start.
fn starts(demo: &RunningDemo) -> Vec<(String, String, String)> {
    let (status, body) = demo.send("GET", "/api/v1/organization/events", "");
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let events = body["items"].as_array().unwrap().iter();
    events.map(|event| (text(&event["id"]), text(&event["name"]), text(&event["starts_at"]))).collect()
}

#[test]
fn events_of_a_demo_that_are_over_get_new_dates_when_it_starts_again() {
    let program = Program::new("renewed");
    let over = "2020-01-01T18:00:00Z";
    let mut before = {
        let demo = RunningDemo::start(&program);
        let events = starts(&demo);
        assert!(events.len() > 1, "{events:?}");
        for (id, ..) in &events[1..] {
            let sale = json!({"opens_at": "2019-01-01T18:00:00Z", "closes_at": over});
            let change = json!({"starts_at": over, "sale": sale}).to_string();
            let (status, body) = demo.send("PATCH", &format!("/api/v1/events/{id}"), &change);
            assert_eq!(status, 200, "{body}");
        }
        events
    };
    let demo = RunningDemo::start(&program);
    let mut after = starts(&demo);
    before.sort();
    after.sort();
    let names =
        |events: &[(String, String, String)]| -> Vec<_> { events.iter().map(|event| event.1.clone()).collect() };
    assert_eq!(names(&before), names(&after));
    for (id, name, starts_at) in after {
        assert!(starts_at.as_str() > "2026", "{name} starts at {starts_at}");
        let (status, body) = demo.send("GET", &format!("/api/v1/events/{id}"), "");
        let event: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, event["sale"]["closes_at"].as_str()), (200, Some(starts_at.as_str())), "{body}");
    }
}
