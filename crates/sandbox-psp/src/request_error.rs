//! Lists why the provider refuses a request, with the stable code of each refusal.
//!
//! To add one: a variant, its code, its status in `http`, its line in README.md.

/// Why the provider refuses a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The request cannot be parsed or has an invalid field; nothing was changed.
    #[error("{0}")]
    Invalid(String),
    #[error("this key was used with another body; nothing was changed")]
    KeyMismatch,
    #[error("this key was cancelled and takes no charge any more")]
    KeyCancelled,
    #[error("the charge arrived after its send_before")]
    TooLate,
    /// The charges of this method belong to another address than the one that got the request.
    #[error("this method's charges are taken elsewhere, see GET /methods")]
    Misdirected,
    #[error("there is no charge with this key")]
    UnknownCharge,
    #[error("there is no refund with this key")]
    UnknownRefund,
    #[error("the charge is not captured")]
    NotCaptured,
    #[error("refunds may not exceed the captured amount")]
    RefundTooLarge,
    /// The signature or the authorization is wrong, or the timestamp is outside the window.
    #[error("the signature or the authorization is not valid; nothing was changed")]
    InvalidSignature,
    #[error("the data file takes no more records; nothing was changed")]
    Full,
    /// Too many changes are in flight; nothing was changed.
    #[error("too many calls at once; nothing was changed, try again")]
    Busy,
    /// The data file cannot be written, so whether the change was recorded is not known.
    #[error("the data file cannot be written; poll to find out whether the request was executed")]
    Broken,
}

impl RequestError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::KeyMismatch => "key_mismatch",
            Self::KeyCancelled => "key_cancelled",
            Self::TooLate => "too_late",
            Self::Misdirected => "not_here",
            Self::UnknownCharge => "unknown_charge",
            Self::UnknownRefund => "unknown_refund",
            Self::NotCaptured => "not_captured",
            Self::RefundTooLarge => "refund_too_large",
            Self::InvalidSignature => "not_believed",
            Self::Full => "full",
            Self::Busy => "busy",
            Self::Broken => "broken",
        }
    }
}
