//! A bitmap over a range of places that is scanned a word at a time.
//!
//! Never: a loop over single places where a word operation does. To add a scan: build it on [`Bits::word`].

/// One bit per place, starting at `base`, a multiple of 64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits {
    base: u32,
    words: Vec<u64>,
}

/// Consecutive set places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub first: u32,
    pub len: u32,
}

impl Run {
    /// The place after the last.
    pub const fn end(self) -> u32 {
        self.first + self.len
    }
}

impl Bits {
    /// An empty bitmap with room for the places `from..to`.
    pub fn covering(from: u32, to: u32) -> Self {
        let base = from / 64 * 64;
        Self { base, words: vec![0; to.saturating_sub(base).div_ceil(64) as usize] }
    }

    /// A bitmap over the same places, filled by word; `fill` gets the number of the word, counted from place 0.
    pub fn filled(&self, mut fill: impl FnMut(usize) -> u64) -> Self {
        let skipped = (self.base / 64) as usize;
        Self { base: self.base, words: (0..self.words.len()).map(|word| fill(skipped + word)).collect() }
    }

    /// The intersection; both bitmaps cover the same places.
    pub fn and(&self, other: &Self) -> Self {
        let words = self.words.iter().zip(&other.words).map(|(mine, theirs)| mine & theirs).collect();
        Self { base: self.base, words }
    }

