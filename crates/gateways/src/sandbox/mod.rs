//! Implements the payment gateway for the sandbox provider over its HTTP API, which `crates/sandbox-psp/README.md` specifies.
//!
//! Never: a type of the provider's crate. `messages` and `signature` are the client's own view of the protocol; the tests run both sides.
//! To add a call: its JSON in `messages`, what its outcome proves in `observe`, the method in `gateway`.

mod call_limits;
mod charge_key;
mod gateway;
mod http_call;
mod messages;
mod method_endpoints;
mod observe;
mod register_callback_url;
mod signature;
mod verify_callback;

pub use call_limits::{CALL_DEADLINE, CONNECT_TIMEOUT};
pub use gateway::{LATE_GRACE, NAME, SandboxGateway, SandboxGatewayConfig, UNREACHABLE_URL};
pub use register_callback_url::RegisterCallbackUrlError;
pub use signature::{SECRET_BYTES_MIN, SandboxSecret, SandboxSecretTooShort};
