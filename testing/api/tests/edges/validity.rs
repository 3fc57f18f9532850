//! When tickets admit: moved events, windows of ticket types, sales after the last admission, and devices whose clock is wrong.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use voelgoed_api_tests::server::{Answer, Server, WIDE};
use voelgoed_api_tests::tenant::Tenant;
use voelgoed_domain::time::Timestamp;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// So many seconds from now, in whole seconds.
fn at(seconds: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    Timestamp::from_micros((i64::try_from(now).unwrap_or_default() + seconds) * 1_000_000).to_string()
}

struct Shop {
    server: Server,
    tenant: Tenant,
}

impl Shop {
    async fn open(slug: &str) -> anyhow::Result<Self> {
        let server = Server::start(WIDE).await?;
        let tenant = Tenant::make(&server, slug).await?;
        Ok(Self { server, tenant })
    }

    async fn change(&self, body: &Value) -> anyhow::Result<Answer> {
        let path = format!("/api/v1/events/{}", self.tenant.event);
        self.server.send(self.server.request("PATCH", &path).bearer_auth(&self.tenant.key).json(body)).await
    }

    async fn changed(&self, body: &Value) -> anyhow::Result<Value> {
        let answer = self.change(body).await?;
        anyhow::ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
        Ok(answer.json())
    }

    async fn ticket_type(&self, name: &str, times: &Value) -> anyhow::Result<Answer> {
        let mut body = json!({"event": self.tenant.event, "name": name, "price": {"amount": 0, "currency": "EUR"}});
        body.as_object_mut().into_iter().for_each(|body| body.extend(times.as_object().cloned().unwrap_or_default()));
        let request = self.server.request("POST", "/api/v1/ticket-types").bearer_auth(&self.tenant.key).json(&body);
        self.server.send(request).await
    }

    async fn hold(&self, ticket_type: &Value) -> anyhow::Result<Answer> {
        let items = json!([{"area": self.tenant.standing, "quantity": 1, "ticket_type": ticket_type}]);
        let path = format!("/api/v1/events/{}/holds", self.tenant.event);
        self.server.send(self.server.request("POST", &path).json(&json!({"items": items}))).await
    }

    /// The code of a new ticket.
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
async fn ticket_of_a_moved_event_stays_valid_and_the_refusal_says_when() -> anyhow::Result<()> {
    let shop = Shop::open("moved").await?;
    let tenant = &shop.tenant;
    let before = shop.server.get(&format!("/api/v1/events/{}", tenant.event), "").await?;
    assert_eq!(before["admits_from"], json!(plus(&before["starts_at"], -DAY)), "{before}");
    assert_eq!(before["admits_until"], json!(plus(&before["starts_at"], 30 * HOUR)), "{before}");
    // Forty days later: too early now.
    let moved = shop.changed(&json!({"starts_at": plus(&before["starts_at"], 40 * DAY)})).await?;
    let scan = shop.scan(&tenant.code).await?;
    assert_eq!((&scan["result"], &scan["reason"]), (&json!("refused"), &json!("not_yet")), "{scan}");
    assert_eq!((&scan["from"], &scan["until"]), (&moved["admits_from"], &moved["admits_until"]), "{scan}");
    let package = shop.server.get("/api/v1/devices/me/package", &tenant.device_key).await?;
    assert_eq!(package["valid_from"], moved["admits_from"], "{package}");
    // Doors are open: the code that was sold before the move admits.
    let opened = shop.changed(&json!({"doors_at": at(-60)})).await?;
    assert_eq!(opened["admits_from"], opened["doors_at"], "{opened}");
    let scan = shop.scan(&tenant.code).await?;
    assert_eq!(scan["result"], "admitted", "{scan}");
    Ok(())
}

#[tokio::test]
async fn nothing_is_sold_that_can_never_admit() -> anyhow::Result<()> {
    let shop = Shop::open("over").await?;
    let free = json!(shop.tenant.ticket_type);
    let held = shop.hold(&free).await?.json();
    let season = shop.ticket_type("Season", &json!({"admits_until": at(300 * DAY)})).await?;
    assert_eq!(season.status, 201, "{}", season.body);
    let season = season.json()["id"].clone();
    let code = shop.ticket(&free).await?;
    // The event was two days ago, and its sale is open by mistake.
    let sale = json!({"opens_at": at(-9 * DAY), "closes_at": at(DAY)});
    shop.changed(&json!({"starts_at": at(-2 * DAY), "sale": sale})).await?;
    let refused = shop.hold(&free).await?;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "sale_closed"), "{}", refused.body);
    let order =
        (held["id"].as_str().unwrap_or_default().to_owned(), held["token"].as_str().unwrap_or_default().to_owned());
    let request = shop.server.request("POST", "/api/v1/orders").header("Idempotency-Key", "late");
    let refused = shop.server.send(request.json(&Tenant::order_of(&order))).await?;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "sale_closed"), "{}", refused.body);
    let scan = shop.scan(&code).await?;
    assert_eq!((&scan["reason"], scan["until"].is_string()), (&json!("expired"), true), "{scan}");
    // A season pass still admits.
    let pass = shop.ticket(&season).await?;
    assert_eq!(shop.scan(&pass).await?["result"], "admitted");
    let package = shop.server.get("/api/v1/devices/me/package", &shop.tenant.device_key).await?;
    assert_eq!(package["windows"][0]["ticket_type"], season, "{package}");
    assert_eq!(package["windows"][0]["tickets"].as_array().map(Vec::len), Some(1), "{package}");
    Ok(())
}

