//! Builds journal entries by constructors that only allow postings that sum to zero (P5).
//!
//! Never: an entry of two currencies, or an edited entry. To add a kind: a line in [`EntryKind`], its constructor, its row in the tests.

use super::account::Account;
use crate::checkout::amount_parts::AmountParts;
use crate::money::{Currency, Money};
use crate::text_enum::text_enum;

text_enum! {
    /// The business event that an entry records.
    "journal entry kind" EntryKind {
        /// An order was paid.
        Sale = "sale",
        /// Money of a paid order was refunded.
        Refund = "refund",
        /// A fee was charged to the organizer outside of a sale.
        Fee = "fee",
        /// Money was captured for an order that could not use it.
        UnmatchedCapture = "late_capture",
        /// An unmatched capture bought the order's places again.
        UnmatchedCaptureSale = "late_capture_sale",
        /// An unmatched capture was refunded.
        UnmatchedCaptureRefund = "late_capture_refund",
        /// A wrong entry was reversed.
        Reversal = "reversal",
    }
}

/// One line of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The account that the amount is posted to.
    pub account: Account,
    /// Minor units of the entry's currency; debits positive, never zero.
    pub amount: i64,
}

/// A journal entry, whose postings sum to zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    kind: EntryKind,
    currency: Currency,
    postings: Vec<Posting>,
}

/// Why an entry cannot be built: a fault of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// All amounts are zero; an order of total zero has no entry.
    #[error("an entry without an amount")]
    Nothing,
    /// An amount is negative.
    #[error("an entry with a negative amount")]
    Negative,
    /// The postings do not sum to zero, or leave the range of `i64`.
    #[error("an entry whose postings do not sum to zero")]
    Unbalanced,
}

impl JournalEntry {
    /// A paid order: debits the provider with the paid amount, and credits organizer, fee income and tax office with their parts.
    ///
    /// # Errors
    /// [`LedgerError`] where a part is negative, or all are zero.
    pub fn sale(provider: &str, currency: Currency, parts: AmountParts) -> Result<Self, LedgerError> {
        Self::new(EntryKind::Sale, currency, clearing(provider, parts.total()), credits(parts)?)
    }

    /// A refund of a paid order through the provider; `parts` are taken from organizer, fee income and tax office.
    ///
    /// # Errors
    /// [`LedgerError`] where a part is negative, or all are zero.
    pub fn refund(provider: &str, currency: Currency, parts: AmountParts) -> Result<Self, LedgerError> {
        let debits = credits(parts)?.map(negated);
        Self::new(EntryKind::Refund, currency, negated(clearing(provider, parts.total())), debits)
    }

    /// A fee charged to the organizer outside of a sale.
    ///
    /// # Errors
    /// [`LedgerError`] where the amount is zero or negative.
    pub fn fee(amount: Money) -> Result<Self, LedgerError> {
        let [debit, credit] = pair(Account::OrganizerPayable, Account::FeeIncome, amount)?;
        Self::new(EntryKind::Fee, amount.currency, debit, [credit])
    }

    /// A capture for an order that cannot use the money, which is now owed to the buyer.
    ///
    /// # Errors
    /// [`LedgerError`] where the amount is zero or negative.
    pub fn unmatched_capture(provider: &str, amount: Money) -> Result<Self, LedgerError> {
        let clearing = Account::ProviderClearing(provider.to_owned());
        let [debit, credit] = pair(clearing, Account::UnmatchedCaptures, amount)?;
        Self::new(EntryKind::UnmatchedCapture, amount.currency, debit, [credit])
    }

    /// An unmatched capture that buys the order's places again: the debt to the buyer becomes a sale.
    ///
    /// # Errors
    /// [`LedgerError`] where a part is negative, or all are zero.
    pub fn unmatched_capture_sale(currency: Currency, parts: AmountParts) -> Result<Self, LedgerError> {
        let debit = Posting { account: Account::UnmatchedCaptures, amount: parts.total() };
        Self::new(EntryKind::UnmatchedCaptureSale, currency, debit, credits(parts)?)
    }

    /// A refund of an unmatched capture.
    ///
    /// # Errors
    /// [`LedgerError`] where the amount is zero or negative.
    pub fn unmatched_capture_refund(provider: &str, amount: Money) -> Result<Self, LedgerError> {
        let clearing = Account::ProviderClearing(provider.to_owned());
        let [debit, credit] = pair(Account::UnmatchedCaptures, clearing, amount)?;
        Self::new(EntryKind::UnmatchedCaptureRefund, amount.currency, debit, [credit])
    }

    /// The entry that reverses this one; both stay in the journal.
    #[must_use]
    pub fn reverse(&self) -> Self {
        let postings = self.postings.iter().cloned().map(negated).collect();
        Self { kind: EntryKind::Reversal, currency: self.currency, postings }
    }

    /// The business event that the entry records.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// The currency of all postings.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The postings: at least two, none zero, summing to zero.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    fn new(
        kind: EntryKind,
        currency: Currency,
        first: Posting,
        others: impl IntoIterator<Item = Posting>,
    ) -> Result<Self, LedgerError> {
        let lines = std::iter::once(first).chain(others);
        let postings: Vec<_> = lines.filter(|posting| posting.amount != 0).collect();
        if postings.is_empty() {
            return Err(LedgerError::Nothing);
        }
        // A reversal cannot negate `i64::MIN`.
        let has_min = postings.iter().any(|posting| posting.amount == i64::MIN);
        if has_min || postings.iter().map(|posting| i128::from(posting.amount)).sum::<i128>() != 0 {
            return Err(LedgerError::Unbalanced);
        }
        Ok(Self { kind, currency, postings })
    }
}

/// The parts of an order's money that were not refunded yet, computed from the postings of all its entries; unmatched captures do not count.
#[must_use]
pub fn parts_left<'a>(postings: impl IntoIterator<Item = (&'a Account, i64)>) -> AmountParts {
    postings.into_iter().fold(AmountParts::default(), |left, (account, amount)| match account {
        Account::OrganizerPayable => AmountParts { net: left.net.saturating_sub(amount), ..left },
        Account::FeeIncome => AmountParts { fee: left.fee.saturating_sub(amount), ..left },
        Account::TaxPayable => AmountParts { tax: left.tax.saturating_sub(amount), ..left },
        Account::ProviderClearing(_) | Account::UnmatchedCaptures => left,
    })
}

fn clearing(provider: &str, amount: i64) -> Posting {
    Posting { account: Account::ProviderClearing(provider.to_owned()), amount }
}

fn credits(parts: AmountParts) -> Result<[Posting; 3], LedgerError> {
    if parts.net < 0 || parts.fee < 0 || parts.tax < 0 {
        return Err(LedgerError::Negative);
    }
    Ok([
        Posting { account: Account::OrganizerPayable, amount: -parts.net },
        Posting { account: Account::FeeIncome, amount: -parts.fee },
        Posting { account: Account::TaxPayable, amount: -parts.tax },
    ])
}

fn pair(debit: Account, credit: Account, amount: Money) -> Result<[Posting; 2], LedgerError> {
    if amount.amount < 0 {
        return Err(LedgerError::Negative);
    }
    Ok([Posting { account: debit, amount: amount.amount }, Posting { account: credit, amount: -amount.amount }])
}

fn negated(posting: Posting) -> Posting {
    Posting { amount: -posting.amount, ..posting }
}

#[cfg(test)]
mod tests;
