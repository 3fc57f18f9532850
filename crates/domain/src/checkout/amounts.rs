//! What a buyer pays for each place of an order, and how it divides into the organizer's net, the fee and the tax.
//!
//! Never: a cent that belongs to no part, or to two (P5). To add a part: a field of [`Parts`], and its account in `ledger`.

use serde::{Deserialize, Serialize};

use crate::refusal::{Code, Refusal};

/// The amounts of one place, in minor units of the order's currency, none negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAmounts {
    /// The ticket's price.
    pub price: i64,
    /// The fee on it.
    pub fee: i64,
    /// The tax on both.
    pub tax: i64,
}

/// Where an order's tax stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxPlacement {
    /// Within price and fee.
    Within,
    /// On top of them.
    OnTop,
}

/// An order's total is not the sum of its lines: a fault of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the order's total is not the sum of its lines")]
pub struct TotalMismatch;

/// To whom what a buyer pays belongs, in minor units, none negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Parts {
    /// To the organizer.
    pub net: i64,
    /// To the platform.
    pub fee: i64,
    /// To the tax office.
    pub tax: i64,
}

impl TaxPlacement {
    /// Where the tax of an order stands, told from its total; without tax it makes no difference.
    ///
    /// # Errors
    /// [`TotalMismatch`] where neither fits.
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
    /// What the buyer pays for the place; saturating, the catalogue keeps amounts far from it.
    #[must_use]
    pub const fn paid(self, placement: TaxPlacement) -> i64 {
        let before = self.price.saturating_add(self.fee);
        match placement {
            TaxPlacement::Within => before,
            TaxPlacement::OnTop => before.saturating_add(self.tax),
        }
    }

    /// Its parts; they sum to [`Self::paid`]. Tax within is taken from price and fee in proportion, half a unit up on the fee's side.
    #[must_use]
    pub fn parts(self, placement: TaxPlacement) -> Parts {
        let Self { price, fee, tax } = self;
        match placement {
            TaxPlacement::OnTop => Parts { net: price, fee, tax },
            TaxPlacement::Within => {
                let gross = i128::from(price) + i128::from(fee);
                let on_fee = match gross {
                    0 => 0,
                    gross => (2 * i128::from(tax) * i128::from(fee) + gross) / (2 * gross),
                };
                let on_fee = i64::try_from(on_fee).unwrap_or(tax);
                Parts { net: price - (tax - on_fee), fee: fee - on_fee, tax }
            }
        }
    }
}

impl Parts {
    /// The parts of several places together.
    #[must_use]
    pub fn of_lines(lines: &[LineAmounts], placement: TaxPlacement) -> Self {
        lines.iter().fold(Self::default(), |sum, line| sum.plus(line.parts(placement)))
    }

    /// All of it.
    #[must_use]
    pub const fn total(self) -> i64 {
        self.net.saturating_add(self.fee).saturating_add(self.tax)
    }

    /// Part by part.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            net: self.net.saturating_add(other.net),
            fee: self.fee.saturating_add(other.fee),
            tax: self.tax.saturating_add(other.tax),
        }
    }

    /// Part by part.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            net: self.net.saturating_sub(other.net),
            fee: self.fee.saturating_sub(other.fee),
            tax: self.tax.saturating_sub(other.tax),
        }
    }

    /// Takes `amount` out of what is left, from each part in proportion, odd units to the largest remainders (then net, fee, tax). No part goes
    /// below zero, and taking all that is left leaves exactly nothing, however often something was taken before.
    ///
    /// # Errors
    /// [`Code::RefundTooLarge`] where less than `amount` is left.
    pub fn take(self, amount: i64) -> Result<Self, Refusal> {
        let left = i128::from(self.total());
        if amount < 0 || i128::from(amount) > left {
            return Err(Refusal::new(Code::RefundTooLarge, "This is more than what was paid and is not yet returned."));
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

    /// Takes exactly `wish` out of what is left where every part is still there, else the same amount in proportion.
    ///
    /// # Errors
    /// [`Code::RefundTooLarge`] where less than that is left.
    pub fn take_parts(self, wish: Self) -> Result<Self, Refusal> {
        let fits = wish.net <= self.net && wish.fee <= self.fee && wish.tax <= self.tax;
        if fits { Ok(wish) } else { self.take(wish.total()) }
    }
}

#[cfg(test)]
mod tests;
