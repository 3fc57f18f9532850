//! Views of what is free, read 64 places at a time.
//!
//! Never: a place beyond the view's end that counts as free. To add a representation: an implementation of [`Availability`] and its row in the test.

use fixedbitset::FixedBitSet;

use crate::ticketing::place::{PlaceNumber, Shown};

/// Something that knows which places are free.
pub trait Availability {
    /// Bit `i` is set where place `64 · word + i` is free.
    fn free_word(&self, word: usize) -> u64;
}

/// Two bits per place, as availability is sent: place `p` is bits `2·(p mod 4)` and up of byte `p div 4`; 0 is free.
#[derive(Debug, Clone, Copy)]
pub struct PackedStates<'a>(pub &'a [u8]);

/// A rule per place, for tests and small plans.
#[derive(Debug, Clone, Copy)]
pub struct FreeIf<F>(pub F);

/// Every even bit.
const EVEN: u64 = 0x5555_5555_5555_5555;

impl Availability for PackedStates<'_> {
    fn free_word(&self, word: usize) -> u64 {
        let half = |at: usize| {
            // What is missing at the end is taken.
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

/// The even bits moved together into the lower half.
const fn even_bits(mut word: u64) -> u64 {
    word = (word | word >> 1) & 0x3333_3333_3333_3333;
    word = (word | word >> 2) & 0x0F0F_0F0F_0F0F_0F0F;
    word = (word | word >> 4) & 0x00FF_00FF_00FF_00FF;
    word = (word | word >> 8) & 0x0000_FFFF_0000_FFFF;
    (word | word >> 16) & 0x0000_0000_FFFF_FFFF
}

/// One entry per place.
impl Availability for [Shown] {
    fn free_word(&self, word: usize) -> u64 {
        let part = self.get(word * 64..).unwrap_or_default();
        part.iter().take(64).enumerate().fold(0, |bits, (at, shown)| bits | u64::from(*shown == Shown::Free) << at)
    }
}

/// A set of what is not free; its length is the number of places.
impl Availability for FixedBitSet {
    fn free_word(&self, word: usize) -> u64 {
        let per_word = 64 / usize::BITS as usize;
        let blocks = self.as_slice().iter().skip(word * per_word).take(per_word);
        let taken =
            blocks.enumerate().fold(0, |bits, (at, block)| bits | (*block as u64) << (at * usize::BITS as usize));
        // Beyond the length nothing is in the set, and nothing is free.
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
        fn every_view_says_the_same(states in prop::collection::vec(0_u8..4, 0..300)) {
            let shown: Vec<Shown> = states.iter().map(|state| match state {
                0 => Shown::Free, 1 => Shown::Held, 2 => Shown::Sold, _ => Shown::Blocked,
            }).collect();
            // Padded to whole bytes with `taken`, as a view may not be asked beyond its end.
            let mut packed = vec![0xFF_u8; states.len().div_ceil(4)];
            let mut taken = FixedBitSet::with_capacity(states.len());
            for (place, state) in states.iter().enumerate() {
                let shift = 2 * (place % 4);
                packed[place / 4] = packed[place / 4] & !(3 << shift) | state << shift;
                taken.set(place, *state != 0);
            }
            let rule = FreeIf(|place: PlaceNumber| states.get(place.index()) == Some(&0));
            for word in 0..=states.len() / 64 + 1 {
                let expected = rule.free_word(word);
                prop_assert_eq!(PackedStates(&packed).free_word(word), expected);
                prop_assert_eq!(shown.as_slice().free_word(word), expected);
                prop_assert_eq!(taken.free_word(word), expected);
            }
        }
    }
}
