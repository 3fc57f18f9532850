//! Describes a metric as a constant: name, kind, unit, labels and help, so that tools and tests can list metrics without a running process.
//!
//! A closed label lists its values in the constant; the values of an open label come from call sites, and [`SERIES_MAX`] limits their number.
//! To add a set of buckets: one constant here, named after what is measured.

pub use metrics::Unit;

/// The value for everything past a label's limit.
pub const OTHER: &str = "other";

/// Limit of the series of a metric with an open label; later values are counted as [`OTHER`].
pub const SERIES_MAX: usize = 1_000;

/// In-process work and single calls to a near store: 50 µs to 1 s.
pub const FAST: &[f64] =
    &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];
/// Requests and calls to other services: 1 ms to 30 s. 50 ms and 150 ms are service level objectives, so they are edges.
pub const CALL: &[f64] = &[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Background work and lags: 10 ms to 15 min.
pub const SLOW: &[f64] = &[0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0];
/// Sizes of batches: 1 to 2,048.
pub const BATCH: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0, 2_048.0];
/// Sizes of messages: 64 B to 256 KiB.
pub const BYTES: &[f64] = &[64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0];

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetricKind {
    /// Only increases.
    Counter,
    /// Increases and decreases.
    Gauge,
    /// Observations in buckets with these upper edges.
    Histogram(&'static [f64]),
}

/// A dimension of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The name on `/metrics`.
    pub name: &'static str,
    /// All values; empty for an open label.
    pub values: &'static [&'static str],
}

impl Label {
    /// A label with these values.
    #[must_use]
    pub const fn closed(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, values }
    }

    /// A label whose values come from call sites (routes, codes, kinds of job).
    #[must_use]
    pub const fn open(name: &'static str) -> Self {
        Self { name, values: &[] }
    }

    /// True for an open label.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.values.is_empty()
    }
}

/// One entry of the list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The slice or tier; the label `slice` of every series.
    pub slice: &'static str,
    /// The name on `/metrics`.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: MetricKind,
    /// The unit of its values.
    pub unit: Unit,
    /// Its labels, in the order in which call sites pass values.
    pub labels: &'static [Label],
    /// One sentence for people, shown on `/metrics`.
    pub help: &'static str,
}

impl Metric {
    /// A counter; its name ends in `_total`.
    #[must_use]
    pub const fn counter(
        slice: &'static str,
        name: &'static str,
        labels: &'static [Label],
        help: &'static str,
    ) -> Self {
        Self { slice, name, kind: MetricKind::Counter, unit: Unit::Count, labels, help }
    }

    /// A gauge; its name ends in its unit unless it is a count.
    #[must_use]
    pub const fn gauge(
        slice: &'static str,
        name: &'static str,
        unit: Unit,
        labels: &'static [Label],
        help: &'static str,
    ) -> Self {
        Self { slice, name, kind: MetricKind::Gauge, unit, labels, help }
    }

    /// A histogram.
    #[must_use]
    pub const fn histogram(
        slice: &'static str,
        name: &'static str,
        unit: Unit,
        buckets: &'static [f64],
        labels: &'static [Label],
        help: &'static str,
    ) -> Self {
        Self { slice, name, kind: MetricKind::Histogram(buckets), unit, labels, help }
    }

    /// True if a label is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.labels.iter().any(Label::is_open)
    }

    /// True for a metric of a single show event, which [`crate::per_event_counters`] keeps.
    #[must_use]
    pub fn is_per_event(&self) -> bool {
        self.labels.iter().any(|label| label.name == "event")
    }

    /// The label values of the series that exist from the start: every combination of closed labels; with an open label a single series in
    /// which every open label is [`OTHER`].
    #[must_use]
    pub fn initial_series(&self) -> Vec<Vec<&'static str>> {
        if self.is_open() {
            return vec![self.labels.iter().map(|label| label.values.first().copied().unwrap_or(OTHER)).collect()];
        }
        self.labels.iter().fold(vec![Vec::new()], |series, label| {
            series
                .iter()
                .flat_map(|before| label.values.iter().map(move |value| [before.as_slice(), &[*value]].concat()))
                .collect()
        })
    }
}

/// Declares the values of a closed label as an enum, so that a call site cannot invent one.
macro_rules! label_values {
    ($(#[$doc:meta])+ $name:ident = $label:literal { $($(#[$value_doc:meta])+ $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$value_doc])+ $variant,)+ }

        impl $name {
            /// The label with all of these values.
            pub const LABEL: $crate::metric::Label = $crate::metric::Label::closed($label, &[$($text),+]);

            /// The value's text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}
pub(crate) use label_values;

#[cfg(test)]
mod tests {
    use super::*;

    const COLOUR: Label = Label::closed("colour", &["red", "blue"]);
    const SIZE: Label = Label::closed("size", &["s", "m", "l"]);
    const ROUTE: Label = Label::open("route");

    #[test]
    fn initial_series_are_the_product_of_closed_labels_or_one_with_other() {
        let series = |labels| Metric::counter("test", "t_total", labels, "").initial_series();
        assert_eq!(series(&[]), vec![Vec::<&str>::new()]);
        assert_eq!(series(&[COLOUR]), vec![vec!["red"], vec!["blue"]]);
        assert_eq!(series(&[COLOUR, SIZE]).len(), 6);
        assert_eq!(series(&[ROUTE, SIZE]), vec![vec![OTHER, "s"]]);
    }
}
