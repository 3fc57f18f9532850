//! The sandbox payment provider: a server that misbehaves on request (`server`), and the gateway through which the shop uses it (`client`).
//!
//! Never: real money. The two sides share only what travels between them: `protocol`, `signature`. README.md beside this file is the protocol's page.

pub mod client;
pub mod protocol;
pub mod server;
pub mod signature;

pub use client::{NOWHERE, SandboxGateway, SandboxGatewayConfig};
pub use protocol::Ready;
pub use server::{Delays, Sandbox, SandboxConfig, SandboxError, reuse_or_describe, serve};
pub use signature::CallbackSecret;
