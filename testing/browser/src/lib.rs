//! Buyers as tests: real Chromium by the WebDriver protocol, and a visitor without scripts who only follows links and sends forms.
//!
//! Never: a wait without a deadline, a browser or driver that outlives its value, anything beyond loopback.
//! Run by `cargo xtask test --only browser`, which starts the shop and hands its card over in `VOELGOED_CARD`.

pub mod driver;
pub mod shop;
pub mod visitor;
