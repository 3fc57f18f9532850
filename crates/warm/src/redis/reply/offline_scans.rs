//! Parses the offline scans of a reply, and returns the ids of unreadable ones apart, so that a scan of another program version blocks no readable scan.

use redis::Value;
use voelgoed_app::error::Fault;
use voelgoed_app::scanning::ports::{OfflineScan, ScanResult};
use voelgoed_domain::scanning::entry::ScanReason;
use voelgoed_telemetry::metrics::cold::row_unreadable;

use super::{array, bytes, unexpected};

/// Reads a scan of four lines: whether acknowledged (1), refusal, first entry, scan.
pub(in crate::redis) fn offline_scan(value: Value) -> Result<OfflineScan, Fault> {
    let text = String::from_utf8(bytes(value)?).map_err(|_| unexpected("a scan that is not UTF-8"))?;
    let mut lines = text.splitn(4, '\n');
    let mut next = || lines.next().ok_or_else(|| unexpected("a scan without its parts"));
    let (acknowledged, refusal, first, scan) = (next()? == "1", next()?, next()?, next()?);
    let result = match refusal {
        "" => ScanResult::Admitted,
        reason => ScanResult::Refused(ScanReason::parse(reason).map_err(|error| unexpected(&error.to_string()))?),
    };
    let first = if first.is_empty() { None } else { Some(serde_json::from_str(first).map_err(Fault::internal)?) };
    Ok(OfflineScan { scan: serde_json::from_str(scan).map_err(Fault::internal)?, result, first, acknowledged })
}

/// Reads scans of which each must be readable.
pub(in crate::redis) fn offline_scans(value: Value) -> Result<Vec<OfflineScan>, Fault> {
    array(value)?.into_iter().map(offline_scan).collect()
}

/// Reads `{{id, scan}, …}`: the readable scans, and the packed ids of the unreadable ones.
pub(in crate::redis) fn pending_scans(value: Value) -> Result<(Vec<OfflineScan>, Vec<u8>), Fault> {
    let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
    for value in array(value)? {
        let [id, scan] =
            <[Value; 2]>::try_from(array(value)?).map_err(|parts| unexpected(&format!("{} parts", parts.len())))?;
        match offline_scan(scan) {
            Ok(scan) => readable.push(scan),
            Err(fault) => {
                row_unreadable("kept_scans", &fault);
                unreadable.extend(bytes(id)?);
            }
        }
    }
    Ok((readable, unreadable))
}
