//! Journal entries, made only by constructors that cannot leave a sum other than zero (P5).
//!
//! Never: an entry of two currencies, an edited entry. To add a kind: a line in [`EntryKind`], its constructor, its row in the tests.

use super::account::Account;
use crate::checkout::amounts::Parts;
use crate::money::{Currency, Money};
use crate::named::named;

named! {
    /// What an entry tells of.
    "journal entry kind" EntryKind {
        /// An order was paid.
        Sale = "sale",
        /// Money of a paid order went back.
        Refund = "refund",
        /// A fee was charged to the organizer by itself.
        Fee = "fee",
        /// Money was taken for an order that could not use it.
        LateCapture = "late_capture",
        /// Late money bought the places anew.
        LateCaptureSale = "late_capture_sale",
        /// Late money went back.
        LateCaptureRefund = "late_capture_refund",
        /// Another entry was wrong.
        Reversal = "reversal",
    }
}

/// One line of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// Minor units of the entry's currency; debits positive, never zero.
    pub amount: i64,
}

/// An entry: its postings sum to zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    kind: EntryKind,
    currency: Currency,
    postings: Vec<Posting>,
}

/// Why there is no such entry: a fault of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// There is nothing to post; an order of total zero has no entry.
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
    /// A paid order: the provider owes us what the buyer paid; we owe the organizer and the tax office their parts.
    ///
    /// # Errors
    /// [`LedgerError`] where a part is negative, or all are zero.
    pub fn sale(provider: &str, currency: Currency, parts: Parts) -> Result<Self, LedgerError> {
        Self::new(EntryKind::Sale, currency, clearing(provider, parts.total()), credits(parts)?)
    }

    /// Money of a paid order went back through the provider; `parts` says from whom.
    ///
    /// # Errors
    /// [`LedgerError`] where a part is negative, or all are zero.
    pub fn refund(provider: &str, currency: Currency, parts: Parts) -> Result<Self, LedgerError> {
        let debits = credits(parts)?.map(negated);
        Self::new(EntryKind::Refund, currency, negated(clearing(provider, parts.total())), debits)
    }

    /// A fee charged to the organizer by itself, outside of a sale.
    ///
    /// # Errors
    /// [`LedgerError`] where the amount is zero or negative.
    pub fn fee(amount: Money) -> Result<Self, LedgerError> {
        let [debit, credit] = pair(Account::OrganizerPayable, Account::FeeIncome, amount)?;
        Self::new(EntryKind::Fee, amount.currency, debit, [credit])
    }

    /// Money was taken for an order that cannot use it: it is owed to the buyer.
    ///
    /// # Errors
    /// [`LedgerError`] where the amount is zero or negative.
    pub fn late_capture(provider: &str, amount: Money) -> Result<Self, LedgerError> {
        let clearing = Account::ProviderClearing(provider.to_owned());
        let [debit, credit] = pair(clearing, Account::LateCaptures, amount)?;
        Self::new(EntryKind::LateCapture, amount.currency, debit, [credit])
    }

    /// Late money bought the places anew: what was owed to the buyer becomes a sale.
    ///
    /// # Errors
    /// [`LedgerError`] where a part is negative, or all are zero.
    pub fn late_capture_sale(currency: Currency, parts: Parts) -> Result<Self, LedgerError> {
        let debit = Posting { account: Account::LateCaptures, amount: parts.total() };
        Self::new(EntryKind::LateCaptureSale, currency, debit, credits(parts)?)
    }

    /// Late money went back.
    ///
    /// # Errors
    /// [`LedgerError`] where the amount is zero or negative.
    pub fn late_capture_refund(provider: &str, amount: Money) -> Result<Self, LedgerError> {
        let clearing = Account::ProviderClearing(provider.to_owned());
        let [debit, credit] = pair(Account::LateCaptures, clearing, amount)?;
        Self::new(EntryKind::LateCaptureRefund, amount.currency, debit, [credit])
    }

    /// The entry that undoes this one; what was written stays written.
    #[must_use]
    pub fn reverse(&self) -> Self {
        let postings = self.postings.iter().cloned().map(negated).collect();
        Self { kind: EntryKind::Reversal, currency: self.currency, postings }
    }

    /// What it tells of.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        self.kind
    }

    /// The currency of all its postings.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Its lines, at least two, none zero, summing to zero.
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
        // `i64::MIN` could not be negated by a reversal.
        let odd = postings.iter().any(|posting| posting.amount == i64::MIN);
        if odd || postings.iter().map(|posting| i128::from(posting.amount)).sum::<i128>() != 0 {
            return Err(LedgerError::Unbalanced);
        }
        Ok(Self { kind, currency, postings })
    }
}

/// What of an order's money is still with us, told from the postings of all its entries; late captures are not part of it.
#[must_use]
pub fn parts_left<'a>(postings: impl IntoIterator<Item = (&'a Account, i64)>) -> Parts {
    postings.into_iter().fold(Parts::default(), |left, (account, amount)| match account {
        Account::OrganizerPayable => Parts { net: left.net.saturating_sub(amount), ..left },
        Account::FeeIncome => Parts { fee: left.fee.saturating_sub(amount), ..left },
        Account::TaxPayable => Parts { tax: left.tax.saturating_sub(amount), ..left },
        Account::ProviderClearing(_) | Account::LateCaptures => left,
    })
}

fn clearing(provider: &str, amount: i64) -> Posting {
    Posting { account: Account::ProviderClearing(provider.to_owned()), amount }
}

fn credits(parts: Parts) -> Result<[Posting; 3], LedgerError> {
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
