//! Buys in real Chromium by the WebDriver protocol, and as a visitor without scripts that only follows links and sends forms.
//!
//! Never: a wait without a deadline, a browser or driver that outlives its value, anything beyond loopback.
//! Run by `cargo xtask test --only browser`, which starts the demo and passes its card in `VOELGOED_CARD`.

pub mod demo_shop;
pub mod driver;
pub mod visitor;
