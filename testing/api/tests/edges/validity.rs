//! Checks when tickets are admitted: moved events, windows of ticket types, sales after the last admission, and devices with a wrong clock.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_domain::time::Timestamp;
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The time `seconds` from now, in whole seconds.
fn at(seconds: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    Timestamp::from_micros((i64::try_from(now).unwrap_or_default() + seconds) * 1_000_000).to_string()
}

struct ValidityFixture {
    server: TestServer,
    tenant: TestTenant,
}

impl ValidityFixture {
    async fn open(slug: &str) -> anyhow::Result<Self> {
        let server = start_server(UNLIMITED).await?;
        let tenant = TestTenant::make(&server, slug).await?;
        Ok(Self { server, tenant })
    }

    async fn change(&self, body: &Value) -> anyhow::Result<ApiResponse> {
        let path = format!("/api/v1/events/{}", self.tenant.event);
        self.server.send(self.server.request("PATCH", &path).bearer_auth(&self.tenant.key).json(body)).await
    }

    async fn changed(&self, body: &Value) -> anyhow::Result<Value> {
        let answer = self.change(body).await?;
        anyhow::ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
        Ok(answer.json())
    }

    async fn ticket_type(&self, name: &str, times: &Value) -> anyhow::Result<ApiResponse> {
        let mut body = json!({"event": self.tenant.event, "name": name, "price": {"amount": 0, "currency": "EUR"}});
        body.as_object_mut().into_iter().for_each(|body| body.extend(times.as_object().cloned().unwrap_or_default()));
        let request = self.server.request("POST", "/api/v1/ticket-types").bearer_auth(&self.tenant.key).json(&body);
        self.server.send(request).await
    }

    async fn hold(&self, ticket_type: &Value) -> anyhow::Result<ApiResponse> {
        let items = json!([{"area": self.tenant.standing, "quantity": 1, "ticket_type": ticket_type}]);
        let path = format!("/api/v1/events/{}/holds", self.tenant.event);
        self.server.send(self.server.request("POST", &path).json(&json!({"items": items}))).await
    }

    /// Buys a ticket, and returns its code.
    async fn ticket(&self, ticket_type: &Value) -> anyhow::Result<String> {
        let hold = self.hold(ticket_type).await?;
        anyhow::ensure!(hold.status == 201, "{}", hold.body);
        let text = |name: &str| hold.json()[name].as_str().unwrap_or_default().to_owned();
        let order = self.tenant.order(&self.server, &(text("id"), text("token"))).await?;
        Ok(order["tickets"][0]["code"].as_str().unwrap_or_default().to_owned())
    }

    async fn scan(&self, code: &str) -> anyhow::Result<Value> {
        self.server.post("/api/v1/scans", &self.tenant.device_key, &self.tenant.scan_of(code)).await
    }

    fn forced(&self, code: &str, scanned_at: &str) -> Value {
        json!({"id": Uuid::now_v7(), "code": code, "gate": self.tenant.gate, "scanned_at": scanned_at, "forced": true})
    }
}

fn plus(text: &Value, seconds: i64) -> String {
    let moment: Timestamp = text.as_str().unwrap_or_default().parse().unwrap_or_default();
    Timestamp::from_micros(moment.micros() + seconds * 1_000_000).to_string()
}

#[tokio::test]
async fn ticket_of_a_moved_event_stays_valid_and_an_early_scan_names_the_times() -> anyhow::Result<()> {
    let fixture = ValidityFixture::open("moved").await?;
    let tenant = &fixture.tenant;
    let before = fixture.server.get(&format!("/api/v1/events/{}", tenant.event), "").await?;
    assert_eq!(before["admits_from"], json!(plus(&before["starts_at"], -DAY)), "{before}");
    assert_eq!(before["admits_until"], json!(plus(&before["starts_at"], 30 * HOUR)), "{before}");
    // Moved by forty days: a scan now is too early.
    let moved = fixture.changed(&json!({"starts_at": plus(&before["starts_at"], 40 * DAY)})).await?;
    let scan = fixture.scan(&tenant.code).await?;
    assert_eq!((&scan["result"], &scan["reason"]), (&json!("refused"), &json!("not_yet")), "{scan}");
    assert_eq!((&scan["from"], &scan["until"]), (&moved["admits_from"], &moved["admits_until"]), "{scan}");
    let package = fixture.server.get("/api/v1/devices/me/package", &tenant.device_key).await?;
    assert_eq!(package["valid_from"], moved["admits_from"], "{package}");
    // After the doors open, the code that was sold before the move is admitted.
    let opened = fixture.changed(&json!({"doors_at": at(-60)})).await?;
    assert_eq!(opened["admits_from"], opened["doors_at"], "{opened}");
    let scan = fixture.scan(&tenant.code).await?;
    assert_eq!(scan["result"], "admitted", "{scan}");
    Ok(())
}

