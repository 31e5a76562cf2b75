//! `kill -9` at random moments, while payers pay: of an apply that puts the incident right with Payment Links, and of a
//! switch of policy in both directions. After every kill nobody may be payable twice, and the rerun converges.
//!
//! `TOURNEY_KILLS` says how many kills each story gets on each database, `TOURNEY_KILL_SEED` which random ones
//! (CONTRIBUTING.md).

mod chance;
mod season;

use std::time::{Duration, Instant};

use chance::Chance;
use season::{Ground, Season, Side};

/// A run that is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// The scripts' sessions have expired and lack `order_id`; the policy is links.
    Incident,
    ToSessions,
    ToLinks,
}

/// A season goes through each once; in this order each of them has all its work to do.
const STORIES: [Story; 3] = [Story::Incident, Story::ToSessions, Story::ToLinks];

impl Story {
    const fn policy(self) -> &'static str {
        match self {
            Self::Incident | Self::ToLinks => "payment_link",
            Self::ToSessions => "session",
        }
    }
}

/// Kills of each story where nothing else is asked for.
const KILLS: usize = 6;
/// At most so many runs in a row are killed before one may end.
const IN_A_ROW: u64 = 3;
/// Where a machine was slow at first, a season's runs may all end before they are killed; not season after season.
const SEASONS_TO_A_KILL: usize = 5;

#[test]
fn nobody_is_payable_twice_whenever_a_run_is_killed_on_sqlite() {
    story(Ground::Sqlite);
}

#[test]
fn nobody_is_payable_twice_whenever_a_run_is_killed_on_postgres() {
    story(Ground::Postgres);
}

#[test]
fn nobody_is_payable_twice_whenever_a_run_is_killed_on_an_adopted_table() {
    story(Ground::Adopted);
}

/// What came of one story's kills.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    /// How long the run takes that nobody disturbs.
    lasts: Duration,
    /// Met at work.
    killed: usize,
    /// Those after which other payables stood than before: the run had begun to close and to make.
    halfway: usize,
    /// The run had ended before.
    too_late: usize,
}

fn story(ground: Ground) {
    let kills = chance::number("TOURNEY_KILLS").map_or(KILLS, |kills| usize::try_from(kills).unwrap());
    let seed = chance::number("TOURNEY_KILL_SEED").unwrap_or_else(chance::any_seed);
    // Shown where the test fails.
    eprintln!("TOURNEY_KILL_SEED={seed} TOURNEY_KILLS={kills} on {ground:?}");
    let mut chance = Chance::from_seed(seed);
    let Some(mut undisturbed) = Season::begin(ground) else { return };
    let mut figures = STORIES.map(|story| {
        undisturbed.policy(story.policy());
        let lasts = undisturbed.converges(story.policy());
        (story, Figures { lasts, ..Figures::default() })
    });
    for nth in 0.. {
        if figures.iter().all(|(_, figures)| figures.killed >= kills) {
            break;
        }
        assert!(nth < SEASONS_TO_A_KILL * kills.max(1), "the runs are over before they are killed: {figures:?}");
        let Some(mut season) = Season::begin(ground) else { return };
        for (story, figures) in &mut figures {
            round(*story, &mut season, figures, &mut chance);
        }
        eprintln!("season {nth}: {} payments", season.payments());
    }
    for (story, Figures { lasts, killed, halfway, too_late }) in figures {
        eprintln!(
            "{ground:?} {story:?}: {killed} kills within {lasts:?}, {halfway} of them halfway; {too_late} came too late"
        );
    }
}

/// A few runs in a row are killed; the next may end, and must have done it all.
fn round(story: Story, season: &mut Season, figures: &mut Figures, chance: &mut Chance) {
    for _ in 0..chance.below(3) {
        season.somebody_looks(chance);
    }
    if chance.one_in(3) {
        season.somebody_pays(chance);
    }
    season.policy(story.policy());
    for _ in 0..=chance.below(IN_A_ROW) {
        let at = chance.within(figures.lasts);
        let before = season.payable();
        let died = killed_at(at, season, chance);
        season.is_sound();
        let halfway = died && season.payable() != before;
        eprintln!("{story:?}: killed {at:?} after its start: at work {died}, halfway {halfway}");
        figures.killed += usize::from(died);
        figures.halfway += usize::from(halfway);
        figures.too_late += usize::from(!died);
        if chance.one_in(4) {
            season.somebody_pays(chance);
            season.is_sound();
        }
    }
    season.converges(story.policy());
}

/// Kills an apply so long after its start; gives whether it was still at work. Somebody may pay meanwhile, and the answer
/// of one side may be lost after what was asked was done.
fn killed_at(at: Duration, season: &mut Season, chance: &mut Chance) -> bool {
    let lost = chance.one_in(3).then(|| if chance.one_in(2) { Side::Stripe } else { Side::Database });
    let mut loses = lost.map(|side| season.loses_an_answer(side, chance));
    let apply = season.apply(loses.as_mut()).spawn();
    // This waits for nothing: the moment is the point. Whatever the run is at then, it is killed.
    let moment = Instant::now() + at;
    if chance.one_in(3) {
        std::thread::sleep(chance.within(at));
        season.somebody_pays(chance);
    }
    std::thread::sleep(moment.saturating_duration_since(Instant::now()));
    let died = apply.kill().code().is_none();
    season.answers_again();
    died
}
