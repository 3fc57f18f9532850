//! Checks that every metric in the alert rules of `deploy/` is a listed metric.

use voelgoed_telemetry::metrics;

const ALERTS: &str = include_str!("../../../deploy/prometheus/alerts.yml");

#[test]
fn alert_rules_use_listed_metrics_only() {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let used: Vec<_> = ALERTS.split(|letter| !is_word(letter)).filter(|word| word.starts_with("voelgoed_")).collect();
    assert!(used.len() >= 7, "{used:?}");
    for name in used {
        let base = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(metrics::all().any(|metric| metric.name == base), "no metric is called {name}");
    }
}
