//! Runs a benchmark program, reads its samples, compares medians with targets, and renders the result as Markdown.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::child_process;
use crate::task_context::TaskContext;

/// Limit for one benchmark program.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The samples of one measured quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// E.g. `hold`.
    pub name: String,
    /// E.g. `1/s`.
    pub unit: String,
    /// One value per round.
    pub samples: Vec<f64>,
}

/// A limit that a median must meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClaimTarget {
    AtLeast(f64),
    AtMost(f64),
}

/// A target for a measurement or a ratio of two.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The median of a measurement.
    Value(&'static str, ClaimTarget),
    /// The median of the first over the median of the second.
    Ratio(&'static str, &'static str, ClaimTarget),
}

/// The measurements of a benchmark and their targets.
#[derive(Debug, Default, PartialEq)]
pub struct BenchmarkReport {
    /// All measurements of the run.
    pub measurements: Vec<Measurement>,
    /// Targets for them.
    pub claims: Vec<Claim>,
}

/// Runs a program in release mode and parses its output lines of the form `{"measure", "unit", "samples": […]}`; other lines are ignored.
pub fn run_program(
    context: &TaskContext,
    (package, program): (&str, &str),
    arguments: &[&str],
    paths: &[(&str, &Path)],
    claims: &[Claim],
) -> anyhow::Result<BenchmarkReport> {
    let mut command = child_process::cargo(&context.root);
    command.args(["run", "--release", "--quiet", "--package", package, "--bin", program, "--"]);
    command.args(arguments);
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    let test_run = child_process::run_tests(&mut command, PROGRAM_TIMEOUT)?;
    if test_run.counts.failed > 0 {
        bail!("the program `{program}` failed");
    }
    let measurements: Vec<Measurement> = test_run.lines.iter().filter_map(|line| Measurement::of_line(line)).collect();
    if measurements.is_empty() {
        bail!("the program `{program}` printed no measurement");
    }
    Ok(BenchmarkReport { measurements, claims: claims.to_vec() })
}

impl Measurement {
    /// Parses one output line of a program.
    pub fn of_line(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let samples: Vec<f64> = value.get("samples")?.as_array()?.iter().filter_map(Value::as_f64).collect();
        let name = value.get("measure")?.as_str()?.to_owned();
        (!samples.is_empty()).then(|| Self {
            name,
            unit: value["unit"].as_str().unwrap_or_default().to_owned(),
            samples,
        })
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The middle sample, or the mean of the two middle ones.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        match sorted.len() {
            0 => f64::NAN,
            count if count % 2 == 1 => sorted[count / 2],
            count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
        }
    }

    /// The smallest and the largest sample.
    pub fn spread(&self) -> (f64, f64) {
        let sorted = self.sorted();
        (sorted.first().copied().unwrap_or(f64::NAN), sorted.last().copied().unwrap_or(f64::NAN))
    }
}

impl ClaimTarget {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl std::fmt::Display for ClaimTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
        }
    }
}

impl BenchmarkReport {
    fn measurement(&self, name: &str) -> anyhow::Result<&Measurement> {
        self.measurements.iter().find(|one| one.name == name).with_context(|| format!("`{name}` was not measured"))
    }

    /// Evaluates a claim: its description, value, spread and target.
    fn evaluate(&self, claim: &Claim) -> anyhow::Result<(String, f64, (f64, f64), ClaimTarget)> {
        match claim {
            Claim::Value(name, target) => {
                let measurement = self.measurement(name)?;
                Ok((format!("{name} ({})", measurement.unit), measurement.median(), measurement.spread(), *target))
            }
            Claim::Ratio(of, to, target) => {
                let (above, below) = (self.measurement(of)?, self.measurement(to)?);
                let ((low, high), (least, most)) = (above.spread(), below.spread());
                Ok((format!("{of} / {to}"), above.median() / below.median(), (low / most, high / least), *target))
            }
        }
    }

