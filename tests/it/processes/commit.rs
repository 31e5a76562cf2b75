//! PostgreSQL's answer to a COMMIT, cut at each of its bytes, and no other connection after that: of a retirement, of transaction
//! A, of transaction B. A connection that comes again is `adopt::races::cuts`' subject.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tourney::domain::PayableKind;

use super::figures::{Came, Figures};
use super::share;
use super::world::{Template, apply};
use crate::adopt::races::course::Course;
use crate::recovery::scene::Scene;
use crate::support::{Relay, Then};

/// Of so many cases one is run each time.
const SHARE: usize = 24;

/// How many bytes PostgreSQL answers to a COMMIT.
const ANSWER: usize = 18;

/// Where an answer is cut: of which transaction that checks the fence, and behind how many bytes.
#[derive(Clone, Copy)]
struct Cut {
    transaction: usize,
    bytes: usize,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transaction {} behind {} bytes", self.transaction, self.bytes)
    }
}

#[test]
fn the_database_goes_at_every_byte_of_a_commit() {
    let Some(mut template) = Template::changing(Scene::postgres, PayableKind::Session) else { return };
    template.learn();
    let transactions = transactions(&template);
    let cuts = (0..transactions).flat_map(|transaction| (0..=ANSWER).map(move |bytes| Cut { transaction, bytes }));
    let figures = Figures::of(format!("a commit cut: {}", template.known.name), transactions * (ANSWER + 1), 1);
    let figures = figures.each(cuts.step_by(share(SHARE)), |cut| {
        let scene = template.copy();
        let (relay, _) = cutting(&scene, Some(*cut));
        let ended = apply(&scene, "").env("DATABASE_URL", relay.url()).run();
        let lengths = relay.lengths();
        let (reruns, mut wrong) = template.known.reruns(&scene, false);
        if lengths != [ANSWER] || ended.code() != Some(1) || !ended.stdout.contains("the orders database") {
            wrong.push(format!("{lengths:?} {ended:?}"));
        }
        Came { struck: lengths == [ANSWER], reruns, wrong, ..Came::default() }
    });
    figures.assert_fine();
}

/// How many transactions that check the fence there are.
fn transactions(template: &Template) -> usize {
    let scene = template.copy();
    let (relay, met) = cutting(&scene, None);
    apply(&scene, "").env("DATABASE_URL", relay.url()).run().expect(0);
    met.load(Ordering::Relaxed)
}

/// Cuts there, and nothing passes after that. Counts the transactions that were met.
fn cutting(scene: &Scene, cut: Option<Cut>) -> (Relay, Arc<AtomicUsize>) {
    let met = Arc::new(AtomicUsize::new(0));
    let (mut course, mut gone, count) = (Course::default(), false, Arc::clone(&met));
    let relay = Relay::start(scene.database(), move |sql| {
        if gone {
            return Then::CutBefore;
        }
        let place = course.at(sql);
        if sql != "COMMIT" || place.step.is_none() {
            return Then::Pass;
        }
        let transaction = count.fetch_add(1, Ordering::Relaxed);
        gone = cut.is_some_and(|cut| cut.transaction == transaction);
        cut.filter(|_| gone).map_or(Then::Pass, |cut| Then::CutWithin(cut.bytes))
    });
    (relay, met)
}
