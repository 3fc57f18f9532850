//! Collects the findings of an import (wrong, left out, assumed, changed); equal findings at several places are merged into one with a count.

use std::collections::BTreeMap;

use super::finding::{Finding, FindingKind};
use super::seat_flags::Meaning;
use crate::refusal::{Code, Refusal};

/// Listed faults, and listed other findings; a last finding has the number of those that are not listed.
pub const FINDINGS_MAX: usize = 500;

/// The findings so far, in the order of the first place of each.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Each with the number of merged repetitions.
    list: Vec<(Finding, u32)>,
    by_detail: BTreeMap<(FindingKind, String), usize>,
    wrong: usize,
    others: usize,
    /// Cache of the meaning of names, since many seats share a name.
    pub name_meanings: BTreeMap<String, Option<Meaning>>,
}

impl Findings {
    pub fn wrong(&mut self, at: impl Into<String>, detail: impl Into<String>) {
        self.add(at, FindingKind::Wrong, detail);
    }

    /// Adds a finding without merging.
    pub fn add(&mut self, at: impl Into<String>, kind: FindingKind, detail: impl Into<String>) {
        let count = if kind == FindingKind::Wrong { &mut self.wrong } else { &mut self.others };
        *count += 1;
        if *count <= FINDINGS_MAX {
            self.list.push((Finding { at: at.into(), kind, detail: detail.into() }, 0));
        }
    }

    /// Adds a finding, or merges it into one with the same detail.
    pub fn add_merged(&mut self, at: impl FnOnce() -> String, kind: FindingKind, detail: &str) {
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

    /// The stored form of a text with 1 to `max` characters; `None` and a fault where there is none.
    pub fn checked_text(&mut self, at: impl Fn() -> String, text: &str, max: usize) -> Option<String> {
        let (text, changed) = crate::text::repair(text);
        if changed {
            self.add_merged(&at, FindingKind::Changed, "line breaks became blanks, invisible characters were dropped");
        }
        if text.is_empty() {
            self.wrong(at(), "Must not be empty.");
        } else if text.chars().count() > max {
            self.wrong(at(), format!("Must have at most {max} characters."));
        } else {
            return Some(text);
        }
        None
    }

    pub const fn is_refused(&self) -> bool {
        self.wrong > 0
    }

    pub fn into_list(self) -> Vec<Finding> {
        let with_count = |(mut finding, repeated): (Finding, u32)| {
            if repeated > 0 {
                finding.detail = format!("{} (and {repeated} more like this)", finding.detail);
            }
            finding
        };
        let mut list: Vec<Finding> = self.list.into_iter().map(with_count).collect();
        for (count, kind) in [(self.wrong, FindingKind::Wrong), (self.others, FindingKind::LeftOut)] {
            let more = count.saturating_sub(FINDINGS_MAX);
            if more > 0 {
                let detail = format!("{more} more findings are not listed");
                list.push(Finding { at: "the file".to_owned(), kind, detail });
            }
        }
        list
    }

    /// `invalid_layout` with all faults.
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
