//! PostgreSQL ends the connections of an apply, one moment after the other, and is restarted under it.

use tourney::domain::PayableKind;

use super::figures::{Came, Figures};
use super::share;
use super::world::{Known, Template};
use crate::recovery::scene::{Scene, UTAH};
use crate::story::club::run_sql;
use crate::support::{Folder, Outcome, cluster, wait_until};

/// Of so many cases one is run each time.
const SHARE: usize = 4;

/// So often the connections are ended: behind each so manieth request to Stripe, for so many registrations at once.
const TERMINATED: [(u64, &str); 8] = [(1, "1"), (1, "4"), (2, "1"), (2, "4"), (3, "1"), (3, "4"), (5, "1"), (5, "4")];

/// The server is restarted in these ways, once so many sessions were asked for.
const RESTARTED: [(&str, u64); 8] = [
    ("immediate", 8),
    ("fast", 1),
    ("immediate", 1),
    ("fast", 8),
    ("fast", 15),
    ("immediate", 15),
    ("fast", 21),
    ("immediate", 21),
];

const TERMINATE: &str = "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity \
                         WHERE application_name = 'tourney' AND datname = current_database()";

#[test]
fn its_connections_are_ended_again_and_again() {
    let mut figures = Vec::new();
    for link in [PayableKind::Session, PayableKind::PaymentLink] {
        let Some(mut template) = Template::changing(Scene::postgres, link) else { return };
        template.learn();
        let cases = TERMINATED.iter().step_by(share(SHARE)).map(|(every, at_once)| format!("{every} {at_once}"));
        let of = Figures::of(format!("connections ended: {}", template.known.name), TERMINATED.len(), 1);
        figures.push(of.each(cases, |case| {
            let (every, at_once) = case.split_once(' ').unwrap();
            let scene = template.copy();
            scene.latency(20);
            let (ended, times) = terminated(&scene, every.parse().unwrap(), at_once);
            scene.latency(0);
            let mut wrong = unlike_the_contract(&ended);
            let (reruns, later) = template.known.reruns(&scene, false);
            wrong.extend(later);
            Came { struck: times > 0, reruns, wrong, ..Came::default() }
        }));
    }
    figures.iter().for_each(Figures::assert_fine);
}

/// Runs an apply to its end, and ends its connections behind each so manieth request. Gives how often.
fn terminated(scene: &Scene, every: u64, at_once: &str) -> (Outcome, usize) {
    let mut run = scene.tourney(["apply", "--yes", "--json", "--parallelism", at_once]).spawn();
    let (mut next, mut times) = (scene.all_requests() + every, 0);
    loop {
        wait_until("it asks Stripe, or ends", || run.has_ended() || scene.all_requests() >= next);
        if run.has_ended() {
            return (run.wait(), times);
        }
        let ended = scene.block_on(run_sql(scene.database(), TERMINATE));
        times += usize::from(!ended.is_empty());
        next = scene.all_requests() + every;
    }
}

#[test]
fn its_server_is_restarted() {
    let Some(cluster) = cluster() else { return };
    let mut figures = Figures::of("restarted: PostgreSQL, session", RESTARTED.len(), 1);
    for (nth, (mode, creates)) in RESTARTED.iter().enumerate().step_by(share(SHARE)) {
        let scene = Scene::resume(Folder::new().with("tournament.yaml", UTAH), cluster.database(&format!("cup_{nth}")));
        scene.incident();
        // What others have written survives: this server answers before that is certain.
        scene.block_on(run_sql(scene.database(), "CHECKPOINT"));
        let known = Known::of(&scene, "session");
        scene.latency(100);
        let run = scene.tourney(["apply", "--yes", "--json"]).spawn();
        scene.wait_for_creates(*creates);
        cluster.restart(mode);
        let ended = run.wait();
        scene.latency(0);
        let mut wrong = unlike_the_contract(&ended);
        let (reruns, later) = known.reruns(&scene, false);
        wrong.extend(later);
        scene.assert_replaced_once();
        figures.note(&format!("{mode} at {creates}"), Came { struck: true, reruns, wrong, ..Came::default() });
    }
    figures.assert_fine();
}

/// It went through, or failed and said so: the database did nothing, or its answer was lost.
fn unlike_the_contract(ended: &Outcome) -> Vec<String> {
    let document = ended.json();
    let failed = document["results"].as_array().into_iter().flatten().map(|result| &result["error"]);
    let mut errors = failed.chain([&document["error"]]).filter(|error| !error.is_null());
    let told = errors.all(|error| error["message"].as_str().unwrap().contains("the orders database"));
    let coded = match ended.code() {
        Some(0) => document["remaining"].is_object(),
        Some(1) => told,
        _ => false,
    };
    if coded { Vec::new() } else { vec![format!("{ended:?}")] }
}
