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
