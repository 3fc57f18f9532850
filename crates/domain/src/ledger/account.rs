//! The accounts of an organization's journal, and their texts.
//!
//! Never: an account per buyer or order; an entry names its order. To add an account: see [`crate::ledger`].

use std::fmt;
use std::str::FromStr;

use crate::text_enum::UnknownText;

/// An account; the table of [`crate::ledger`] says what each holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Captured by the named provider and not yet paid out by it.
    ProviderClearing(String),
    /// Owed to the organizer.
    OrganizerPayable,
    /// The platform's fees.
    FeeIncome,
    /// Owed to the tax office.
    TaxPayable,
    /// Captured for orders that could not use it.
    UnmatchedCaptures,
}

const PROVIDER_CLEARING: &str = "provider_clearing:";

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProviderClearing(provider) => write!(f, "{PROVIDER_CLEARING}{provider}"),
            Self::OrganizerPayable => f.write_str("organizer_payable"),
            Self::FeeIncome => f.write_str("fee_income"),
            Self::TaxPayable => f.write_str("tax_payable"),
            Self::UnmatchedCaptures => f.write_str("late_captures"),
        }
    }
}

impl FromStr for Account {
    type Err = UnknownText;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.strip_prefix(PROVIDER_CLEARING)) {
            (_, Some(provider)) if !provider.is_empty() => Ok(Self::ProviderClearing(provider.to_owned())),
            ("organizer_payable", _) => Ok(Self::OrganizerPayable),
            ("fee_income", _) => Ok(Self::FeeIncome),
            ("tax_payable", _) => Ok(Self::TaxPayable),
            ("late_captures", _) => Ok(Self::UnmatchedCaptures),
            _ => Err(UnknownText { kind: "account", text: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn texts_round_trip() {
        for (account, text) in [
            (Account::ProviderClearing("sandbox".to_owned()), "provider_clearing:sandbox"),
            (Account::ProviderClearing("a:b".to_owned()), "provider_clearing:a:b"),
            (Account::OrganizerPayable, "organizer_payable"),
            (Account::FeeIncome, "fee_income"),
            (Account::TaxPayable, "tax_payable"),
            (Account::UnmatchedCaptures, "late_captures"),
        ] {
            assert_eq!(account.to_string(), text);
            assert_eq!(text.parse(), Ok(account));
        }
    }

    #[test]
    fn unknown_account_texts_are_refused() {
        for text in ["", "provider_clearing:", "provider_clearing", "Fee_income", "fee_income ", "organizer_payable:x"]
        {
            assert!(text.parse::<Account>().is_err(), "{text}");
        }
    }
}
