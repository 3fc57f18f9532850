//! Names the steps of a sale that leave no row in cold and are counted in memory.

/// A step that leaves no row in cold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleStep {
    /// The event was viewed.
    Viewed,
    /// A hold was granted; a repeat of the request does not count.
    Held,
    /// A hold was refused for want of places.
    Refused,
}
