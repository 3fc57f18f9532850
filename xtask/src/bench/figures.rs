//! Samples, their median and spread, what is claimed of them, and all of it as Markdown.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::run::Run;
use crate::shell;

/// The longest that one program of a benchmark may take.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// One thing that was measured several times.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// What it is, e.g. `hold`.
    pub name: String,
    /// In which unit, e.g. `1/s`.
    pub unit: String,
    /// One figure per round.
    pub samples: Vec<f64>,
}

/// What is hoped for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

/// Something claimed of the measures.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The median of a measure.
    Value(&'static str, Target),
    /// The median of the first over the median of the second.
    Ratio(&'static str, &'static str, Target),
}

/// A benchmark's outcome.
#[derive(Debug, Default, PartialEq)]
pub struct Figures {
    /// What was measured.
    pub measures: Vec<Measure>,
    /// What is claimed of it.
    pub claims: Vec<Claim>,
}

/// Runs a release program of the workspace that prints one JSON object per measure, `{"measure", "unit", "samples": […]}`,
/// among whatever else it prints.
pub fn of_program(
    run: &Run,
    (package, program): (&str, &str),
    arguments: &[&str],
    paths: &[(&str, &Path)],
    claims: &[Claim],
) -> anyhow::Result<Figures> {
    let mut command = shell::cargo(&run.root);
    command.args(["run", "--release", "--quiet", "--package", package, "--bin", program, "--"]);
    command.args(arguments);
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    let outcome = shell::tally(&mut command, LONGEST)?;
    if outcome.tally.failed > 0 {
        bail!("the program `{program}` failed");
    }
    let measures: Vec<Measure> = outcome.lines.iter().filter_map(|line| Measure::of_line(line)).collect();
    if measures.is_empty() {
        bail!("the program `{program}` printed no measure");
    }
    Ok(Figures { measures, claims: claims.to_vec() })
}

impl Measure {
    /// The measure that a line of a program states, if it states one.
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

    /// The middle sample; of two middle ones the mean.
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

impl Target {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
        }
    }
}

impl Figures {
    fn measure(&self, name: &str) -> anyhow::Result<&Measure> {
        self.measures.iter().find(|measure| measure.name == name).with_context(|| format!("nothing measured `{name}`"))
    }

    /// What is claimed, its value, the spread of it, and the target.
    fn verdict(&self, claim: &Claim) -> anyhow::Result<(String, f64, (f64, f64), Target)> {
        match claim {
            Claim::Value(name, target) => {
                let measure = self.measure(name)?;
                Ok((format!("{name} ({})", measure.unit), measure.median(), measure.spread(), *target))
            }
            Claim::Ratio(of, to, target) => {
                let (above, below) = (self.measure(of)?, self.measure(to)?);
                let ((low, high), (least, most)) = (above.spread(), below.spread());
                Ok((format!("{of} / {to}"), above.median() / below.median(), (low / most, high / least), *target))
            }
        }
    }

    /// True where every claim could be judged and holds.
    pub fn are_met(&self) -> bool {
        self.claims.iter().all(|claim| self.verdict(claim).is_ok_and(|(_, value, _, target)| target.is_met_by(value)))
    }

    /// Two tables: what was measured, and what is claimed of it.
    pub fn markdown(&self) -> String {
        let mut text = String::from("| measure | median | spread | unit | rounds |\n|---|--:|--:|---|--:|\n");
        for measure in &self.measures {
            let (low, high) = measure.spread();
            let cells = [short(measure.median()), format!("{}–{}", short(low), short(high)), measure.unit.clone()];
            let _ = writeln!(text, "| {} | {} | {} |", measure.name, cells.join(" | "), measure.samples.len());
        }
        text.push_str("\n| claim | value | spread | target | |\n|---|--:|--:|--:|---|\n");
        for claim in &self.claims {
            let _ = match self.verdict(claim) {
                Ok((what, value, (low, high), target)) => {
                    let mark = if target.is_met_by(value) { "met" } else { "**missed**" };
                    writeln!(text, "| {what} | {} | {}–{} | {target} | {mark} |", short(value), short(low), short(high))
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

    fn measure(name: &str, samples: &[f64]) -> Measure {
        Measure { name: name.into(), unit: "1/s".into(), samples: samples.to_vec() }
    }

    #[test]
    fn median_and_spread_do_not_depend_on_the_order_of_samples() {
        for (samples, median, spread) in [
            (vec![3.0, 1.0, 2.0], 2.0, (1.0, 3.0)),
            (vec![4.0, 1.0, 3.0, 2.0], 2.5, (1.0, 4.0)),
            (vec![7.0], 7.0, (7.0, 7.0)),
        ] {
            let measure = measure("x", &samples);
            assert_eq!((measure.median(), measure.spread()), (median, spread), "{samples:?}");
        }
    }

    #[test]
    fn measures_are_read_from_json_lines_only() {
        let read = Measure::of_line(r#"{"measure": "hold", "unit": "1/s", "samples": [1, 2.5]}"#);
        assert_eq!(read, Some(measure("hold", &[1.0, 2.5])));
        for line in ["starting", "{}", r#"{"measure": "hold", "samples": []}"#, r#"{"samples": [1]}"#] {
            assert_eq!(Measure::of_line(line), None, "{line}");
        }
    }

    #[test]
    fn claims_are_judged_by_medians() {
        let measures = vec![measure("ours", &[5.0, 6.0, 7.0]), measure("floor", &[10.0, 12.0, 14.0])];
        for (claim, expected) in [
            (Claim::Ratio("ours", "floor", Target::AtLeast(0.5)), true),
            (Claim::Ratio("ours", "floor", Target::AtLeast(0.51)), false),
            (Claim::Value("ours", Target::AtMost(6.0)), true),
            (Claim::Value("ours", Target::AtMost(5.9)), false),
            (Claim::Value("nothing", Target::AtMost(5.9)), false),
        ] {
            let figures = Figures { measures: measures.clone(), claims: vec![claim.clone()] };
            assert_eq!(figures.are_met(), expected, "{claim:?}");
        }
    }

    #[test]
    fn the_tables_show_spread_and_verdict() {
        let measures = vec![measure("ours", &[5.0, 6.0, 7.0]), measure("floor", &[10.0, 12.0, 14.0])];
        let text = Figures { measures, claims: vec![Claim::Ratio("ours", "floor", Target::AtLeast(0.6))] }.markdown();
        assert!(text.contains("| ours | 6.00 | 5.00–7.00 | 1/s | 3 |"), "{text}");
        assert!(text.contains("| ours / floor | 0.5000 | 0.3571–0.7000 | ≥ 0.6 | **missed** |"), "{text}");
    }
}