    /// True if every claim has its measurements and meets its target.
    pub fn are_met(&self) -> bool {
        self.claims.iter().all(|claim| self.evaluate(claim).is_ok_and(|(_, value, _, target)| target.is_met_by(value)))
    }

    /// A table of measurements and a table of claims.
    pub fn markdown(&self) -> String {
        let mut text = String::from("| measure | median | spread | unit | rounds |\n|---|--:|--:|---|--:|\n");
        for measurement in &self.measurements {
            let (low, high) = measurement.spread();
            let cells =
                [short(measurement.median()), format!("{}–{}", short(low), short(high)), measurement.unit.clone()];
            let _ = writeln!(text, "| {} | {} | {} |", measurement.name, cells.join(" | "), measurement.samples.len());
        }
        text.push_str("\n| claim | value | spread | target | |\n|---|--:|--:|--:|---|\n");
        for claim in &self.claims {
            let _ = match self.evaluate(claim) {
                Ok((name, value, (low, high), target)) => {
                    let mark = if target.is_met_by(value) { "met" } else { "**missed**" };
                    writeln!(text, "| {name} | {} | {}–{} | {target} | {mark} |", short(value), short(low), short(high))
                }
                Err(error) => writeln!(text, "| {error} | | | | **missed** |"),
            };
        }
        text
    }
}

/// Three significant digits, without an exponent.
fn short(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(name: &str, samples: &[f64]) -> Measurement {
        Measurement { name: name.into(), unit: "1/s".into(), samples: samples.to_vec() }
    }

    #[test]
    fn median_and_spread_do_not_depend_on_the_order_of_samples() {
        for (samples, median, spread) in [
            (vec![3.0, 1.0, 2.0], 2.0, (1.0, 3.0)),
            (vec![4.0, 1.0, 3.0, 2.0], 2.5, (1.0, 4.0)),
            (vec![7.0], 7.0, (7.0, 7.0)),
        ] {
            let measurement = measurement("x", &samples);
            assert_eq!((measurement.median(), measurement.spread()), (median, spread), "{samples:?}");
        }
    }

    #[test]
    fn measurements_are_parsed_from_json_lines_only() {
        let read = Measurement::of_line(r#"{"measure": "hold", "unit": "1/s", "samples": [1, 2.5]}"#);
        assert_eq!(read, Some(measurement("hold", &[1.0, 2.5])));
        for line in ["starting", "{}", r#"{"measure": "hold", "samples": []}"#, r#"{"samples": [1]}"#] {
            assert_eq!(Measurement::of_line(line), None, "{line}");
        }
    }

    #[test]
    fn claims_compare_medians_with_targets() {
        let measurements = vec![measurement("ours", &[5.0, 6.0, 7.0]), measurement("floor", &[10.0, 12.0, 14.0])];
        for (claim, expected) in [
            (Claim::Ratio("ours", "floor", ClaimTarget::AtLeast(0.5)), true),
            (Claim::Ratio("ours", "floor", ClaimTarget::AtLeast(0.51)), false),
            (Claim::Value("ours", ClaimTarget::AtMost(6.0)), true),
            (Claim::Value("ours", ClaimTarget::AtMost(5.9)), false),
            (Claim::Value("nothing", ClaimTarget::AtMost(5.9)), false),
        ] {
            let report = BenchmarkReport { measurements: measurements.clone(), claims: vec![claim.clone()] };
            assert_eq!(report.are_met(), expected, "{claim:?}");
        }
    }

    #[test]
    fn tables_show_spread_and_result() {
        let measurements = vec![measurement("ours", &[5.0, 6.0, 7.0]), measurement("floor", &[10.0, 12.0, 14.0])];
        let text =
            BenchmarkReport { measurements, claims: vec![Claim::Ratio("ours", "floor", ClaimTarget::AtLeast(0.6))] }
                .markdown();
        assert!(text.contains("| ours | 6.00 | 5.00–7.00 | 1/s | 3 |"), "{text}");
        assert!(text.contains("| ours / floor | 0.5000 | 0.3571–0.7000 | ≥ 0.6 | **missed** |"), "{text}");
    }
}
