//! Tests the postings of each kind of entry, and that any run of entries sums to zero in every currency.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{EntryKind, JournalEntry, LedgerError, parts_left};
use crate::checkout::amount_parts::AmountParts;
use crate::ledger::account::Account;
use crate::money::{Currency, Money};

const EUR: Currency = Currency::EUR;

const fn parts(net: i64, fee: i64, tax: i64) -> AmountParts {
    AmountParts { net, fee, tax }
}

fn eur(amount: i64) -> Money {
    Money::new(amount, EUR)
}

fn describe(entry: &JournalEntry) -> String {
    let lines: Vec<_> =
        entry.postings().iter().map(|posting| format!("{} {:+}", posting.account, posting.amount)).collect();
    format!("{}: {}", entry.kind(), lines.join(", "))
}

#[test]
fn each_kind_has_its_postings() {
    let table = [
        (
            JournalEntry::sale("sandbox", EUR, parts(800, 50, 150)),
            "sale: provider_clearing:sandbox +1000, organizer_payable -800, fee_income -50, tax_payable -150",
        ),
        (
            JournalEntry::sale("sandbox", EUR, parts(800, 0, 0)),
            "sale: provider_clearing:sandbox +800, organizer_payable -800",
        ),
        (
            JournalEntry::refund("sandbox", EUR, parts(80, 5, 15)),
            "refund: provider_clearing:sandbox -100, organizer_payable +80, fee_income +5, tax_payable +15",
        ),
        (JournalEntry::fee(eur(30)), "fee: organizer_payable +30, fee_income -30"),
        (
            JournalEntry::unmatched_capture("sandbox", eur(1_000)),
            "late_capture: provider_clearing:sandbox +1000, late_captures -1000",
        ),
        (
            JournalEntry::unmatched_capture_sale(EUR, parts(800, 50, 150)),
            "late_capture_sale: late_captures +1000, organizer_payable -800, fee_income -50, tax_payable -150",
        ),
        (
            JournalEntry::unmatched_capture_refund("sandbox", eur(1_000)),
            "late_capture_refund: late_captures +1000, provider_clearing:sandbox -1000",
        ),
    ];
    for (entry, expected) in table {
        assert_eq!(describe(&entry.unwrap()), expected);
    }
}

#[test]
fn reversal_negates_postings_in_the_same_currency() {
    let sale = JournalEntry::sale("sandbox", Currency::ZAR, parts(800, 50, 150)).unwrap();
    let reversal = sale.reverse();
    assert_eq!(
        describe(&reversal),
        "reversal: provider_clearing:sandbox -1000, organizer_payable +800, fee_income +50, tax_payable +150"
    );
    assert_eq!(reversal.currency(), Currency::ZAR);
    assert_eq!(reversal.reverse().postings(), sale.postings());
}

#[test]
fn invalid_amounts_are_refused() {
    use LedgerError::{Negative, Nothing, Unbalanced};
    for (entry, expected) in [
        (JournalEntry::sale("sandbox", EUR, parts(0, 0, 0)), Nothing),
        (JournalEntry::refund("sandbox", EUR, parts(0, 0, 0)), Nothing),
        (JournalEntry::unmatched_capture_sale(EUR, parts(0, 0, 0)), Nothing),
        (JournalEntry::fee(eur(0)), Nothing),
        (JournalEntry::unmatched_capture("sandbox", eur(0)), Nothing),
        (JournalEntry::unmatched_capture_refund("sandbox", eur(0)), Nothing),
        (JournalEntry::sale("sandbox", EUR, parts(-1, 1, 0)), Negative),
        (JournalEntry::refund("sandbox", EUR, parts(5, -1, 0)), Negative),
        (JournalEntry::sale("sandbox", EUR, parts(5, 0, -1)), Negative),
        (JournalEntry::fee(eur(-1)), Negative),
        (JournalEntry::fee(eur(i64::MIN)), Negative),
        (JournalEntry::unmatched_capture("sandbox", eur(-1)), Negative),
        (JournalEntry::unmatched_capture_refund("sandbox", eur(-1)), Negative),
        // The debit exceeds the range of `i64`.
        (JournalEntry::sale("sandbox", EUR, parts(i64::MAX, 1, 0)), Unbalanced),
    ] {
        assert_eq!(entry.unwrap_err(), expected);
    }
}

