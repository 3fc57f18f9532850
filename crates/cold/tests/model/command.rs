//! Generates random commands for the model test.

use proptest::prelude::*;

/// Places of the event.
pub const PLACES: u32 = 8;

/// A command on the store and the model. `order` and `refund` are indices modulo the number of existing ones.
#[derive(Debug, Clone)]
pub enum ModelCommand {
    Order { places: u8, free: bool },
    Capture { order: usize, exact: bool },
    Decline { order: usize },
    Void { order: usize },
    Close { order: usize },
    RequestCancellation { order: usize },
    Reissue { order: usize },
    RefundTicket { order: usize, ticket: usize },
    RefundUnmatchedCapture { order: usize },
    FinishRevoking { refund: usize },
    RefundDone { refund: usize },
    Block { place: u32 },
    Unblock { place: u32 },
}

pub fn command() -> impl Strategy<Value = ModelCommand> {
    let order = || 0..12_usize;
    prop_oneof![
        6 => (1..=255_u8, prop::bool::weighted(0.15)).prop_map(|(places, free)| ModelCommand::Order { places: places & (places >> 1 | 17), free }),
        4 => (order(), prop::bool::weighted(0.8)).prop_map(|(order, exact)| ModelCommand::Capture { order, exact }),
        3 => order().prop_map(|order| ModelCommand::Decline { order }),
        2 => order().prop_map(|order| ModelCommand::Void { order }),
        3 => order().prop_map(|order| ModelCommand::Close { order }),
        1 => order().prop_map(|order| ModelCommand::RequestCancellation { order }),
        2 => order().prop_map(|order| ModelCommand::Reissue { order }),
        3 => (order(), 0..3_usize).prop_map(|(order, ticket)| ModelCommand::RefundTicket { order, ticket }),
        1 => order().prop_map(|order| ModelCommand::RefundUnmatchedCapture { order }),
        2 => order().prop_map(|refund| ModelCommand::FinishRevoking { refund }),
        2 => order().prop_map(|refund| ModelCommand::RefundDone { refund }),
        1 => (0..PLACES).prop_map(|place| ModelCommand::Block { place }),
        1 => (0..PLACES).prop_map(|place| ModelCommand::Unblock { place }),
    ]
}
