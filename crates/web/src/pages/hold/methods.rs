//! The ways to pay, in plain words.
//!
//! Never: a method that its provider does not have. To add a provider's method: one line in [`WORDS`].

use std::sync::Arc;

use voelgoed_app::payments::ports::PaymentGateway;

/// A way to pay.
#[derive(Debug, Clone)]
pub struct Method {
    /// `provider:method`, as the form sends it.
    pub value: String,
    /// What it is called.
    pub title: &'static str,
    /// What will happen.
    pub about: &'static str,
    /// True for those that only testers look for.
    pub rare: bool,
}

/// Provider, method, title, what will happen, rarely wanted.
const WORDS: &[(&str, &str, &str, &str, bool)] = &[
    ("sandbox", "ok", "Test card", "Pays at once.", false),
    ("sandbox", "slow", "Test bank transfer", "Takes a few seconds to arrive.", false),
    ("sandbox", "declined", "Declined test card", "The bank says no, so you can try again.", false),
    ("sandbox", "timeout", "Provider that never answers", "It captures, and the shop has to find out by asking.", true),
    ("sandbox", "late", "Payment that comes too late", "It captures after your time is up and is paid back.", true),
    ("sandbox", "twice", "Provider that repeats itself", "It reports the same payment twice; you pay once.", true),
    ("sandbox", "lost", "Report that gets lost", "The shop has to ask before it learns of the payment.", true),
    ("sandbox", "down", "Provider that is away", "No connection; nothing is charged.", true),
];

/// Every method that these providers have.
pub fn methods(gateways: &[Arc<dyn PaymentGateway>]) -> Vec<Method> {
    let known = |provider: &str, method: &str| {
        gateways.iter().any(|gateway| gateway.name() == provider && gateway.has_method(method))
    };
    let found = WORDS.iter().filter(|(provider, method, ..)| known(provider, method));
    found
        .map(|(provider, method, title, about, rare)| Method {
            value: format!("{provider}:{method}"),
            title,
            about,
            rare: *rare,
        })
        .collect()
}