#[tokio::test]
async fn campers_come_before_the_others_also_where_their_type_is_off_sale() -> anyhow::Result<()> {
    let shop = Shop::open("camp").await?;
    let camper = shop.ticket_type("Camper", &json!({"admits_from": at(-DAY)})).await?.json()["id"].clone();
    shop.changed(&json!({"starts_at": at(5 * DAY), "sale": {"opens_at": at(-DAY), "closes_at": at(4 * DAY)}})).await?;
    // Its window has moved with the event.
    let first = shop.ticket(&camper).await?;
    assert_eq!(shop.scan(&first).await?["reason"], "not_yet");
    let camper = shop.ticket_type("Camper", &json!({"admits_from": at(-DAY)})).await?.json()["id"].clone();
    let (code, other) = (shop.ticket(&camper).await?, shop.ticket(&json!(shop.tenant.ticket_type)).await?);
    let path = format!("/api/v1/ticket-types/{}", camper.as_str().unwrap_or_default());
    let retired = shop.server.send(shop.server.request("DELETE", &path).bearer_auth(&shop.tenant.key)).await?;
    assert_eq!(retired.status, 204);
    assert_eq!(shop.scan(&other).await?["reason"], "not_yet");
    assert_eq!(shop.scan(&code).await?["result"], "admitted");
    Ok(())
}

#[tokio::test]
async fn contradictory_times_name_their_field() -> anyhow::Result<()> {
    let shop = Shop::open("wrong").await?;
    for (body, field) in [
        (json!({"ends_at": at(-DAY)}), "ends_at"),
        (json!({"doors_at": at(9 * DAY)}), "doors_at"),
        (json!({"admits_from": at(9 * DAY)}), "admits_from"),
        (json!({"admits_until": at(-DAY)}), "admits_until"),
        (json!({"timezone": "Mars/Olympus"}), "timezone"),
        (json!({"timezone": "Etc/Unknown"}), "timezone"),
        (json!({"name": ""}), "name"),
    ] {
        let answer = shop.change(&body).await?;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (400, &json!(field)), "{body}: {}", answer.body);
    }
    let answer = shop.ticket_type("Never", &json!({"admits_from": at(9 * DAY)})).await?;
    assert_eq!(answer.json()["field"], "admits_from", "{}", answer.body);
    let changed = shop.changed(&json!({"timezone": "asia/calcutta"})).await?;
    assert_eq!(changed["timezone"], "Asia/Kolkata");
    Ok(())
}

#[tokio::test]
async fn impossible_clock_of_a_device_is_no_evidence() -> anyhow::Result<()> {
    let shop = Shop::open("clock").await?;
    let free = json!(shop.tenant.ticket_type);
    for (scanned_at, clock) in [
        ("1970-01-01T00:00:00Z".to_owned(), "implausible"),
        ("0001-01-01T00:00:00Z".to_owned(), "implausible"),
        (at(-3 * DAY), "implausible"),
        (at(3 * DAY), "implausible"),
        ("9999-12-30T00:00:00Z".to_owned(), "implausible"),
        (at(0), "plausible"),
    ] {
        let code = shop.ticket(&free).await?;
        let single =
            shop.server.post("/api/v1/scans", &shop.tenant.device_key, &shop.forced(&code, &scanned_at)).await?;
        assert_eq!(
            (&single["result"], &single["conflict"]),
            (&json!("admitted"), &json!(false)),
            "{scanned_at}: {single}"
        );
        assert_eq!(single["clock"], clock, "{scanned_at}: {single}");
        // Whoever comes honestly after it is told of a moment that can be true.
        let second = shop.scan(&code).await?;
        let first: Timestamp = second["first"]["at"].as_str().unwrap_or_default().parse()?;
        let now: Timestamp = second["now"].as_str().unwrap_or_default().parse()?;
        assert!(first <= now && now.since(first) < Duration::from_secs(600), "{scanned_at}: {second}");
        let code = shop.ticket(&free).await?;
        let batch = json!({"scans": [shop.forced(&code, &scanned_at)]});
        let batch = shop.server.post("/api/v1/scans/batch", &shop.tenant.device_key, &batch).await?;
        assert_eq!(batch["answers"][0]["outcome"], "accepted", "{scanned_at}: {batch}");
    }
    let path = format!("/api/v1/conflicts?event={}", shop.tenant.event);
    assert_eq!(shop.server.get(&path, &shop.tenant.key).await?["items"], json!([]));
    Ok(())
}

#[tokio::test]
async fn one_unreadable_record_does_not_keep_the_others_of_a_batch_out() -> anyhow::Result<()> {
    let shop = Shop::open("unreadable").await?;
    let free = json!(shop.tenant.ticket_type);
    let clocks = [json!("2026-11-30T10:00:00"), json!(17), json!(""), json!(null), json!("9999-12-31T23:59:59Z")];
    for clock in clocks {
        let (first, odd, last) = (shop.ticket(&free).await?, shop.ticket(&free).await?, shop.ticket(&free).await?);
        let mut unreadable = shop.forced(&odd, &at(0));
        unreadable["scanned_at"] = clock.clone();
        let mut sideways = shop.forced(&odd, &at(0));
        sideways["direction"] = json!("sideways");
        let scans =
            [shop.forced(&first, &at(0)), sideways.clone(), json!(null), unreadable, shop.forced(&last, &at(0))];
        let answer = shop.server.post("/api/v1/scans/batch", &shop.tenant.device_key, &json!({"scans": scans})).await?;
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
    let path = format!("/api/v1/conflicts?event={}", shop.tenant.event);
    assert_eq!(shop.server.get(&path, &shop.tenant.key).await?["items"], json!([]));
    Ok(())
}
