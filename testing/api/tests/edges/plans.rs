//! Checks seating plans over the API: findings of an import, the full plan, flags of a published event, and the sale of wheelchair spaces.

use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

async fn import(server: &TestServer, tenant: &TestTenant, format: &str, content: &[u8]) -> anyhow::Result<ApiResponse> {
    let path = format!("/api/v1/layouts/import?format={format}&venue={}", tenant.venue);
    let request = server.request("POST", &path).bearer_auth(&tenant.key).header("Content-Type", "text/csv");
    server.send(request.body(content.to_vec())).await
}

#[tokio::test]
async fn import_lists_its_findings_and_a_refusal_lists_all_errors() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "plans").await?;
    let content = "\u{feff}Area;Row;Seat;X;Y;Category;Price;\r\nRang;1;1;0,5;0;Su\u{308}d;9;\r\nRang;1;2;1,5;0;Süd;9;\r\n;;;;;;;\r\n";
    let answer = import(&server, &tenant, "csv", content.as_bytes()).await?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let body = answer.json();
    assert_eq!((&body["places"], &body["areas"][0]["name"]), (&json!(2), &json!("Rang")));
    let kinds: Vec<&str> = body["findings"].as_array().unwrap().iter().map(|f| f["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["assumed", "left_out", "assumed", "left_out", "left_out"], "{body}");
    let plan = server.get(&format!("/api/v1/layouts/{}", body["id"].as_str().unwrap()), &tenant.key).await?;
    assert_eq!(
        plan["areas"][0]["rows"][0]["seats"][1],
        json!({"place": 1, "label": "2", "x": 1.5, "y": 0.0, "category": "Süd"})
    );
    let floor = server.get(&format!("/api/v1/layouts/{}", tenant.layout), &tenant.key).await?["areas"][1].clone();
    assert_eq!((&floor["capacity"], &floor["first"], &floor["rows"]), (&json!(1000), &json!(80), &Value::Null));

    let wrong = import(&server, &tenant, "csv", b"area,row,seat,x,y,category\nA,1,1,?,0,G\n,1,2,0,0,\n").await?;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "invalid_layout"), "{}", wrong.body);
    let at: Vec<String> = wrong.json()["findings"].as_array().unwrap().iter().map(|f| f["at"].to_string()).collect();
    assert_eq!(at, ["\"line 2, field `x`\"", "\"line 3, field `area`\"", "\"line 3, field `category`\""]);
    let workbook = import(&server, &tenant, "csv", b"PK\x03\x04\x14\0\x06\0 xl/workbook.xml").await?;
    assert_eq!(workbook.code(), "invalid_layout");
    assert!(workbook.body.contains("Excel workbook (.xlsx)"), "{}", workbook.body);
    Ok(())
}

fn flagged(map: &Value, place: usize) -> bool {
    let seats = map["areas"][0]["rows"].as_array().unwrap().iter().flat_map(|row| row["seats"].as_array().unwrap());
    seats.clone().nth(place).unwrap()["flags"].as_array().is_some_and(|flags| flags.contains(&json!("accessible")))
}

#[tokio::test]
async fn wheelchair_space_marked_during_the_sale_is_sold_only_on_request() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "marks").await?;
    let map = format!("/api/v1/events/{}/map", tenant.event);
    let before = server.send(server.request("GET", &map)).await?;
    assert!(!flagged(&before.json(), 70));
    let flags = format!("/api/v1/layouts/{}/flags", tenant.layout);
    let patch = |body: Value| server.request("PATCH", &flags).bearer_auth(&tenant.key).json(&body);
    let plan = server
        .send(patch(json!({"places": [70, 71], "labels": ["Stalls · Row A · Seat A10"], "flags": ["accessible"]})))
        .await?;
    assert_eq!(plan.status, 200, "{}", plan.body);
    let etag = before.header("etag");
    let after = server.send(server.request("GET", &map).header("If-None-Match", etag)).await?;
    assert_eq!(after.status, 200, "the map has another version");
    assert!([9, 70, 71].into_iter().all(|place| flagged(&after.json(), place)));
    for (body, field) in [
        (json!({"places": [80], "flags": []}), "places[0]"),
        (json!({"places": [], "flags": []}), "places"),
        (json!({"labels": ["Nowhere"], "flags": []}), "labels[0]"),
        (json!({"places": [1], "flags": ["accessible", "companion"]}), "flags"),
    ] {
        let answer = server.send(patch(body)).await?;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!(field)), "{}", answer.body);
    }

    // A request must ask for a wheelchair space, by place, by a change of a hold and by the form.
    let holds = format!("/api/v1/events/{}/holds", tenant.event);
    let item = |place: u32, accessible: Option<Value>| {
        let mut item = json!({"place": place, "ticket_type": tenant.ticket_type});
        if let Some(accessible) = accessible {
            item["accessible"] = accessible;
        }
        item
    };
    let hold = |item: Value| server.request("POST", &holds).json(&json!({"items": [item]}));
    for asked in [None, Some(json!(false)), Some(json!(0))] {
        let refused = server.send(hold(item(70, asked))).await?;
        assert_eq!((refused.status, refused.code().as_str()), (409, "accessible_place"), "{}", refused.body);
        assert_eq!(refused.json()["places"], json!([70]));
    }
    let (id, token) = tenant.hold_seats(&server, 2).await?;
    let change = |item: Value| {
        server.request("PATCH", &format!("/api/v1/holds/{id}")).header("X-Token", &token).json(&json!({"add": [item]}))
    };
    let refused = server.send(change(item(70, None))).await?;
    assert_eq!((refused.status, refused.json()["field"].clone()), (409, json!("add[0].accessible")));
    let form = |fields: &str| {
        let request = server.request("POST", &format!("/events/{}/holds", tenant.event));
        request.header("Content-Type", "application/x-www-form-urlencoded").body(fields.to_owned())
    };
    let refused = server.send(form("place=70")).await?;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains("Kept for wheelchair users: Stalls · Row D · Seat D11"), "{}", refused.body);

    check_wheelchair_spaces_on_request(&server, &tenant, &id, &token).await
}

