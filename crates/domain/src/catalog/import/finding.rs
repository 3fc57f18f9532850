//! What an import has to say about a file: left out, assumed, changed, or wrong. Equal findings at many places are told once, with their number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::marks::Meaning;
use crate::refusal::{Code, Refusal};

/// So many faults, and so many other findings, are listed; the last says how many more there are.
pub const FINDINGS_MAX: usize = 500;

/// What kind of finding it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The file cannot be imported like this.
    Wrong,
    /// Something of the file is not in the plan.
    LeftOut,
    /// The file does not say it; the plan has what is usual.
    Assumed,
    /// The plan says it otherwise than the file.
    Changed,
}

impl FindingKind {
    /// The stable text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::LeftOut => "left_out",
            Self::Assumed => "assumed",
            Self::Changed => "changed",
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Where, as a path (`zones[0].rows[2]`) or a line and a column.
    pub at: String,
    /// What kind.
    pub kind: FindingKind,
    /// A sentence for a person.
    pub detail: String,
}

/// The findings so far, in the order of their first place.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<(Finding, u32)>,
    by_detail: BTreeMap<(FindingKind, String), usize>,
    wrong: usize,
    others: usize,
    /// What names were found to mean: a name is read once, however many seats have it.
    pub named: BTreeMap<String, Option<Meaning>>,
}

impl Findings {
    pub fn wrong(&mut self, at: impl Into<String>, detail: impl Into<String>) {
        self.add(at, FindingKind::Wrong, detail);
    }

    /// Adds a finding by itself.
    pub fn add(&mut self, at: impl Into<String>, kind: FindingKind, detail: impl Into<String>) {
        let count = if kind == FindingKind::Wrong { &mut self.wrong } else { &mut self.others };
        *count += 1;
        if *count <= FINDINGS_MAX {
            self.list.push((Finding { at: at.into(), kind, detail: detail.into() }, 0));
        }
    }

    /// Adds a finding that the same words may say of many places.
    pub fn each(&mut self, at: impl FnOnce() -> String, kind: FindingKind, detail: &str) {
        if let Some(found) = self.by_detail.get(&(kind, detail.to_owned())) {
            self.list[*found].1 += 1;
            return;
        }
        let at_end = self.list.len();
        self.add(at(), kind, detail);
        if self.list.len() > at_end {
            self.by_detail.insert((kind, detail.to_owned()), at_end);
        }
    }

    /// A text by the rule for typed text; a fault is noted, and nothing returned.
    pub fn worded(&mut self, at: impl Fn() -> String, text: &str, most: usize) -> Option<String> {
        let (text, changed) = crate::text::repaired(text);
        if changed {
            self.each(&at, FindingKind::Changed, "line breaks became blanks, invisible characters were dropped");
        }
        if text.is_empty() {
            self.wrong(at(), "Must not be empty.");
        } else if text.chars().count() > most {
            self.wrong(at(), format!("Must have at most {most} characters."));
        } else {
            return Some(text);
        }
        None
    }

    pub const fn is_refused(&self) -> bool {
        self.wrong > 0
    }

    pub fn into_list(self) -> Vec<Finding> {
        let told = |(mut finding, again): (Finding, u32)| {
            if again > 0 {
                finding.detail = format!("{} (and {again} more like this)", finding.detail);
            }
            finding
        };
        let mut list: Vec<Finding> = self.list.into_iter().map(told).collect();
        for (count, kind) in [(self.wrong, FindingKind::Wrong), (self.others, FindingKind::LeftOut)] {
            let more = count.saturating_sub(FINDINGS_MAX);
            if more > 0 {
                let detail = format!("{more} more findings are not listed");
                list.push(Finding { at: "the file".to_owned(), kind, detail });
            }
        }
        list
    }

    /// `invalid_layout` with everything that is wrong.
    pub fn refusal(self) -> Refusal {
        let wrong = self.wrong;
        let findings: Vec<Finding> =
            self.into_list().into_iter().filter(|finding| finding.kind == FindingKind::Wrong).collect();
        let first = findings.first();
        let place = first.map_or_else(|| "the file".to_owned(), |finding| finding.at.clone());
        let fault = first.map_or("cannot be read", |finding| finding.detail.as_str());
        let detail = match wrong {
            0 | 1 => format!("{place}: {fault}"),
            more => format!("{place}: {fault} ({} more findings)", more - 1),
        };
        Refusal::new(Code::InvalidLayout, detail).with(|evidence| {
            evidence.field = Some(place);
            evidence.findings = findings;
        })
    }
}
