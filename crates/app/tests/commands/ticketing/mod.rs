//! Covers holds: granting, choosing, changing and releasing them, and blocks of places.

mod best_available;
mod block;
mod change_hold;
mod free_expired_holds;
mod grant_hold;
mod hold_bulkhead;
mod release_hold;
