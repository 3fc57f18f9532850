//! Takes scans of devices that were offline: each record is parsed, decided and answered by itself (P3, P6).
//!
//! Never: a record that cannot be parsed keeps the others of its batch from being decided.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;
use voelgoed_app::error::CommandError;
use voelgoed_app::scanning::Scanning;
use voelgoed_app::scanning::decide_scan::ScanOutcome;
use voelgoed_app::scanning::scan::ScanCommand;
use voelgoed_domain::refusal::{Code, LimitHit, Refusal};
use voelgoed_domain::scanning::entry::{SyncOutcome, sync_outcome};
use voelgoed_domain::time::Timestamp;

use super::scans::{ScanBody, ScanDto, answer, command, outcome};
use crate::extract::{DeviceCaller, JsonBody};
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, BodyRules, Proof, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![api(routes!(batch), Access::Device, Scanning::NAME).critical_with(Proof::Device).body(BodyRules::ScannedText)]
}

/// The scans of one batch.
pub const SCANS_PER_BATCH_MAX: usize = 100;

/// Scans of a device that was offline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// At most 100. Each is read by itself.
    #[schema(value_type = Vec<ScanBody>)]
    scans: Vec<Box<RawValue>>,
}

/// The results of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchDto {
    /// One for each scan, in the order of the batch.
    answers: Vec<BatchAnswerDto>,
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
}

/// The result of one scan of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchAnswerDto {
    /// Absent where the scan has no valid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// `accepted`, `duplicate_of`, `conflict`, `unknown`; absent where it could not be written and must be sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    outcome: Option<SyncOutcome>,
    /// False: keep your copy and send it again, unless `error` says that it cannot be read.
    durable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scan: Option<ScanDto>,
    /// Why it was not written; `invalid_request` where the scan cannot be read or does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The field of the scan that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// What is wrong, in a sentence for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Takes up to 100 scans, each answered by itself; a failing or unreadable scan leaves the others unaffected. A clock that cannot be read is no evidence
/// against a forced scan.
#[utoipa::path(post, path = "/api/v1/scans/batch", request_body = BatchBody, tag = "scanning",
    responses((status = 200, body = BatchDto), (status = 401, body = Problem), (status = 413, body = Problem)))]
pub async fn batch(
    State(scanning): State<Arc<Scanning>>,
    DeviceCaller { device, .. }: DeviceCaller,
    body: JsonBody<BatchBody>,
) -> HandlerResult<Json<BatchDto>> {
    if body.value.scans.len() > SCANS_PER_BATCH_MAX {
        let limit = LimitHit { name: "scans_per_batch", most: SCANS_PER_BATCH_MAX as u64 };
        return Err(Refusal::new(Code::TooLarge, "Send fewer scans at once.")
            .with(|evidence| evidence.limit = Some(limit))
            .into());
    }
    let mut answers = Vec::with_capacity(body.value.scans.len());
    // One after the other: within a batch, the device's own order decides who was first.
    for record in body.value.scans {
        let command = match parse(&record) {
            Ok(command) => command,
            Err(unread) => {
                answers.push(*unread);
                continue;
            }
        };
        let id = Some(command.id.uuid());
        answers.push(match scanning.scan(&device, command).await {
            Ok(scanned) => accepted(scanned, scanning.context.now()),
            Err(error) => failed(id, &error),
        });
    }
    Ok(Json(BatchDto { answers, now: scanning.context.now() }))
}

/// The command of a record, or the answer to a record that cannot be parsed.
fn parse(record: &RawValue) -> Result<ScanCommand, Box<BatchAnswerDto>> {
    let text = record.get();
    let body = serde_path_to_error::deserialize::<_, ScanBody>(&mut serde_json::Deserializer::from_str(text));
    let error = match body {
        Ok(body) => return Ok(command(body)),
        Err(error) => error,
    };
    let fields = serde_json::from_str::<Value>(text).ok();
    if let Some(command) = fields.clone().and_then(without_clock) {
        return Ok(command);
    }
    let id = fields.as_ref().and_then(|fields| fields.get("id")?.as_str()?.parse().ok());
    let path = Some(error.path().to_string()).filter(|path| path != ".");
    let refusal = Refusal::invalid(
        path.unwrap_or_else(|| "scans".to_owned()),
        format!("Not the expected JSON: {}.", error.inner()),
    );
    Err(Box::new(failed(id, &CommandError::Refused(refusal))))
}

