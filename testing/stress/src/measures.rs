//! Prints measurements as one JSON object per line, with a sample per round, as `cargo xtask bench` reads them.

use std::collections::BTreeMap;

/// Samples by measurement, in the order of names.
#[derive(Debug, Default)]
pub struct Measures(BTreeMap<String, (&'static str, Vec<f64>)>);

impl Measures {
    /// Adds the sample of one round.
    pub fn add(&mut self, name: impl Into<String>, unit: &'static str, sample: f64) {
        self.0.entry(name.into()).or_insert((unit, Vec::new())).1.push(sample);
    }

    /// Prints all measurements.
    pub fn print(&self) {
        for (name, (unit, samples)) in &self.0 {
            println!("{}", serde_json::json!({ "measure": name, "unit": unit, "samples": samples }));
        }
    }
}
