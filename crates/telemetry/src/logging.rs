//! Sets up the log: one line per event on standard error, as JSON or text, with the fields of the span around it.
//!
//! Never: standard output (commands print results there); a token or a person's name. Messages are lower case, without a full stop;
//! values are fields. `Targets` instead of `EnvFilter`, which needs a regular-expression engine for filters by field; no caller has those.

use std::io::IsTerminal;
use std::str::FromStr;
use std::sync::OnceLock;

use tracing::Subscriber;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

static SERVICE_TYPE: OnceLock<String> = OnceLock::new();

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One JSON object per line, for machines.
    Json,
    /// For people; in colour on a terminal.
    #[default]
    Text,
}

/// Settings of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Format of the lines.
    pub format: LogFormat,
    /// Directives such as `info,voelgoed_cold=debug`.
    pub filter: String,
    /// The role of this process (`web`, `worker`, `all`), a field of each span.
    pub service_type: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::default(), filter: "info".to_owned(), service_type: "all".to_owned() }
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter does not parse.
    #[error("the log filter `{filter}` is not understood: {reason}")]
    Filter {
        /// The given text.
        filter: String,
        /// The parser's message.
        reason: String,
    },
    /// This process has set up logging before.
    #[error("logging was set up before")]
    Twice,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(format!("`{text}` is not a log format; use json or text")),
        }
    }
}

/// Sets up logging for this process; call it once, first in `main`.
///
/// # Errors
/// [`LogError`] if the filter does not parse or logging is set up already.
pub fn init_logging(config: &LogConfig) -> Result<(), LogError> {
    let subscriber = subscriber(config, std::io::stderr, std::io::stderr().is_terminal())?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::Twice)?;
    // Only the first call gets here, so the cell is empty.
    let _ = SERVICE_TYPE.set(config.service_type.clone());
    Ok(())
}

/// The field `service_type` of spans; `all` before [`init_logging`].
#[must_use]
pub fn service_type() -> &'static str {
    SERVICE_TYPE.get().map_or("all", String::as_str)
}

fn subscriber<W>(config: &LogConfig, writer: W, colour: bool) -> Result<Box<dyn Subscriber + Send + Sync>, LogError>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    // `Targets` decides once per call site; a filter with span directives would run at each entry of a span.
    let filter =
        filter_of(&config.filter).map_err(|reason| LogError::Filter { filter: config.filter.clone(), reason })?;
    // By default a failed write prints to standard error, which panics if that fails too. A full disk must not stop the process.
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).log_internal_errors(false);
    Ok(match config.format {
        // There is one span per request or job, so the list of spans would repeat the current one.
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_span_list(false);
            Box::new(tracing_subscriber::registry().with(lines).with(filter))
        }
        LogFormat::Text => Box::new(tracing_subscriber::registry().with(lines.with_ansi(colour)).with(filter)),
    })
}

/// Parses targets and levels. `Targets` accepts any text as a target, so mistakes such as `info voelgoed=debug` are refused here.
fn filter_of(text: &str) -> Result<Targets, String> {
    let parts: Vec<_> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_target = |part: &&str| part.chars().all(|letter| letter.is_ascii_alphanumeric() || "_:=-".contains(letter));
    match parts.iter().find(|part| !is_target(part)) {
        Some(part) => {
            Err(format!("`{part}` is neither a level nor a target and its level, such as voelgoed_cold=debug"))
        }
        None => Targets::from_str(&parts.join(",")).map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::spans;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(config: &LogConfig, log: impl FnOnce()) -> String {
        let lines = Lines::default();
        let to = lines.clone();
        let subscriber = subscriber(config, move || to.clone(), false).unwrap();
        tracing::subscriber::with_default(subscriber, log);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_line_has_the_fields_of_its_span() {
        let config = LogConfig { format: LogFormat::Json, ..LogConfig::default() };
        let text = written(&config, || {
            let span = spans::http_request("ticketing", "POST", "/api/v1/events/{event}/holds", "r1");
            let _entered = span.enter();
            spans::record_tenant(&"org_1", Some(&"evt_1"));
            tracing::info!(places = 2, "hold granted");
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "hold granted");
        assert_eq!(line["places"], 2);
        assert_eq!(line["level"], "INFO");
        let span = &line["span"];
        assert_eq!(span["name"], spans::HTTP_REQUEST);
        for (field, value) in [
            ("organization", "org_1"),
            ("event", "evt_1"),
            ("slice", "ticketing"),
            ("service_type", "all"),
            ("request_id", "r1"),
        ] {
            assert_eq!(span[field], value, "{field}");
        }
    }

    #[test]
    fn filter_selects_lines_and_invalid_filter_is_named_in_the_error() {
        let quiet = LogConfig { filter: "warn".to_owned(), ..LogConfig::default() };
        let text = written(&quiet, || {
            tracing::info!("not wanted");
            tracing::warn!("wanted");
        });
        assert!(text.contains("wanted") && !text.contains("not wanted"), "{text}");

        for wrong in ["voelgoed=loud", "info,[http_request]=debug", "[{event}]=debug", "info voelgoed_cold=debug"] {
            let config = LogConfig { filter: wrong.to_owned(), ..LogConfig::default() };
            let error = init_logging(&config).unwrap_err();
            assert!(matches!(&error, LogError::Filter { filter, .. } if filter == wrong), "{wrong}: {error}");
        }
        for (filter, wanted) in
            [("info,", true), (" warn , voelgoed_telemetry=info", true), ("info,voelgoed_telemetry=off", false)]
        {
            let config = LogConfig { filter: filter.to_owned(), ..LogConfig::default() };
            let text = written(&config, || tracing::info!("logged"));
            assert_eq!(text.contains("logged"), wanted, "{filter}: {text}");
        }
    }

    #[test]
    fn every_span_has_fields_for_tenant_and_slice() {
        let config = LogConfig { filter: "trace".to_owned(), ..LogConfig::default() };
        written(&config, || {
            let every = [
                (spans::http_request("checkout", "GET", "/", "r"), spans::HTTP_REQUEST),
                (spans::job_run("payments", "poll", &"job_1", 1), spans::JOB_RUN),
                (spans::background_round("ticketing", "hold_expiry"), spans::BACKGROUND_ROUND),
                (spans::command("doctor"), spans::COMMAND),
            ];
            assert_eq!(every.len(), spans::ALL.len());
            for (span, name) in every {
                let metadata = span.metadata().unwrap();
                assert_eq!(metadata.name(), name);
                for field in ["slice", "service_type", "organization", "event"] {
                    assert!(metadata.fields().field(field).is_some(), "{name} lacks {field}");
                }
            }
        });
    }
}
