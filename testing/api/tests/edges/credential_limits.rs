//! Checks that wrong keys, passwords, pairing codes and promo codes are limited by kind, and that valid ones are still accepted.

use anyhow::Context;
use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::{PASSWORD, TestTenant};
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::{OPERATOR, TestServer};

const PROXY: (&str, &str) = ("VOELGOED__SERVER__TRUSTED_PROXIES", " 127.0.0.0/8 , ::1, ");

/// Allows three wrong keys of each kind.
const FEW_KEYS: &[(&str, &str)] = &[("VOELGOED__LIMITS__GUESS_BURST", "3"), ("VOELGOED__LIMITS__GUESS_PER", "10m")];

async fn get(server: &TestServer, path: &str, key: &str) -> anyhow::Result<ApiResponse> {
    server.send(server.request("GET", path).bearer_auth(key)).await
}

async fn log_in(server: &TestServer, from: &str, email: &str, password: &str) -> anyhow::Result<ApiResponse> {
    let body = json!({"email": email, "password": password});
    server.send(server.request("POST", "/api/v1/login").header("X-Forwarded-For", from).json(&body)).await
}

async fn pair(server: &TestServer, code: &str) -> anyhow::Result<ApiResponse> {
    server.send(server.request("POST", "/api/v1/devices/pair").json(&json!({"code": code}))).await
}

fn guess(key: &str, last: usize) -> String {
    format!("{}zz{last}", &key[..key.len() - 3])
}

