//! Holds the process's metric recorder, which call sites use to register series.

use std::sync::OnceLock;

use metrics::Recorder;
use metrics_exporter_prometheus::PrometheusRecorder;

static RECORDER: OnceLock<PrometheusRecorder> = OnceLock::new();

/// Makes `recorder` the one of this process, unless there is one.
pub(crate) fn install(recorder: PrometheusRecorder) {
    let recorder = RECORDER.get_or_init(|| recorder);
    // For code that uses the `metrics` facade. Fails if a test has set another recorder; our own functions do not use the facade's.
    let _ = metrics::set_global_recorder(recorder);
}

/// The recorder of this process; `None` before the exporter is installed.
pub(crate) fn recorder() -> Option<&'static dyn Recorder> {
    RECORDER.get().map(|recorder| recorder as &dyn Recorder)
}
