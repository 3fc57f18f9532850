//! Represents amounts as integer minor units with a currency, and adds them with checks for currency and overflow.
//!
//! Never: a float, an implicit conversion between currencies, a silent overflow (P5).

use serde::{Deserialize, Serialize};

pub use iso_currency::Currency;

/// An amount in the currency's minor unit (cents for EUR), positive or negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: Currency,
}

/// Why two amounts cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two amounts of different currencies.
    #[error("amounts of different currencies cannot be added")]
    CurrencyMismatch,
    /// The sum does not fit into `i64`.
    #[error("the amount is out of range")]
    Overflow,
}

impl Money {
    /// `amount` minor units of `currency`.
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Zero in `currency`.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// True for an amount of zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.amount == 0
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError`] where the currencies differ or the sum overflows.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(amount, self.currency))
    }

    /// The same amount with the other sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self::new(-self.amount, self.currency)
    }
}

impl std::fmt::Display for Money {
    /// `450.00 ZAR`, with the currency's own number of decimals.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = usize::from(self.currency.exponent().unwrap_or(0));
        let unit = 10_u64.pow(u32::try_from(decimals).unwrap_or(0));
        let sign = if self.amount < 0 { "-" } else { "" };
        let whole = self.amount.unsigned_abs() / unit;
        let code = self.currency.code();
        if decimals == 0 {
            return write!(f, "{sign}{whole} {code}");
        }
        let part = self.amount.unsigned_abs() % unit;
        write!(f, "{sign}{whole}.{part:0decimals$} {code}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EUR: Currency = Currency::EUR;
    const ZAR: Currency = Currency::ZAR;

    #[test]
    fn amount_is_written_with_the_decimals_of_its_currency() {
        for (amount, currency, expected) in [
            (45_000, ZAR, "450.00 ZAR"),
            (1_999, EUR, "19.99 EUR"),
            (5, EUR, "0.05 EUR"),
            (0, EUR, "0.00 EUR"),
            (-5, EUR, "-0.05 EUR"),
            (-123_450, EUR, "-1234.50 EUR"),
            (1_500, Currency::JPY, "1500 JPY"),
            (-7, Currency::JPY, "-7 JPY"),
            (1_234_567, Currency::KWD, "1234.567 KWD"),
            (i64::MIN, EUR, "-92233720368547758.08 EUR"),
        ] {
            assert_eq!(Money::new(amount, currency).to_string(), expected);
        }
    }

    #[test]
    fn only_amounts_of_one_currency_that_fit_are_added() {
        for (one, other, expected) in [
            (Money::new(250, EUR), Money::new(199, EUR), Ok(Money::new(449, EUR))),
            (Money::new(250, EUR), Money::new(-300, EUR), Ok(Money::new(-50, EUR))),
            (Money::new(7, ZAR), Money::zero(ZAR), Ok(Money::new(7, ZAR))),
            (Money::new(i64::MAX - 1, EUR), Money::new(1, EUR), Ok(Money::new(i64::MAX, EUR))),
            (Money::new(i64::MAX, EUR), Money::new(1, EUR), Err(MoneyError::Overflow)),
            (Money::new(i64::MIN, EUR), Money::new(-1, EUR), Err(MoneyError::Overflow)),
            (Money::zero(EUR), Money::zero(ZAR), Err(MoneyError::CurrencyMismatch)),
        ] {
            assert_eq!(one.plus(other), expected, "{one} + {other}");
            assert_eq!(other.plus(one), expected, "{other} + {one}");
        }
    }

    #[test]
    fn negated_amount_cancels_the_amount() {
        for amount in [0, 1, -1, 45_000, i64::MAX, -i64::MAX] {
            let money = Money::new(amount, ZAR);
            assert_eq!(money.negated(), Money::new(-amount, ZAR));
            assert_eq!(money.plus(money.negated()), Ok(Money::zero(ZAR)), "{money}");
        }
    }

    #[test]
    fn only_zero_is_zero_in_every_currency() {
        assert_eq!(Money::zero(EUR), Money::new(0, EUR));
        for currency in [EUR, ZAR, Currency::JPY] {
            for (amount, expected) in [(0, true), (1, false), (-1, false), (i64::MIN, false)] {
                assert_eq!(Money::new(amount, currency).is_zero(), expected, "{amount}");
            }
        }
    }
}
