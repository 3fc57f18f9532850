//! Lists the payment methods of the configured providers with a title and a description for buyers.
//!
//! Never: a method that its provider does not have. To add a provider's method: a line in [`METHOD_TEXTS`].

use std::sync::Arc;

use voelgoed_app::payments::ports::PaymentGateway;

/// A payment method.
#[derive(Debug, Clone)]
pub struct PaymentMethod {
    /// `provider:method`, as the form sends it.
    pub value: String,
    /// A name of a few words.
    pub title: &'static str,
    /// One sentence about its effect.
    pub about: &'static str,
    /// True for methods that only testers need.
    pub rare: bool,
}

/// Provider, method, title, effect, whether only testers need it.
const METHOD_TEXTS: &[(&str, &str, &str, &str, bool)] = &[
    ("sandbox", "ok", "Test card", "Pays at once.", false),
    ("sandbox", "slow", "Test bank transfer", "Takes a few seconds to arrive.", false),
    ("sandbox", "declined", "Declined test card", "The bank says no, so you can try again.", false),
    ("sandbox", "timeout", "Provider that never answers", "It captures, and the shop has to find out by asking.", true),
    ("sandbox", "late", "Payment that comes too late", "It captures after your time is up and is paid back.", true),
    ("sandbox", "twice", "Provider that repeats itself", "It reports the same payment twice; you pay once.", true),
    ("sandbox", "lost", "Report that gets lost", "The shop has to ask whether the payment arrived.", true),
    ("sandbox", "down", "Unavailable provider", "No connection; nothing is charged.", true),
];

/// The methods of these providers.
pub fn payment_methods(gateways: &[Arc<dyn PaymentGateway>]) -> Vec<PaymentMethod> {
    let known = |provider: &str, method: &str| {
        gateways.iter().any(|gateway| gateway.name() == provider && gateway.has_method(method))
    };
    let found = METHOD_TEXTS.iter().filter(|(provider, method, ..)| known(provider, method));
    found
        .map(|(provider, method, title, about, rare)| PaymentMethod {
            value: format!("{provider}:{method}"),
            title,
            about,
            rare: *rare,
        })
        .collect()
}
