//! Places and holds: the warm tier filters, the cold tier decides (P1, P4).

pub mod address_limit;
pub mod block;
pub mod change_hold;
pub mod hold;
pub mod picks;
pub mod ports;
pub mod read_hold;
pub mod rebuild;
pub mod release_hold;
pub mod seat_view;
pub mod session_holds;
pub mod sweep;
pub mod terms;
