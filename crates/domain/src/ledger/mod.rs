//! Records money as journal entries whose postings sum to zero; entries are appended and reversed, never edited (P5).
//!
//! Each organization has its own journal; debits are positive, credits negative.
//!
//! | account | kind | holds |
//! |---|---|---|
//! | `provider_clearing:<provider>` | asset | captured by a provider and not yet paid out by it |
//! | `organizer_payable` | liability | owed to the organizer |
//! | `fee_income` | income | the platform's fees |
//! | `tax_payable` | liability | owed to the tax office |
//! | `late_captures` | liability | unmatched captures; owed to buyers until reissued or refunded |
//!
//! To add an account: a variant of [`account::Account`], a row here, and the constructor in [`entry`] that uses it.

pub mod account;
pub mod entry;
