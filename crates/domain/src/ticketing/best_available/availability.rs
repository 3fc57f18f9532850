//! Reads which places are free from several representations, 64 places per word.
//!
//! Never: reports a place beyond the view's end as free. To add a representation: an implementation of [`Availability`] and its row in the test.

use fixedbitset::FixedBitSet;

use crate::ticketing::place::DisplayState;
use crate::ticketing::place_number::PlaceNumber;

/// A view of which places are free.
pub trait Availability {
    /// Bit `i` is set where place `64 · word + i` is free.
    fn free_word(&self, word: usize) -> u64;
}

/// Two bits per place, as the availability API sends them: place `p` starts at bit `2·(p mod 4)` of byte `p div 4`; 0 is free.
#[derive(Debug, Clone, Copy)]
pub struct PackedStates<'a>(pub &'a [u8]);

/// A predicate per place, for tests and small plans.
#[derive(Debug, Clone, Copy)]
pub struct FreeIf<F>(pub F);

/// Masks the lower bit of each place.
const EVEN: u64 = 0x5555_5555_5555_5555;

impl Availability for PackedStates<'_> {
    fn free_word(&self, word: usize) -> u64 {
        let half = |at: usize| {
            // Places beyond the end count as taken.
            let mut bytes = [0xFF; 8];
            let part = self.0.get(at..).unwrap_or_default();
            let len = part.len().min(8);
            bytes[..len].copy_from_slice(&part[..len]);
            let states = u64::from_le_bytes(bytes);
            even_bits(!(states | states >> 1) & EVEN)
        };
        half(word * 16) | half(word * 16 + 8) << 32
    }
}

/// Moves the even bits together into the lower half.
const fn even_bits(mut word: u64) -> u64 {
    word = (word | word >> 1) & 0x3333_3333_3333_3333;
    word = (word | word >> 2) & 0x0F0F_0F0F_0F0F_0F0F;
    word = (word | word >> 4) & 0x00FF_00FF_00FF_00FF;
    word = (word | word >> 8) & 0x0000_FFFF_0000_FFFF;
    (word | word >> 16) & 0x0000_0000_FFFF_FFFF
}

/// One entry per place.
impl Availability for [DisplayState] {
    fn free_word(&self, word: usize) -> u64 {
        let part = self.get(word * 64..).unwrap_or_default();
        part.iter()
            .take(64)
            .enumerate()
            .fold(0, |bits, (at, state)| bits | u64::from(*state == DisplayState::Free) << at)
    }
}

/// The set of places that are not free; its length is the number of places.
impl Availability for FixedBitSet {
    fn free_word(&self, word: usize) -> u64 {
        let per_word = 64 / usize::BITS as usize;
        let blocks = self.as_slice().iter().skip(word * per_word).take(per_word);
        let taken =
            blocks.enumerate().fold(0, |bits, (at, block)| bits | (*block as u64) << (at * usize::BITS as usize));
        // A place beyond the length is not in the set, and not free either.
        let within = self.len().saturating_sub(word * 64);
        let exists = if within >= 64 { u64::MAX } else { (1 << within) - 1 };
        !taken & exists
    }
}

impl<F: Fn(PlaceNumber) -> bool> Availability for FreeIf<F> {
    fn free_word(&self, word: usize) -> u64 {
        (0..64_u32).fold(0, |bits, at| {
            let place = u32::try_from(word * 64).map_or(u32::MAX, |first| first.saturating_add(at));
            bits | u64::from((self.0)(PlaceNumber(place))) << at
        })
    }
}

impl<T: Availability + ?Sized> Availability for &T {
    fn free_word(&self, word: usize) -> u64 {
        (**self).free_word(word)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_availability_views_agree(states in prop::collection::vec(0_u8..4, 0..300)) {
            let shown: Vec<DisplayState> = states.iter().map(|state| match state {
                0 => DisplayState::Free, 1 => DisplayState::Held, 2 => DisplayState::Sold, _ => DisplayState::Blocked,
            }).collect();
            // Padded with taken places to whole bytes.
            let mut packed = vec![0xFF_u8; states.len().div_ceil(4)];
            let mut taken = FixedBitSet::with_capacity(states.len());
            for (place, state) in states.iter().enumerate() {
                let shift = 2 * (place % 4);
                packed[place / 4] = packed[place / 4] & !(3 << shift) | state << shift;
                taken.set(place, *state != 0);
            }
            let predicate = FreeIf(|place: PlaceNumber| states.get(place.index()) == Some(&0));
            for word in 0..=states.len() / 64 + 1 {
                let expected = predicate.free_word(word);
                prop_assert_eq!(PackedStates(&packed).free_word(word), expected);
                prop_assert_eq!(shown.as_slice().free_word(word), expected);
                prop_assert_eq!(taken.free_word(word), expected);
            }
        }
    }
}