#[test]
fn parts_left_follow_from_the_postings() {
    let entries = [
        JournalEntry::sale("sandbox", EUR, parts(800, 50, 150)).unwrap(),
        JournalEntry::refund("sandbox", EUR, parts(80, 5, 15)).unwrap(),
        JournalEntry::unmatched_capture("sandbox", eur(1_000)).unwrap(),
        JournalEntry::unmatched_capture_refund("sandbox", eur(1_000)).unwrap(),
    ];
    let postings = entries.iter().flat_map(|entry| entry.postings()).map(|posting| (&posting.account, posting.amount));
    assert_eq!(parts_left(postings), parts(720, 45, 135));
    assert_eq!(parts_left(std::iter::empty::<(&Account, i64)>()), AmountParts::default());
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![0..20_i64, 0..1_000_000_000_i64]
}

fn entry() -> impl Strategy<Value = JournalEntry> {
    let currency = prop_oneof![Just(EUR), Just(Currency::ZAR), Just(Currency::JPY)];
    (0..6_u8, currency, 1..1_000_000_i64, amount(), amount(), any::<bool>()).prop_map(
        |(kind, currency, net, fee, tax, reversed)| {
            let parts = parts(net, fee, tax);
            let money = Money::new(net, currency);
            let entry = match kind {
                0 => JournalEntry::sale("sandbox", currency, parts),
                1 => JournalEntry::refund("sandbox", currency, parts),
                2 => JournalEntry::fee(money),
                3 => JournalEntry::unmatched_capture("other", money),
                4 => JournalEntry::unmatched_capture_sale(currency, parts),
                _ => JournalEntry::unmatched_capture_refund("other", money),
            };
            let entry = entry.unwrap();
            if reversed { entry.reverse() } else { entry }
        },
    )
}

proptest! {
    #[test]
    fn journal_sums_to_zero_in_every_currency(entries in prop::collection::vec(entry(), 0..50)) {
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for entry in &entries {
            prop_assert!(entry.postings().len() >= 2);
            prop_assert!(entry.postings().iter().all(|posting| posting.amount != 0));
            let sum: i128 = entry.postings().iter().map(|posting| i128::from(posting.amount)).sum();
            prop_assert_eq!(sum, 0, "{}", describe(entry));
            *sums.entry(entry.currency().code()).or_default() += sum;
        }
        prop_assert!(sums.values().all(|sum| *sum == 0));
    }

    #[test]
    fn fully_refunded_sale_leaves_nothing(net in 1..1_000_000_i64, fee in amount(), tax in amount(), cuts in prop::collection::vec(1..1_000_i64, 0..10)) {
        let mut journal = vec![JournalEntry::sale("sandbox", EUR, parts(net, fee, tax)).unwrap()];
        let left = |journal: &[JournalEntry]| {
            parts_left(journal.iter().flat_map(JournalEntry::postings).map(|posting| (&posting.account, posting.amount)))
        };
        for cut in cuts.into_iter().chain([1_000]) {
            let remaining = left(&journal);
            let taken = remaining.take(remaining.total() * cut / 1_000).unwrap();
            match JournalEntry::refund("sandbox", EUR, taken) {
                Ok(entry) => journal.push(entry),
                Err(error) => prop_assert_eq!((error, taken.total()), (LedgerError::Nothing, 0)),
            }
        }
        prop_assert_eq!(left(&journal), AmountParts::default());
        let mut balances: BTreeMap<&Account, i128> = BTreeMap::new();
        for posting in journal.iter().flat_map(JournalEntry::postings) {
            *balances.entry(&posting.account).or_default() += i128::from(posting.amount);
        }
        prop_assert!(balances.values().all(|balance| *balance == 0), "{:?}", balances);
    }

    #[test]
    fn kinds_round_trip(index in 0..EntryKind::ALL.len()) {
        let kind = EntryKind::ALL[index];
        prop_assert_eq!(EntryKind::parse(kind.as_str()), Ok(kind));
    }
}