/// Checks that best available chooses wheelchair spaces only for requests that ask for one.
async fn check_wheelchair_spaces_on_request(
    server: &TestServer,
    tenant: &TestTenant,
    id: &str,
    token: &str,
) -> anyhow::Result<()> {
    let holds = format!("/api/v1/events/{}/holds", tenant.event);
    let asked = |place: u32| json!({"place": place, "ticket_type": tenant.ticket_type, "accessible": true});
    let hold = |item: Value| server.request("POST", &holds).json(&json!({"items": [item]}));
    let mut places = Vec::new();
    // Most of the other seats, ten in each hold.
    for _ in 0..5 {
        let some = server.send(server.request("POST", &holds).json(&tenant.seats(10))).await?;
        let some = some.json()["items"].as_array().cloned().unwrap_or_else(|| panic!("{}", some.body));
        places.extend(some.iter().filter_map(|item| item["place"].as_u64()));
    }
    assert_eq!(places.len(), 50);
    assert!(!places.iter().any(|place| [9, 70, 71].contains(place)), "{places:?}");
    let mut wished = tenant.seats(1);
    wished["items"][0]["accessible"] = json!(true);
    let best = server.send(server.request("POST", &holds).json(&wished)).await?;
    // Place 9 is sold; one of the two others is chosen, and the other one stays free.
    let best = best.json();
    let given = best["items"][0]["place"].as_u64().unwrap_or_default();
    assert!([70, 71].contains(&given), "{best}");
    let other = if given == 70 { 71 } else { 70 };
    let change = server.request("PATCH", &format!("/api/v1/holds/{id}")).header("X-Token", token);
    let changed = server.send(change.json(&json!({"add": [asked(other)]}))).await?;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let path = format!("/api/v1/holds/{}", best["id"].as_str().unwrap_or_default());
    let token = best["token"].as_str().unwrap_or_default();
    assert_eq!(server.send(server.request("DELETE", &path).header("X-Token", token)).await?.status, 204);
    let form = server.request("POST", &format!("/events/{}/holds", tenant.event));
    let form = form.header("Content-Type", "application/x-www-form-urlencoded");
    // The key sends the request to the warm tier; this node's view may still show the released place as held.
    let page = server.send(form.body(format!("place={given}&accessible=1&key=afterwards"))).await?;
    assert!(page.is_success(), "{} {}", page.status, page.body);
    let held = server.send(hold(asked(u32::try_from(given)?))).await?;
    assert_eq!(held.code(), "place_taken", "the form has it: {}", held.body);
    Ok(())
}

#[tokio::test]
async fn format_of_an_import_is_detected_by_its_content_and_invalid_parameters_are_named() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "format").await?;
    let csv = "area,row,seat,category\nA,1,1,G\n";
    let pretix = r#"{"categories": [{"name": "G"}], "zones": [{"name": "A", "rows": [{"row_number": "1", "seats":
        [{"seat_number": "1", "seat_guid": "a", "category": "G", "position": {"x": 0, "y": 0}}]}]}]}"#;
    let venue = &tenant.venue;
    for (query, content, status, field) in [
        (format!("venue={venue}"), csv, 201, ""),
        (format!("venue={venue}"), pretix, 201, ""),
        (format!("venue={venue}&format=CSV"), csv, 201, ""),
        ("format=csv".to_owned(), csv, 400, "venue"),
        (format!("venue={venue}&format=csv&format=csv"), csv, 400, "format"),
        (format!("venue={venue}&format=xlsx"), csv, 400, "format"),
    ] {
        let request = server.request("POST", &format!("/api/v1/layouts/import?{query}")).bearer_auth(&tenant.key);
        let answer = server.send(request.header("Content-Type", "text/csv").body(content.as_bytes().to_vec())).await?;
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
        if status == 400 {
            assert_eq!(answer.json()["field"], field, "{query}: {}", answer.body);
            let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert!(detail.contains("format") && (detail.contains("venue") || detail.contains("pretix")), "{detail}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn plan_in_a_form_is_imported_if_it_is_the_only_file() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "form").await?;
    let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"plan.csv\"\r\nContent-Type: text/csv\r\n\r\n\
        area,row,seat,category\r\nA,1,1,G\r\n\r\n";
    for (files, status) in [(1, 201), (0, 400), (2, 400)] {
        let path = format!("/api/v1/layouts/import?venue={}", tenant.venue);
        let request = server.request("POST", &path).bearer_auth(&tenant.key);
        let request = request.header("Content-Type", "multipart/form-data; boundary=b");
        let answer = server.send(request.body(format!("{}--b--\r\n", file.repeat(files)).into_bytes())).await?;
        assert_eq!(answer.status, status, "{files}: {}", answer.body);
        if status == 400 {
            assert_eq!(answer.json()["field"], "body", "{}", answer.body);
        }
    }
    Ok(())
}