/// A forced scan of which only the clock cannot be parsed: its device has already let a person in.
fn without_clock(mut fields: Value) -> Option<ScanCommand> {
    let readable = Value::String(Timestamp::default().to_string());
    fields.as_object_mut()?.insert("scanned_at".to_owned(), readable);
    let body: ScanBody = serde_json::from_value(fields).ok()?;
    body.forced.then(|| ScanCommand { scanned_at: None, ..command(body) })
}

fn accepted(scanned: ScanOutcome, now: Timestamp) -> BatchAnswerDto {
    let (_, reason) = outcome(scanned.scan.result);
    // Conflicts are known once the cold store has the scan.
    let outcome = scanned.durable.then(|| sync_outcome(reason, scanned.scan.conflict));
    BatchAnswerDto {
        id: Some(scanned.scan.id.uuid()),
        outcome,
        durable: scanned.durable,
        scan: Some(answer(scanned, now)),
        error: None,
        field: None,
        detail: None,
    }
}

fn failed(id: Option<Uuid>, error: &CommandError) -> BatchAnswerDto {
    let (error, field, detail) = match error {
        CommandError::Refused(refusal) => {
            let detail = Some(refusal.detail.clone());
            (refusal.code.as_str().to_owned(), refusal.evidence.field.clone(), detail)
        }
        CommandError::Fault(fault) => {
            tracing::warn!(%fault, slice = "scanning", "a scan of a batch was not written");
            (Code::TryAgain.as_str().to_owned(), None, None)
        }
    };
    BatchAnswerDto { id, outcome: None, durable: false, scan: None, error: Some(error), field, detail }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(change: &Value) -> String {
        let mut scan = json!({"id": Uuid::from_u128(7), "code": "NO CODE", "gate": format!("gate_{}", "0".repeat(32)),
            "scanned_at": "2026-11-30T10:00:00Z", "forced": true});
        for (key, value) in change.as_object().unwrap() {
            scan[key] = value.clone();
        }
        scan.to_string()
    }

    fn read_text(text: &str) -> Result<Option<Timestamp>, (Option<Uuid>, Option<String>)> {
        let record: Box<RawValue> = serde_json::from_str(text).unwrap();
        let unread = |answer: Box<BatchAnswerDto>| {
            assert_eq!((answer.error.as_deref(), answer.durable), (Some("invalid_request"), false));
            (answer.id, answer.field)
        };
        parse(&record).map(|command| command.scanned_at).map_err(unread)
    }

    #[test]
    fn invalid_clock_is_dropped_where_the_scan_was_forced() {
        for clock in [
            json!("2026-11-30T10:00:00"),
            json!("2026-11-30 10:00"),
            json!(1_795_500_000),
            json!(1.5e300),
            json!(""),
            json!(null),
            json!("9999-12-31T23:59:59Z"),
            json!("2026-11-30T10:00:00.1234567890123Z"),
            json!("2026-02-30T10:00:00Z"),
            json!("24:61"),
            json!({"at": 1}),
            json!([]),
            json!(true),
        ] {
            let forced = record(&json!({"scanned_at": clock}));
            assert_eq!(read_text(&forced), Ok(None), "{clock}");
            let decided = record(&json!({"scanned_at": clock, "forced": false}));
            let unread = Err((Some(Uuid::from_u128(7)), Some("scanned_at".to_owned())));
            assert_eq!(read_text(&decided), unread, "{clock}");
        }
    }

    #[test]
    fn invalid_record_is_answered_with_its_field_and_its_id_where_it_has_one() {
        let id = Some(Uuid::from_u128(7));
        for (change, id, field) in [
            (json!({"gate": ""}), id, "gate"),
            (json!({"gate": 7}), id, "gate"),
            (json!({"direction": "sideways"}), id, "direction"),
            (json!({"id": "seven"}), None, "id"),
            (json!({"id": null}), None, "id"),
            (json!({"seat": 1}), id, "seat"),
            (json!({"forced": "yes"}), id, "forced"),
            (json!({"code": 1, "scanned_at": ""}), id, "code"),
        ] {
            assert_eq!(read_text(&record(&change)), Err((id, Some(field.to_owned()))), "{change}");
        }
        for text in ["null", "[]", "7", "\"scan\"", "{}", r#"{"id": "\ud800"}"#, r#"{"scanned_at": 1e999}"#] {
            assert!(read_text(text).is_err(), "{text}");
        }
    }
}
