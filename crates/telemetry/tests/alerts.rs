//! Every metric that an alert of `deploy/` asks for is one that this program has.

use voelgoed_telemetry::metrics;

const ALERTS: &str = include_str!("../../../deploy/prometheus/alerts.yml");

#[test]
fn alerts_ask_for_metrics_that_exist() {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let asked: Vec<_> = ALERTS.split(|letter| !is_word(letter)).filter(|word| word.starts_with("voelgoed_")).collect();
    assert!(asked.len() >= 7, "{asked:?}");
    for name in asked {
        let base = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(metrics::all().any(|metric| metric.name == base), "no metric is called {name}");
    }
}