#[tokio::test]
async fn expired_ticket_type_is_not_sold() -> anyhow::Result<()> {
    let fixture = ValidityFixture::open("over").await?;
    let free = json!(fixture.tenant.ticket_type);
    let held = fixture.hold(&free).await?.json();
    let season = fixture.ticket_type("Season", &json!({"admits_until": at(300 * DAY)})).await?;
    assert_eq!(season.status, 201, "{}", season.body);
    let season = season.json()["id"].clone();
    let code = fixture.ticket(&free).await?;
    // The event was two days ago, and its sale is still open by mistake.
    let sale = json!({"opens_at": at(-9 * DAY), "closes_at": at(DAY)});
    fixture.changed(&json!({"starts_at": at(-2 * DAY), "sale": sale})).await?;
    let refused = fixture.hold(&free).await?;
    assert_eq!((refused.status, refused.code().as_str()), (409, "sale_closed"), "{}", refused.body);
    let order =
        (held["id"].as_str().unwrap_or_default().to_owned(), held["token"].as_str().unwrap_or_default().to_owned());
    let request = fixture.server.request("POST", "/api/v1/orders").header("Idempotency-Key", "late");
    let refused = fixture.server.send(request.json(&TestTenant::order_of(&order))).await?;
    assert_eq!((refused.status, refused.code().as_str()), (409, "sale_closed"), "{}", refused.body);
    let scan = fixture.scan(&code).await?;
    assert_eq!((&scan["reason"], scan["until"].is_string()), (&json!("expired"), true), "{scan}");
    // A season pass is still admitted.
    let pass = fixture.ticket(&season).await?;
    assert_eq!(fixture.scan(&pass).await?["result"], "admitted");
    let package = fixture.server.get("/api/v1/devices/me/package", &fixture.tenant.device_key).await?;
    assert_eq!(package["windows"][0]["ticket_type"], season, "{package}");
    assert_eq!(package["windows"][0]["tickets"].as_array().map(Vec::len), Some(1), "{package}");
    Ok(())
}

#[tokio::test]
async fn ticket_type_with_an_earlier_window_is_admitted_earlier_even_off_sale() -> anyhow::Result<()> {
    let fixture = ValidityFixture::open("camp").await?;
    let camper = fixture.ticket_type("Camper", &json!({"admits_from": at(-DAY)})).await?.json()["id"].clone();
    fixture
        .changed(&json!({"starts_at": at(5 * DAY), "sale": {"opens_at": at(-DAY), "closes_at": at(4 * DAY)}}))
        .await?;
    // The window of the ticket type has moved with the event.
    let first = fixture.ticket(&camper).await?;
    assert_eq!(fixture.scan(&first).await?["reason"], "not_yet");
    let camper = fixture.ticket_type("Camper", &json!({"admits_from": at(-DAY)})).await?.json()["id"].clone();
    let (code, other) = (fixture.ticket(&camper).await?, fixture.ticket(&json!(fixture.tenant.ticket_type)).await?);
    let path = format!("/api/v1/ticket-types/{}", camper.as_str().unwrap_or_default());
    let retired = fixture.server.send(fixture.server.request("DELETE", &path).bearer_auth(&fixture.tenant.key)).await?;
    assert_eq!(retired.status, 204);
    assert_eq!(fixture.scan(&other).await?["reason"], "not_yet");
    assert_eq!(fixture.scan(&code).await?["result"], "admitted");
    Ok(())
}

#[tokio::test]
async fn contradictory_times_are_refused_with_their_field() -> anyhow::Result<()> {
    let fixture = ValidityFixture::open("wrong").await?;
    for (body, field) in [
        (json!({"ends_at": at(-DAY)}), "ends_at"),
        (json!({"doors_at": at(9 * DAY)}), "doors_at"),
        (json!({"admits_from": at(9 * DAY)}), "admits_from"),
        (json!({"admits_until": at(-DAY)}), "admits_until"),
        (json!({"timezone": "Mars/Olympus"}), "timezone"),
        (json!({"timezone": "Etc/Unknown"}), "timezone"),
        (json!({"name": ""}), "name"),
    ] {
        let answer = fixture.change(&body).await?;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!(field)), "{body}: {}", answer.body);
    }
    let answer = fixture.ticket_type("Never", &json!({"admits_from": at(9 * DAY)})).await?;
    assert_eq!(answer.json()["field"], "admits_from", "{}", answer.body);
    let changed = fixture.changed(&json!({"timezone": "asia/calcutta"})).await?;
    assert_eq!(changed["timezone"], "Asia/Kolkata");
    Ok(())
}