    /// Adds the places of `other`; both bitmaps cover the same places.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine |= theirs;
        }
    }

    pub fn set(&mut self, place: u32) {
        let at = place - self.base;
        self.words[(at / 64) as usize] |= 1 << (at % 64);
    }

    pub fn put(&mut self, place: u32, value: bool) {
        let at = place - self.base;
        let bit = 1 << (at % 64);
        let word = &mut self.words[(at / 64) as usize];
        *word = if value { *word | bit } else { *word & !bit };
    }

    /// False outside of the covered range.
    pub fn get(&self, place: u32) -> bool {
        place.checked_sub(self.base).is_some_and(|at| self.word((at / 64) as usize) >> (at % 64) & 1 == 1)
    }

    /// The number of set places within `from..to`.
    pub fn count(&self, from: u32, to: u32) -> u32 {
        let mut sum = 0;
        let (mut at, end) = (from - self.base, to - self.base);
        while at < end {
            let upto = (at / 64 * 64 + 64).min(end);
            let shifted = self.word((at / 64) as usize) >> (at % 64);
            let width = upto - at;
            let kept = if width == 64 { shifted } else { shifted & ((1 << width) - 1) };
            sum += kept.count_ones();
            at = upto;
        }
        sum
    }

    /// The runs of set places within `from..to`, ascending.
    pub fn runs(&self, from: u32, to: u32) -> impl Iterator<Item = Run> {
        let end = to - self.base;
        let mut at = from - self.base;
        std::iter::from_fn(move || {
            let first = self.next(at, end, 0)?;
            let stop = self.next(first, end, u64::MAX).unwrap_or(end);
            at = stop;
            Some(Run { first: self.base + first, len: stop - first })
        })
    }

    /// All runs of set places, ascending. `joined` is set where a place and the next one are in one row; runs end where it is not.
    pub fn joined_runs(&self, joined: &Self) -> impl Iterator<Item = Run> {
        let mut word = 0;
        let mut open = None;
        // The first and last places of runs within the word; the end of a run may be in a later word.
        let (mut begin, mut end) = self.edges(joined, 0);
        std::iter::from_fn(move || {
            loop {
                let edges = if open.is_some() { &mut end } else { &mut begin };
                if *edges == 0 {
                    // All edges of the other kind in this word were used already.
                    word += 1;
                    if word >= self.words.len() {
                        return None;
                    }
                    (begin, end) = self.edges(joined, word);
                    continue;
                }
                let place = self.base + word as u32 * 64 + edges.trailing_zeros();
                *edges &= *edges - 1;
                match open.take() {
                    None => open = Some(place),
                    Some(first) => return Some(Run { first, len: place + 1 - first }),
                }
            }
        })
    }

    /// The first and the last places of runs within a word.
    fn edges(&self, joined: &Self, word: usize) -> (u64, u64) {
        let set = self.word(word);
        let goes_on = |at: usize| self.word(at) & joined.word(at);
        let before = if word == 0 { 0 } else { goes_on(word - 1) >> 63 };
        let next = set >> 1 | self.word(word + 1) << 63;
        (set & !(goes_on(word) << 1 | before), set & !(joined.word(word) & next))
    }

    /// The places at which `quantity` (at least 1) consecutive set places of one row start; `joined` as in [`Self::joined_runs`].
    pub fn windows(&self, joined: &Self, quantity: u32) -> Self {
        let mut starts = self.clone();
        if quantity > 1 {
            starts.keep_where_also(1);
            starts = starts.and(joined);
        }
        // Two windows that share a seat are in one row, and together form a longer window.
        let mut length = 2;
        while length < quantity {
            let longer = (2 * length - 1).min(quantity);
            starts.keep_where_also(longer - length);
            length = longer;
        }
        starts
    }

    /// Clears each bit whose counterpart at `+ distance` is not set.
    fn keep_where_also(&mut self, distance: u32) {
        let (words, bits) = ((distance / 64) as usize, distance % 64);
        for at in 0..self.words.len() {
            let low = self.word(at + words) >> bits;
            // In two steps, because a shift by 64 overflows.
            let high = self.word(at + words + 1) << 1 << (63 - bits);
            self.words[at] &= low | high;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The first bit of `at..end` that is set (`flip` 0) or clear (`flip` all ones).
    fn next(&self, at: u32, end: u32, flip: u64) -> Option<u32> {
        if at >= end {
            return None;
        }
        let mut word = at / 64;
        let mut rest = (self.word(word as usize) ^ flip) & (u64::MAX << (at % 64));
        while rest == 0 {
            word += 1;
            if word * 64 >= end {
                return None;
            }
            rest = self.word(word as usize) ^ flip;
        }
        let found = word * 64 + rest.trailing_zeros();
        (found < end).then_some(found)
    }

    fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bitmap_scans_agree_with_single_bits(
            base in 0_u32..300, length in 1_u32..400, set in prop::collection::vec(any::<bool>(), 400), from in 0_u32..400, width in 0_u32..400,
        ) {
            let mut bits = Bits::covering(base, base + length);
            let is_set = |place: u32| set[(place - base) as usize];
            (base..base + length).filter(|place| is_set(*place)).for_each(|place| bits.set(place));
            let from = base + from.min(length);
            let to = (from + width).min(base + length);
            let members: Vec<u32> = (from..to).filter(|place| is_set(*place)).collect();
            prop_assert_eq!(bits.count(from, to) as usize, members.len());
            let runs: Vec<Run> = bits.runs(from, to).collect();
            let listed: Vec<u32> = runs.iter().flat_map(|run| run.first..run.end()).collect();
            prop_assert_eq!(listed, members);
            prop_assert!(runs.windows(2).all(|pair| pair[0].end() < pair[1].first), "runs are maximal");
            prop_assert!((base..base + length).all(|place| bits.get(place) == is_set(place)));
            prop_assert_eq!(bits.filled(|_| u64::MAX).and(&bits), bits.clone());
            prop_assert_eq!(bits.is_empty(), !(base..base + length).any(is_set));
        }

        #[test]
        fn joined_runs_end_at_row_ends(
            base in 0_u32..200, set in prop::collection::vec(any::<bool>(), 1..600), breaks in prop::collection::vec(prop::bool::weighted(0.1), 600),
        ) {
            let end = base + u32::try_from(set.len()).unwrap();
            let (mut bits, mut joined) = (Bits::covering(base, end), Bits::covering(base, end));
            (base..end).filter(|place| set[(place - base) as usize]).for_each(|place| bits.set(place));
            (base..end - 1).filter(|place| !breaks[(place - base) as usize]).for_each(|place| joined.set(place));
            let mut rows = vec![base];
            rows.extend((base..end - 1).filter(|place| !joined.get(*place)).map(|place| place + 1));
            rows.push(end);
            let expected: Vec<Run> = rows.windows(2).flat_map(|row| bits.runs(row[0], row[1])).collect();
            prop_assert_eq!(bits.joined_runs(&joined).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn windows_start_where_enough_adjacent_places_are_set(
            base in 0_u32..200, set in prop::collection::vec(prop::bool::weighted(0.95), 1..600), breaks in prop::collection::vec(prop::bool::weighted(0.01), 600), quantity in 1_u32..101,
        ) {
            let end = base + u32::try_from(set.len()).unwrap();
            let (mut bits, mut joined) = (Bits::covering(base, end), Bits::covering(base, end));
            for place in base..end {
                if set[(place - base) as usize] {
                    bits.set(place);
                }
                if place + 1 < end && !breaks[(place - base) as usize] {
                    joined.set(place);
                }
            }
            let starts = bits.windows(&joined, quantity);
            for first in base..end {
                let all = (first..first + quantity).all(|place| bits.get(place));
                let one_row = (first..first + quantity - 1).all(|place| joined.get(place));
                prop_assert_eq!(starts.get(first), all && one_row, "{}", first);
            }
        }
    }
}