#[tokio::test]
async fn wrong_keys_are_limited_by_kind_and_valid_keys_are_never_refused() -> anyhow::Result<()> {
    let server = start_server(&[UNLIMITED, FEW_KEYS].concat()).await?;
    let tenant = TestTenant::make(&server, "guess").await?;
    let (list, package) = ("/api/v1/venues", "/api/v1/devices/me/package");
    for (path, key, limit) in [(list, &tenant.key, "key_guesses"), (package, &tenant.device_key, "device_key_guesses")]
    {
        for nth in 0..5 {
            let answer = get(&server, path, &guess(key, nth)).await?;
            assert_eq!(answer.status, if nth < 3 { 401 } else { 429 }, "{path} {nth}: {}", answer.body);
            if nth >= 3 {
                assert_eq!(answer.json()["limit"], json!({"name": limit, "most": 3}), "{}", answer.body);
                assert!(!answer.header("retry-after").is_empty());
            }
        }
    }
    // Pairing clears the node's cache of credentials; a valid key that is not cached is accepted too.
    let made = server.post("/api/v1/api-keys", &tenant.key, &json!({"name": "new", "scopes": ["catalog"]})).await?;
    pair(&server, "AAAA-AAAA").await?;
    for key in [tenant.key.as_str(), made["secret"].as_str().unwrap_or_default()] {
        assert_eq!(get(&server, list, key).await?.status, 200);
    }
    assert_eq!(get(&server, package, &tenant.device_key).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn wrong_operator_keys_are_limited_and_the_valid_key_is_accepted() -> anyhow::Result<()> {
    let server = start_server(&[UNLIMITED, FEW_KEYS].concat()).await?;
    let make = async |key: &str, slug: &str| {
        let body = json!({"name": slug, "slug": slug});
        let request = server.internal_request("POST", "/api/v1/organizations");
        server.send(request.header("Authorization", key).json(&body)).await
    };
    for nth in 0..5 {
        let answer = make(&format!("Bearer operator-{nth}"), "wrong").await?;
        let expected = if nth < 3 { (401, "unauthenticated") } else { (429, "rate_limited") };
        assert_eq!((answer.status, answer.code().as_str()), expected, "{nth}: {}", answer.body);
    }
    for (nth, scheme) in ["Bearer ", "bearer ", "BEARER   ", "bEARER\t"].into_iter().enumerate() {
        let answer = make(&format!("{scheme}{OPERATOR}"), &format!("right-{nth}")).await?;
        assert_eq!(answer.status, 201, "{scheme}: {}", answer.body);
    }
    Ok(())
}

#[tokio::test]
async fn wrong_passwords_do_not_block_pairing() -> anyhow::Result<()> {
    let few = [
        ("VOELGOED__LIMITS__LOGIN_BURST", "3"),
        ("VOELGOED__LIMITS__LOGIN_PER", "10m"),
        ("VOELGOED__LIMITS__PAIRING_BURST", "3"),
        ("VOELGOED__LIMITS__PAIRING_PER", "10m"),
    ];
    let server = start_server(&few).await?;
    let tenant = TestTenant::make(&server, "pair").await?;
    let device = json!({"name": "Second", "event": tenant.event, "gates": [tenant.gate]});
    let made = server.post("/api/v1/devices", &tenant.key, &device).await?;
    for nth in 0..5 {
        let answer = log_in(&server, "", "nobody@example.org", "a wrong password").await?;
        assert_eq!(answer.status, if nth < 3 { 401 } else { 429 }, "{nth}: {}", answer.body);
    }
    for _ in 0..2 {
        assert_eq!(pair(&server, "ZZZZ-ZZZZ").await?.status, 410);
    }
    // As people type and paste a code: in lower case, in groups, with a line end.
    let code = made["pairing_code"].as_str().unwrap_or_default().to_lowercase();
    let typed = format!(" {}-{} {}\r\n", &code[..2], &code[2..5], &code[5..]);
    assert_eq!(pair(&server, &typed).await?.status, 200, "{typed:?}");
    // The valid code was not counted.
    assert_eq!(pair(&server, "ZZZZ-ZZZZ").await?.status, 410);
    let refused = pair(&server, "ZZZZ-ZZZZ").await?;
    assert_eq!((refused.status, refused.code().as_str()), (429, "rate_limited"), "{}", refused.body);
    Ok(())
}

#[tokio::test]
async fn wrong_passwords_are_limited_by_account_without_locking_out_the_owner() -> anyhow::Result<()> {
    let few = [
        PROXY,
        ("VOELGOED__LIMITS__LOGIN_ACCOUNT_BURST", "4"),
        ("VOELGOED__LIMITS__LOGIN_ACCOUNT_PER", "10m"),
        ("VOELGOED__LIMITS__LOGIN_PLACE_BURST", "2"),
        ("VOELGOED__LIMITS__LOGIN_PLACE_PER", "10m"),
    ];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let tenant = TestTenant::make(&server, "owner").await?;
    let known = log_in(&server, "203.0.113.1", &tenant.member, PASSWORD).await?;
    assert_eq!(known.status, 200, "{}", known.body);
    let browser = known.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let browser =
        browser.filter_map(|cookie| cookie.split(';').next()).find(|cookie| cookie.starts_with("vg_familiar="));
    let browser = browser.unwrap_or_default().to_owned();
    // Two addresses; the first tries three times.
    for (from, status) in [("198.51.100.1", 401), ("198.51.100.1", 401), ("198.51.100.1", 429), ("198.51.100.2", 401)] {
        assert_eq!(log_in(&server, from, &tenant.member, "a wrong password").await?.status, status, "{from}");
    }
    // The same account in another spelling: in capitals, and with letters that IDNA folds.
    let (local, domain) = tenant.member.split_once('@').context("an address")?;
    let wide: String = domain.chars().map(|c| if c == 'e' { 'ｅ' } else { c }).collect();
    let typed = format!(" {}@{wide} ", local.to_uppercase());
    assert_eq!(log_in(&server, "198.51.100.3", &typed, "a wrong password").await?.status, 401);
    let refused = log_in(&server, "198.51.100.4", &tenant.member, "a wrong password").await?;
    assert_eq!(refused.json()["limit"], json!({"name": "logins_per_account", "most": 4}), "{}", refused.body);
    // The owner logs in from the known address, and with the known browser elsewhere; other accounts are not limited.
    assert_eq!(log_in(&server, "203.0.113.1", &tenant.member, PASSWORD).await?.status, 200);
    let body = json!({"email": tenant.member, "password": PASSWORD});
    let elsewhere = server.request("POST", "/api/v1/login").header("X-Forwarded-For", "198.51.100.5");
    assert_eq!(server.send(elsewhere.header("Cookie", &browser).json(&body)).await?.status, 200);
    assert_eq!(log_in(&server, "198.51.100.4", "nobody@example.org", "a wrong password").await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn client_behind_a_trusted_proxy_cannot_forge_the_address_of_its_logins() -> anyhow::Result<()> {
    let few = [PROXY, ("VOELGOED__LIMITS__LOGIN_BURST", "2"), ("VOELGOED__LIMITS__LOGIN_PER", "10m")];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let statuses = async |lines: &[Vec<(&str, String)>]| -> anyhow::Result<Vec<u16>> {
        let mut statuses = Vec::new();
        for lines in lines {
            let body = json!({"email": "nobody@example.org", "password": "a wrong password"});
            let request = server.request("POST", "/api/v1/login").json(&body);
            let request = lines.iter().fold(request, |request, (name, line)| request.header(*name, line));
            statuses.push(server.send(request).await?.status);
        }
        Ok(statuses)
    };
    let list = "X-Forwarded-For";
    // The proxy appends a header line, or appends to the client's line; the client's own entries change with each request.
    let appended: Vec<_> = (0..3)
        .map(|nth| vec![(list, format!("192.0.2.{nth}")), (list, "203.0.113.1:4711, 127.0.0.9".to_owned())])
        .collect();
    assert_eq!(statuses(&appended).await?, [401, 401, 429]);
    let other: Vec<_> = (0..3).map(|nth| vec![(list, format!("192.0.2.{nth}, 203.0.113.2, "))]).collect();
    assert_eq!(statuses(&other).await?, [401, 401, 429]);
    let element = |nth| vec![("Forwarded", format!("for=192.0.2.{nth}, for=\"[2001:db8:0:1::{nth}]:80\";proto=https"))];
    let network: Vec<_> = (0..3).map(element).collect();
    assert_eq!(statuses(&network).await?, [401, 401, 429], "one /64 is one client");
    assert_eq!(statuses(&[vec![(list, "2001:db8:0:2::1".to_owned())]]).await?, [401]);
    Ok(())
}

#[tokio::test]
async fn wrong_promo_codes_are_limited_by_session_and_address() -> anyhow::Result<()> {
    let few = [
        ("VOELGOED__LIMITS__PROMO_CODE_BURST", "2"),
        ("VOELGOED__LIMITS__PROMO_CODE_PER", "10m"),
        ("VOELGOED__LIMITS__PROMO_CODE_ADDRESS_BURST", "4"),
        ("VOELGOED__LIMITS__PROMO_CODE_ADDRESS_PER", "10m"),
    ];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let tenant = TestTenant::make(&server, "promo").await?;
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    let with = |code: Value| {
        let mut body = tenant.seats(1);
        body["code"] = code;
        body
    };
    let first = server.send(server.request("GET", &format!("/api/v1/events/{}", tenant.event))).await?;
    let session = first.header("x-session").to_owned();
    let mut answers = Vec::new();
    for nth in 0..3 {
        let request = server.request("POST", &path).header("X-Session", &session);
        answers.push(server.send(request.json(&with(json!(format!("WRONG{nth}"))))).await?);
    }
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [400, 400, 429]);
    assert_eq!(answers[2].json()["limit"], json!({"name": "promo_codes_per_session", "most": 2}));
    // Without a code the session is not limited.
    for code in [Value::Null, json!(" ")] {
        let request = server.request("POST", &path).header("X-Session", &session).json(&with(code.clone()));
        assert_ne!(server.send(request).await?.status, 429, "{code}");
    }
    // With the page and new sessions: the address has two attempts left.
    let form = format!("/events/{}/holds", tenant.event);
    let mut statuses = Vec::new();
    for nth in 0..3 {
        let fields = [("place", "0".to_owned()), ("code", format!("WRONG{nth}"))];
        statuses.push(server.send(server.request("POST", &form).form(&fields)).await?.status);
    }
    assert_eq!(statuses, [400, 400, 429]);
    Ok(())
}

#[tokio::test]
async fn blanks_and_line_ends_around_a_scanned_code_are_ignored() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "blanks").await?;
    let code = &tenant.code;
    let mut results = Vec::new();
    let scans = [
        format!("\u{2}{code}\r\n"),
        format!("\t {code}\n"),
        format!("\u{feff}{code} "),
        code.to_lowercase(),
        format!("{}\r\n{}\n", &code[..80], &code[80..]),
    ]
    .map(|code| tenant.scan_of(&code));
    for scan in &scans {
        let request = server.request("POST", "/api/v1/scans").bearer_auth(&tenant.device_key).json(scan);
        let answer = server.send(request).await?;
        results.push((answer.json()["result"].clone(), answer.json()["reason"].clone()));
    }
    assert_eq!(results[0], (json!("admitted"), Value::Null), "{results:?}");
    assert!(results[1..].iter().all(|result| *result == (json!("refused"), json!("already_used"))), "{results:?}");
    let batch = json!({"scans": [tenant.scan_of(&format!("{code}\r"))]});
    let request = server.request("POST", "/api/v1/scans/batch").bearer_auth(&tenant.device_key).json(&batch);
    let answer = server.send(request).await?;
    assert_eq!(answer.json()["answers"][0]["outcome"], "duplicate_of", "{}", answer.body);
    let inner = tenant.scan_of(&format!("{} {}", &code[..20], &code[20..]));
    let request = server.request("POST", "/api/v1/scans").bearer_auth(&tenant.device_key).json(&inner);
    assert_eq!(server.send(request).await?.json()["reason"], "invalid", "a code has one spelling");
    Ok(())
}
