//! Renders money as integer minor units and an ISO 4217 code.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_domain::money::{Currency, Money};

/// An amount.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct MoneyDto {
    /// Minor units (cents for EUR).
    #[schema(example = 45000)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = String, example = "ZAR")]
    pub currency: Currency,
}

impl From<Money> for MoneyDto {
    fn from(money: Money) -> Self {
        Self { amount: money.amount, currency: money.currency }
    }
}

impl From<MoneyDto> for Money {
    fn from(money: MoneyDto) -> Self {
        Self::new(money.amount, money.currency)
    }
}
