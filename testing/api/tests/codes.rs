//! Checks that every tampered ticket code is refused by the shared verification and over HTTP (P6).

use std::collections::BTreeMap;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use voelgoed_api_tests::is_long;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_domain::scanning::code::mutation::{any_text, well_formed};
use voelgoed_domain::scanning::code::{CodeError, KeyId, TicketKeys, scanned};
use voelgoed_testkit::limits::UNLIMITED;

/// Codes in the short and in the full run; every second one is well-formed.
const CODES: (u64, u64) = (20_000, 1_000_000);
/// Codes that are scanned over HTTP.
const SCANNED: (u64, u64) = (200, 2_000);
const THREADS: u64 = 2;

fn mutated(code: &str, seed: u64) -> String {
    let well_formed = seed.is_multiple_of(2).then(|| well_formed(code, seed)).flatten();
    well_formed.unwrap_or_else(|| any_text(code, seed))
}

/// A code other than `code`, and not only another spelling of it.
fn mutated_scan(code: &str, seed: u64) -> String {
    let other = Some(mutated(code, seed)).filter(|text| scanned(text) != code);
    other.or_else(|| well_formed(code, seed)).unwrap_or_default()
}

/// Verifies mutated codes; returns counts of refusals by reason, and the accepted codes.
fn check(
    keys: &TicketKeys,
    code: &str,
    seeds: impl Iterator<Item = u64>,
) -> (BTreeMap<&'static str, u64>, Vec<String>) {
    let mut refused = BTreeMap::new();
    let mut accepted = Vec::new();
    for seed in seeds {
        let text = mutated(code, seed);
        assert_ne!(text, code);
        let reason = match keys.verify(&text) {
            Ok(_) => {
                accepted.push(format!("seed {seed}: {text}"));
                continue;
            }
            Err(CodeError::Signature) => "signature",
            Err(CodeError::UnknownKey(_)) => "unknown key",
            Err(CodeError::Version(_)) => "version",
            Err(CodeError::Length) => "length",
            Err(_) => "text",
        };
        *refused.entry(reason).or_default() += 1;
    }
    (refused, accepted)
}

#[tokio::test(flavor = "multi_thread")]
async fn tampered_ticket_code_is_never_accepted() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "gate").await?;
    // The public key as a device receives it.
    let package = server.get("/api/v1/devices/me/package", &tenant.device_key).await?;
    let key = &package["public_keys"][0];
    let bytes: [u8; 32] =
        STANDARD.decode(key["key"].as_str().context("a key is text")?)?.try_into().ok().context("32 bytes")?;
    let mut keys = TicketKeys::new();
    keys.add(KeyId(u32::try_from(key["id"].as_u64().context("a key has a number")?)?), &bytes)
        .ok()
        .context("a sound key")?;
    keys.verify(&tenant.code).context("the genuine code is accepted")?;

    let (short, full) = CODES;
    let count = if is_long() { full } else { short };
    let per_thread = count / THREADS;
    let workers: Vec<_> = (0..THREADS)
        .map(|worker| {
            let (keys, code) = (keys.clone(), tenant.code.clone());
            std::thread::spawn(move || check(&keys, &code, worker * per_thread..(worker + 1) * per_thread))
        })
        .collect();
    let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
    for worker in workers {
        let (counts, accepted) = worker.join().ok().context("a worker ends")?;
        assert!(accepted.is_empty(), "accepted: {accepted:?}");
        counts.into_iter().for_each(|(reason, count)| *refused.entry(reason).or_default() += count);
    }
    println!("{count} tampered codes, 0 accepted; refused by {refused:?}");
    assert_eq!(refused.values().sum::<u64>(), count);
    assert!(refused["signature"] > count / 3, "signatures are really checked: {refused:?}");
    Ok(())
}

#[tokio::test]
async fn tampered_ticket_code_is_never_admitted_over_http() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "gate").await?;
    let (short, full) = SCANNED;
    for seed in 0..if is_long() { full } else { short } {
        let code = mutated_scan(&tenant.code, seed);
        let scan = server.post("/api/v1/scans", &tenant.device_key, &tenant.scan_of(&code)).await?;
        assert_eq!(scan["result"], "refused", "seed {seed}, {code:?}: {scan}");
        assert!(matches!(scan["reason"].as_str(), Some("invalid" | "unknown_key")), "seed {seed}: {scan}");
    }
    let batch =
        json!({"scans": (0..100).map(|seed| tenant.scan_of(&mutated_scan(&tenant.code, seed))).collect::<Vec<_>>()});
    let answers = server.post("/api/v1/scans/batch", &tenant.device_key, &batch).await?;
    let answers = answers["answers"].as_array().context("a batch is answered")?;
    assert_eq!(answers.len(), 100);
    assert!(answers.iter().all(|answer| answer["scan"]["result"] == "refused"), "{answers:?}");
    // The genuine ticket is still unused.
    let scan = server.post("/api/v1/scans", &tenant.device_key, &tenant.scan_of(&tenant.code)).await?;
    assert_eq!(scan["result"], "admitted", "{scan}");
    let scan = server.post("/api/v1/scans", &tenant.device_key, &tenant.scan_of(&tenant.code)).await?;
    assert_eq!((&scan["result"], &scan["reason"]), (&json!("refused"), &json!("already_used")), "{scan}");
    Ok(())
}
