//! `SIGKILL` before and after each effect, and the rerun of the program as it is shipped; in between somebody may pay.

use tourney::domain::{OrderStatus, Payable, PayableKind, key};
use tourney::world::faulty::Mode;

use super::figures::{Came, Figures};
use super::share;
use super::world::{Template, apply, pay};
use crate::recovery::on_both;
use crate::recovery::scene::Scene;

/// Of so many cases one is run each time, besides those where what changes something at Stripe is done and not heard of.
const SHARE: usize = 16;

/// The two crashes of the decorator.
const MODES: [Mode; 2] = [Mode::CrashBefore, Mode::CrashAfter];

on_both!(killed_at_every_effect, killed_at_every_effect_with_links, a_payment_that_could_not_be_recorded_at_once_is);

fn killed_at_every_effect(on: fn(&str) -> Option<Scene>) {
    killed(on, PayableKind::Session);
}

fn killed_at_every_effect_with_links(on: fn(&str) -> Option<Scene>) {
    killed(on, PayableKind::PaymentLink);
}

fn killed(on: fn(&str) -> Option<Scene>, link: PayableKind) {
    let Some(mut template) = Template::changing(on, link) else { return };
    let passed = template.learn();
    // A glance at the clock is no effect: to be killed there is to be killed before the next one.
    let effects: Vec<String> = passed
        .into_iter()
        .filter(|site| !["clock now #", "clock random #"].iter().any(|glance| site.starts_with(glance)))
        .collect();
    let figures = Figures::of(format!("killed: {}", template.known.name), effects.len(), MODES.len());
    // Another share of them in each world.
    let first = template.known.name.len();
    let cases = effects.iter().flat_map(|site| MODES.map(|mode| format!("{} at {site}", mode.word())));
    let always = |case: &String| case.contains("after at wire POST") && case.ends_with(" #1");
    let cases = cases.enumerate().filter(|(at, case)| at % share(SHARE) == first % share(SHARE) || always(case));
    let figures = figures.each(cases.map(|(_, case)| case), |case| {
        let scene = template.copy();
        let ended = apply(&scene, case).run();
        let paid = !always(case) && case.len() % 3 == 1 && somebody_pays(&scene);
        let (reruns, mut wrong) = template.known.reruns(&scene, paid);
        // How often the program waits its turn, and shows that it lives, is the machine's to say: not each run gets as far.
        let may_end = ["clock sleep", "ledger heartbeat"].iter().any(|effect| case.contains(effect));
        let is_over = may_end && ended.code() == Some(0);
        if !ended.was_killed() && !is_over {
            wrong.push(format!("it was not killed: {ended:?}"));
        }
        Came { struck: ended.was_killed(), paid, reruns, wrong }
    });
    assert!(figures.paid > 0, "{figures:?}");
    figures.assert_fine();
}

/// Somebody pays who is billed for the first time, where the run has got as far.
fn somebody_pays(scene: &Scene) -> bool {
    let new = |payable: &&Payable| {
        payable.metadata.get(key::PLAYER).is_some_and(|player| ["7", "8"].contains(&player.as_str()))
    };
    let open = scene.open();
    let found = open.iter().find(new);
    found.into_iter().for_each(|payable| pay(scene, &payable.id));
    found.is_some()
}

/// What fails once is tried again in the same run, a payment like anything else.
fn a_payment_that_could_not_be_recorded_at_once_is(on: fn(&str) -> Option<Scene>) {
    let Some(mut template) = Template::changing(on, PayableKind::Session) else { return };
    template.learn();
    for fault in
        ["fail before at ledger search #1", "fail before at ledger mark_paid #1", "lose answer at ledger mark_paid #1"]
    {
        let scene = template.copy();
        apply(&scene, fault).run().expect(0);
        assert_eq!(template.known.is_wrong(&scene), [""; 0], "{fault}");
        let paid = scene.facts().orders.into_iter().filter(|order| order.status == OrderStatus::Paid);
        assert_eq!(paid.count(), 1, "{fault}");
    }
}
