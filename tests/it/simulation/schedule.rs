//! A schedule is data: a sequence of draws, each of which chooses what happens next.

/// Draws: from a seed, or the ones that are given and after them zeros. A zero chooses what is plainest.
#[derive(Debug)]
pub(crate) struct Schedule {
    draws: Vec<u32>,
    at: usize,
    chance: Option<u64>,
}

impl Schedule {
    pub(crate) fn seeded(seed: u64) -> Self {
        // Seeds that lie side by side begin far from each other.
        Self { draws: Vec::new(), at: 0, chance: Some(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x5bd1_e995) }
    }

    pub(crate) fn replayed(draws: &[u32]) -> Self {
        Self { draws: draws.to_vec(), at: 0, chance: None }
    }

    pub(crate) fn draw(&mut self) -> u32 {
        if self.at == self.draws.len() {
            let Some(state) = &mut self.chance else { return 0 };
            self.draws.push((split_mix(state) >> 32) as u32);
        }
        self.at += 1;
        self.draws[self.at - 1]
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.draw() as usize % bound
    }

    /// Whether all that was given is used up, so that only zeros follow.
    pub(crate) fn is_over(&self) -> bool {
        self.chance.is_none() && self.at >= self.draws.len()
    }

    /// What was drawn.
    pub(crate) fn drawn(self) -> Vec<u32> {
        let mut draws = self.draws;
        draws.truncate(self.at);
        draws
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// So many schedules are tried to make a story shorter.
const TRIES: usize = 1_500;

/// The plainest draws found for which `fails` still holds: blocks are left out, then draws are made zero.
pub(crate) fn shrunk(draws: Vec<u32>, mut fails: impl FnMut(&[u32]) -> bool) -> Vec<u32> {
    let draws = simplest(draws, &mut fails);
    // Zeros at the end are what follows anyway, unless what is to happen takes that many.
    let length = draws.iter().rposition(|draw| *draw != 0).map_or(0, |last| last + 1);
    if fails(&draws[..length]) { draws[..length].to_vec() } else { draws }
}

fn simplest(mut draws: Vec<u32>, fails: &mut impl FnMut(&[u32]) -> bool) -> Vec<u32> {
    let mut tries = 0;
    let mut still = |draws: &[u32]| {
        tries += 1;
        (tries <= TRIES).then(|| fails(draws))
    };
    loop {
        let before = draws.clone();
        let mut length = draws.len().div_ceil(2);
        while length > 0 {
            let mut from = draws.len();
            while from > 0 {
                let start = from.saturating_sub(length);
                let without = [&draws[..start], &draws[from..]].concat();
                let mut zeroed = draws.clone();
                zeroed[start..from].fill(0);
                for simpler in [without, zeroed] {
                    if simpler == draws {
                        continue;
                    }
                    match still(&simpler) {
                        None => return draws,
                        Some(true) => {
                            draws = simpler;
                            break;
                        }
                        Some(false) => {}
                    }
                }
                from = start.min(draws.len());
            }
            length /= 2;
        }
        if draws == before {
            return draws;
        }
    }
}

#[test]
fn a_schedule_that_fails_is_told_by_what_it_needs_alone() {
    let needs = |draws: &[u32]| draws.iter().filter(|draw| **draw > 1_000).count() >= 2;
    let mut long = Schedule::seeded(7);
    let drawn: Vec<u32> = (0..200).map(|_| long.draw()).collect();
    assert_eq!(long.drawn(), drawn);
    let short = shrunk(drawn, needs);
    assert!(short.len() == 2 && needs(&short), "{short:?}");
    let mut again = Schedule::replayed(&short);
    assert_eq!([again.draw(), again.draw(), again.draw()], [short[0], short[1], 0]);
}
