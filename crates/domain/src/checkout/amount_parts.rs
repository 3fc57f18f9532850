//! Divides what a buyer pays for each place of an order into the organizer's net, the fee and the tax.
//!
//! Each cent belongs to exactly one part (P5). To add a part: a field of [`AmountParts`], and its account in `ledger`.

use serde::{Deserialize, Serialize};

use crate::refusal::{Code, Refusal};

/// The amounts of one place, in minor units of the order's currency, none negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAmounts {
    /// The ticket's price.
    pub price: i64,
    /// The fee on the ticket.
    pub fee: i64,
    /// The tax on price and fee.
    pub tax: i64,
}

/// Whether an order's prices contain the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxPlacement {
    /// Price and fee contain the tax.
    Within,
    /// The tax is added to price and fee.
    OnTop,
}

/// An order's total is not the sum of its lines: a fault of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the order's total is not the sum of its lines")]
pub struct TotalMismatch;

/// How an amount divides among its owners, in minor units, none negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AmountParts {
    /// The organizer's part.
    pub net: i64,
    /// The platform's part.
    pub fee: i64,
    /// The tax office's part.
    pub tax: i64,
}

impl TaxPlacement {
    /// Derives the placement of an order's tax from its total; without tax both placements are equal.
    ///
    /// # Errors
    /// [`TotalMismatch`] where the total matches neither placement.
    pub fn of_order(lines: &[LineAmounts], total: i64) -> Result<Self, TotalMismatch> {
        let pays = |placement| lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.paid(placement)));
        match total {
            total if pays(Self::Within) == Some(total) => Ok(Self::Within),
            total if pays(Self::OnTop) == Some(total) => Ok(Self::OnTop),
            _ => Err(TotalMismatch),
        }
    }
}

impl LineAmounts {
    /// The amount that the buyer pays for the place. Saturates; the catalogue bounds amounts far below that.
    #[must_use]
    pub const fn paid(self, placement: TaxPlacement) -> i64 {
        let before = self.price.saturating_add(self.fee);
        match placement {
            TaxPlacement::Within => before,
            TaxPlacement::OnTop => before.saturating_add(self.tax),
        }
    }

    /// Divides the amount into parts that sum to [`Self::paid`]. Contained tax is taken from price and fee in proportion; half a unit goes to the fee.
    #[must_use]
    pub fn parts(self, placement: TaxPlacement) -> AmountParts {
        let Self { price, fee, tax } = self;
        match placement {
            TaxPlacement::OnTop => AmountParts { net: price, fee, tax },
            TaxPlacement::Within => {
                let gross = i128::from(price) + i128::from(fee);
                let on_fee = match gross {
                    0 => 0,
                    gross => (2 * i128::from(tax) * i128::from(fee) + gross) / (2 * gross),
                };
                let on_fee = i64::try_from(on_fee).unwrap_or(tax);
                AmountParts { net: price - (tax - on_fee), fee: fee - on_fee, tax }
            }
        }
    }
}

impl AmountParts {
    /// The sum of the parts of several places.
    #[must_use]
    pub fn of_lines(lines: &[LineAmounts], placement: TaxPlacement) -> Self {
        lines.iter().fold(Self::default(), |sum, line| sum.plus(line.parts(placement)))
    }

    /// The sum of the parts.
    #[must_use]
    pub const fn total(self) -> i64 {
        self.net.saturating_add(self.fee).saturating_add(self.tax)
    }

    /// Adds part by part.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            net: self.net.saturating_add(other.net),
            fee: self.fee.saturating_add(other.fee),
            tax: self.tax.saturating_add(other.tax),
        }
    }

    /// Subtracts part by part.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            net: self.net.saturating_sub(other.net),
            fee: self.fee.saturating_sub(other.fee),
            tax: self.tax.saturating_sub(other.tax),
        }
    }

    /// Takes `amount` from each part in proportion; odd units go to the largest remainders, of equals to net, fee, tax in this order. After any number of
    /// takes every part is at least zero, and taking the whole total leaves zero.
    ///
    /// # Errors
    /// [`Code::RefundTooLarge`] where the total is below `amount`.
    pub fn take(self, amount: i64) -> Result<Self, Refusal> {
        let left = i128::from(self.total());
        if amount < 0 || i128::from(amount) > left {
            return Err(Refusal::new(
                Code::RefundTooLarge,
                "This is more than was paid and is not yet refunded. Nothing was changed.",
            ));
        }
        if amount == 0 {
            return Ok(Self::default());
        }
        let parts = [self.net, self.fee, self.tax];
        let exact = parts.map(|part| i128::from(amount) * i128::from(part));
        let mut taken = exact.map(|product| product / left);
        let mut order = [0, 1, 2];
        // A stable sort, so equal remainders keep the order net, fee, tax.
        order.sort_by_key(|part: &usize| std::cmp::Reverse(exact[*part] % left));
        let odd = i128::from(amount) - taken.iter().sum::<i128>();
        for part in order.into_iter().take(usize::try_from(odd).unwrap_or(0)) {
            taken[part] += 1;
        }
        let [net, fee, tax] = taken.map(|part| i64::try_from(part).unwrap_or(i64::MAX));
        Ok(Self { net, fee, tax })
    }

    /// Takes exactly `wanted` where each part has enough, else the same amount in proportion.
    ///
    /// # Errors
    /// [`Code::RefundTooLarge`] where the total is below that of `wanted`.
    pub fn take_parts(self, wanted: Self) -> Result<Self, Refusal> {
        let fits = wanted.net <= self.net && wanted.fee <= self.fee && wanted.tax <= self.tax;
        if fits { Ok(wanted) } else { self.take(wanted.total()) }
    }
}

#[cfg(test)]
mod tests;
