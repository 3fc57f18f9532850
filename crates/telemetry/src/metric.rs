//! What a metric is: a constant with its name, kind, unit, labels and help, so that the list can be read without running anything.
//!
//! Never: a value. A label is closed (its values stand in the constant) or open (its values come from the code, and their number is capped).
//! To add a kind of bucket: one constant here, named after what is measured.

pub use metrics::Unit;

/// The value that stands for everything past a label's limit.
pub const OTHER: &str = "other";

/// The most series that one metric with an open label may have; what comes later is counted as [`OTHER`].
pub const SERIES_MAX: usize = 1_000;

/// In-process work and single calls to a near store: 50 µs to 1 s.
pub const FAST: &[f64] =
    &[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];
/// Requests and calls to others: 1 ms to 30 s. 50 ms and 150 ms are promises of the specification, so they are edges.
pub const CALL: &[f64] = &[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Background work and lags: 10 ms to 15 min.
pub const SLOW: &[f64] = &[0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0];
/// How many went together: 1 to 2,048.
pub const BATCH: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0, 2_048.0];
/// Sizes on the wire: 64 B to 256 KiB.
pub const BYTES: &[f64] = &[64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0];

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only up.
    Counter,
    /// Up and down.
    Gauge,
    /// Observations in buckets with these upper edges.
    Histogram(&'static [f64]),
}

/// A dimension of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The label's name.
    pub name: &'static str,
    /// Every value there is; empty where the label is open.
    pub values: &'static [&'static str],
}

impl Label {
    /// A label whose values are all known.
    #[must_use]
    pub const fn closed(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, values }
    }

    /// A label whose values come from the code (routes, codes, kinds of job): capped at [`SERIES_MAX`] series.
    #[must_use]
    pub const fn open(name: &'static str) -> Self {
        Self { name, values: &[] }
    }

    /// True where the values are not listed.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.values.is_empty()
    }
}

/// One entry of the list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The slice or tier it speaks of; every series carries it as the label `slice`.
    pub slice: &'static str,
    /// The name on `/metrics`.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// What it counts.
    pub unit: Unit,
    /// Its dimensions, in the order in which values are given.
    pub labels: &'static [Label],
    /// One line for a person.
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
        Self { slice, name, kind: Kind::Counter, unit: Unit::Count, labels, help }
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
        Self { slice, name, kind: Kind::Gauge, unit, labels, help }
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
        Self { slice, name, kind: Kind::Histogram(buckets), unit, labels, help }
    }

    /// True where a label's values come from the code.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.labels.iter().any(Label::is_open)
    }

    /// True where the figure is one of a single event, kept by [`crate::live_events`].
    #[must_use]
    pub fn is_per_event(&self) -> bool {
        self.labels.iter().any(|label| label.name == "event")
    }

    /// The label values of the series that exist before anything happened: each combination of closed labels, or for a metric with an open
    /// label the one series in which every open label says [`OTHER`].
    #[must_use]
    pub fn first_series(&self) -> Vec<Vec<&'static str>> {
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
    fn first_series_are_the_product_of_closed_labels_and_one_for_open_ones() {
        let series = |labels| Metric::counter("test", "t_total", labels, "").first_series();
        assert_eq!(series(&[]), vec![Vec::<&str>::new()]);
        assert_eq!(series(&[COLOUR]), vec![vec!["red"], vec!["blue"]]);
        assert_eq!(series(&[COLOUR, SIZE]).len(), 6);
        assert_eq!(series(&[ROUTE, SIZE]), vec![vec![OTHER, "s"]]);
    }
}
