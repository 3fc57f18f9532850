//! Every answer of the provider that is not the wished-for one, with its stable code.
//!
//! To add one: a variant, its code, its row in `http`, its line in README.md.

/// Why the provider does not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The request cannot be understood; nothing happened.
    #[error("{0}")]
    Invalid(String),
    /// The key was used for something else.
    #[error("this key was used with another body")]
    KeyMismatch,
    /// The key was cancelled before a charge came with it.
    #[error("this key was cancelled and takes no charge any more")]
    KeyCancelled,
    /// It came after `send_before`.
    #[error("the charge arrived after its send_before")]
    TooLate,
    /// This method's charges are taken at another address.
    #[error("this method's charges are taken elsewhere, see GET /methods")]
    NotHere,
    /// No charge has this key.
    #[error("there is no charge with this key")]
    UnknownCharge,
    /// No refund has this key.
    #[error("there is no refund with this key")]
    UnknownRefund,
    /// Only captured money can go back.
    #[error("the charge is not captured")]
    NotCaptured,
    /// More than what was captured and is not yet refunded.
    #[error("refunds may not exceed the captured amount")]
    RefundTooLarge,
    /// The signature does not fit, or is not of this time.
    #[error("the signature is not believed")]
    NotBelieved,
    /// No room for another record.
    #[error("the data file takes no more records")]
    Full,
    /// More work at once than is taken; nothing happened.
    #[error("too many calls at once")]
    Busy,
    /// The data file cannot be written: whether it happened is not known.
    #[error("the data file cannot be written")]
    Broken,
}

impl Refused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::KeyMismatch => "key_mismatch",
            Self::KeyCancelled => "key_cancelled",
            Self::TooLate => "too_late",
            Self::NotHere => "not_here",
            Self::UnknownCharge => "unknown_charge",
            Self::UnknownRefund => "unknown_refund",
            Self::NotCaptured => "not_captured",
            Self::RefundTooLarge => "refund_too_large",
            Self::NotBelieved => "not_believed",
            Self::Full => "full",
            Self::Busy => "busy",
            Self::Broken => "broken",
        }
    }
}