#[tokio::test]
async fn scan_with_an_implausible_clock_is_no_evidence() -> anyhow::Result<()> {
    let fixture = ValidityFixture::open("clock").await?;
    let free = json!(fixture.tenant.ticket_type);
    for (scanned_at, clock) in [
        ("1970-01-01T00:00:00Z".to_owned(), "implausible"),
        ("0001-01-01T00:00:00Z".to_owned(), "implausible"),
        (at(-3 * DAY), "implausible"),
        (at(3 * DAY), "implausible"),
        ("9999-12-30T00:00:00Z".to_owned(), "implausible"),
        (at(0), "plausible"),
    ] {
        let code = fixture.ticket(&free).await?;
        let single = fixture
            .server
            .post("/api/v1/scans", &fixture.tenant.device_key, &fixture.forced(&code, &scanned_at))
            .await?;
        assert_eq!(
            (&single["result"], &single["conflict"]),
            (&json!("admitted"), &json!(false)),
            "{scanned_at}: {single}"
        );
        assert_eq!(single["clock"], clock, "{scanned_at}: {single}");
        // A later duplicate names a plausible time of the first scan.
        let second = fixture.scan(&code).await?;
        let first: Timestamp = second["first"]["at"].as_str().unwrap_or_default().parse()?;
        let now: Timestamp = second["now"].as_str().unwrap_or_default().parse()?;
        assert!(first <= now && now.since(first) < Duration::from_secs(600), "{scanned_at}: {second}");
        let code = fixture.ticket(&free).await?;
        let batch = json!({"scans": [fixture.forced(&code, &scanned_at)]});
        let batch = fixture.server.post("/api/v1/scans/batch", &fixture.tenant.device_key, &batch).await?;
        assert_eq!(batch["answers"][0]["outcome"], "accepted", "{scanned_at}: {batch}");
    }
    let path = format!("/api/v1/conflicts?event={}", fixture.tenant.event);
    assert_eq!(fixture.server.get(&path, &fixture.tenant.key).await?["items"], json!([]));
    Ok(())
}

#[tokio::test]
async fn unreadable_record_does_not_block_the_others_of_a_batch() -> anyhow::Result<()> {
    let fixture = ValidityFixture::open("unreadable").await?;
    let free = json!(fixture.tenant.ticket_type);
    let clocks = [json!("2026-11-30T10:00:00"), json!(17), json!(""), json!(null), json!("9999-12-31T23:59:59Z")];
    for clock in clocks {
        let (first, odd, last) =
            (fixture.ticket(&free).await?, fixture.ticket(&free).await?, fixture.ticket(&free).await?);
        let mut unreadable = fixture.forced(&odd, &at(0));
        unreadable["scanned_at"] = clock.clone();
        let mut sideways = fixture.forced(&odd, &at(0));
        sideways["direction"] = json!("sideways");
        let scans =
            [fixture.forced(&first, &at(0)), sideways.clone(), json!(null), unreadable, fixture.forced(&last, &at(0))];
        let answer =
            fixture.server.post("/api/v1/scans/batch", &fixture.tenant.device_key, &json!({"scans": scans})).await?;
        let answers = &answer["answers"];
        for accepted in [0, 3, 4] {
            assert_eq!(answers[accepted]["outcome"], "accepted", "{clock}: {answer}");
        }
        assert_eq!(answers[3]["scan"]["clock"], "implausible", "{answer}");
        let refused = &answers[1];
        assert_eq!((&refused["id"], &refused["error"]), (&sideways["id"], &json!("invalid_request")), "{answer}");
        assert_eq!((&refused["field"], &refused["durable"]), (&json!("direction"), &json!(false)), "{answer}");
        assert_eq!((&answers[2]["id"], &answers[2]["error"]), (&Value::Null, &json!("invalid_request")), "{answer}");
    }
    let path = format!("/api/v1/conflicts?event={}", fixture.tenant.event);
    assert_eq!(fixture.server.get(&path, &fixture.tenant.key).await?["items"], json!([]));
    Ok(())
}
