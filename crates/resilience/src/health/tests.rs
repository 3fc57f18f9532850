//! Checks that reports are shared, combined by the worst mode and shown in `/readyz`.

use super::*;
use crate::capability::Degradation;

#[test]
fn health_reported_through_one_clone_is_seen_by_the_others() {
    let capabilities = Capabilities::new();
    let clone = capabilities.clone();
    assert_eq!(capabilities.may(Capability::Hold), CapabilityAnswer::Yes);
    clone.report(Dependency::Warm, DependencyHealth::Down);
    assert!(matches!(capabilities.may(Capability::Hold), CapabilityAnswer::Refused { code: "try_again", .. }));
    assert_eq!(capabilities.may(Capability::Scan), CapabilityAnswer::Degraded { why: Degradation::ColdDecides });
    clone.report(Dependency::Warm, DependencyHealth::Up);
    assert_eq!(capabilities.may(Capability::Hold), CapabilityAnswer::Yes);
}

#[test]
fn two_unavailable_dependencies_give_the_worse_answer() {
    let capabilities = Capabilities::new();
    capabilities.report(Dependency::Cold, DependencyHealth::ReplicaOnly);
    assert_eq!(capabilities.may(Capability::Scan), CapabilityAnswer::Degraded { why: Degradation::WarmDecides });
    capabilities.report(Dependency::Warm, DependencyHealth::Down);
    assert!(
        matches!(capabilities.may(Capability::Scan), CapabilityAnswer::Refused { .. }),
        "gates fall back to their offline rules"
    );
    capabilities.report(Dependency::PaymentProvider, DependencyHealth::Down);
    assert!(matches!(capabilities.may(Capability::OrderAndPay), CapabilityAnswer::Refused { .. }));
}

#[test]
fn readiness_serializes_dependencies_and_capabilities_as_json() {
    let capabilities = Capabilities::new();
    capabilities.report(Dependency::Cold, DependencyHealth::Down);
    let json = serde_json::to_value(capabilities.current()).unwrap();
    assert_eq!(json["dependencies"][1], serde_json::json!({"dependency": "cold", "health": "down"}));
    let of = |name: &str| {
        let all = json["capabilities"].as_array().unwrap();
        all.iter().find(|line| line["capability"] == name).unwrap().clone()
    };
    assert_eq!(
        of("hold"),
        serde_json::json!({"capability": "hold", "answer": "refused", "code": "try_again", "retry_after": 10})
    );
    assert_eq!(of("scan"), serde_json::json!({"capability": "scan", "answer": "degraded", "why": "warm_decides"}));
}

#[test]
fn health_change_is_counted_once_and_repeated_report_is_not() {
    let exporter = voelgoed_telemetry::install("test");
    let capabilities = Capabilities::new();
    for _ in 0..3 {
        capabilities.report(Dependency::PaymentProvider, DependencyHealth::ReplicaOnly);
    }
    let text = exporter.render();
    assert!(text.lines().any(|line| line.starts_with("voelgoed_dependency_changes_total{")
        && line.contains("dependency=\"payment_provider\",health=\"replica_only\"")
        && line.ends_with(" 1")));
}
