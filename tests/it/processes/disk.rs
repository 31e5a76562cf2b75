//! The disk of the orders database is full, at each page that an apply would add to it.

use tourney::domain::PayableKind;

use super::figures::{Came, Figures};
use super::share;
use super::world::{Known, Template, apply, cup, players};
use crate::recovery::scene::{CUP, MANIFEST, Scene};
use crate::story::club::run_sql;
use crate::support::{Cluster, Folder, Outcome, small_cluster};

/// Of so many pages of a first apply one is tried each time, and of so many blocks of PostgreSQL's.
const SHARES: (usize, usize) = (3, 4);

/// SQLite's page, as it makes files.
const PAGE: u64 = 4_096;

/// How many pages a file of SQLite's has.
fn pages(folder: &Folder, file: &str) -> u64 {
    std::fs::metadata(folder.path(file)).map_or(0, |file| file.len() / PAGE)
}

/// What an apply is that had no room: a failure that says so, of all of it or of each change that failed.
fn unlike_the_contract(ended: &Outcome) -> Vec<String> {
    let document = ended.json();
    let changes = document["results"].as_array().into_iter().flatten().map(|result| &result["error"]);
    let errors = changes.chain([&document["error"]]).filter(|error| !error.is_null());
    let told = errors.map(|error| (error["code"] == "database", error["message"].as_str().unwrap()));
    let unproved = document["unproved"].as_str().map(|said| (true, said));
    let full = |said: &str| ["disk is full", "No space left on device"].iter().any(|words| said.contains(words));
    let told: Vec<_> = told.chain(unproved).collect();
    if ended.code() == Some(1) && !told.is_empty() && told.iter().all(|(code, said)| *code && full(said)) {
        Vec::new()
    } else {
        vec![format!("{:?} {told:?} {}", ended.code(), ended.stderr)]
    }
}

#[test]
fn full_at_every_page_that_an_apply_adds() {
    let Some(mut template) = Template::changing(|text| Some(Scene::sqlite(text)), PayableKind::Session) else { return };
    template.learn();
    let scene = template.copy();
    let before = pages(&scene.folder, "orders.db");
    scene.apply().expect(0);
    let after = pages(&scene.folder, "orders.db");
    let cases = before..after;
    let figures = Figures::of(format!("disk full: {}", template.known.name), cases.clone().count(), 1);
    let figures = figures.each(cases, |most| {
        let scene = template.copy();
        let ended = apply(&scene, "").env("TOURNEY_MOST_PAGES", most.to_string()).run();
        let mut wrong = unlike_the_contract(&ended);
        let (reruns, later) = template.known.reruns(&scene, false);
        wrong.extend(later);
        Came { struck: true, reruns, wrong, ..Came::default() }
    });
    figures.assert_fine();
}

/// Where there is nothing yet, the first run makes its tables.
#[test]
fn full_at_every_page_of_a_first_apply() {
    let manifest = cup("cup", &players("123456789"), PayableKind::Session);
    let folder = || Folder::new().with(MANIFEST, &manifest);
    let whole = folder();
    whole.tourney(["apply", "--yes"]).run().expect(0);
    let needed = pages(&whole, ".tourney/orders.db");
    let figures = Figures::of("disk full: SQLite, first apply", usize::try_from(needed).unwrap() - 1, 1);
    let figures = figures.each((1..needed).step_by(share(SHARES.0)), |most| {
        let folder = folder();
        let apply = folder.tourney_faults(["apply", "--yes", "--json"]).env("TOURNEY_MOST_PAGES", most.to_string());
        let mut wrong = unlike_the_contract(&apply.run());
        for rerun in [&["apply", "--yes"][..], &["plan", "--detailed-exitcode"], &["verify", "--audit-only"]] {
            let ended = folder.tourney(rerun).run();
            if ended.code() != Some(0) {
                wrong.push(format!("{rerun:?}: {ended:?}"));
            }
        }
        let links = folder.tourney(["links", "--json"]).run().json()["links"].as_array().map_or(0, Vec::len);
        if links != 9 {
            wrong.push(format!("{links} links for 9 players"));
        }
        Came { struck: true, reruns: 1, wrong, ..Came::default() }
    });
    figures.assert_fine();
}

/// Enough for the server and a few databases.
const ROOM: u64 = 200 << 20;

/// PostgreSQL's page.
const BLOCK: u64 = 8_192;

/// Does something on the server's own file system, in its folder.
fn on_disk(cluster: &Cluster, script: &str) {
    let script = format!("cd {}/data && {}", cluster.folder, script).replace('\'', "''");
    run(cluster, &format!("COPY (SELECT 1) TO PROGRAM '{script}'"));
}

fn run(cluster: &Cluster, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run_sql(&cluster.url("postgres"), sql));
}

/// The incident in a database of its own, and room for so many blocks beside it; all there is where none is said.
fn with_room(cluster: &Cluster, name: &str, blocks: Option<u64>) -> Scene {
    let scene = Scene::resume(Folder::new().with(MANIFEST, CUP), cluster.database(name));
    scene.incident();
    // The log goes on in a file of its own, which is made here: the server ends where that has no room.
    for statement in ["SELECT CAST(pg_switch_wal() AS TEXT)", "CHECKPOINT"] {
        scene.block_on(run_sql(scene.database(), statement));
    }
    if let Some(blocks) = blocks {
        let left = blocks * BLOCK;
        on_disk(cluster, &format!("fallocate -l $(( $(df --output=avail -B1 . | tail -n 1) - {left} )) ballast"));
    }
    scene
}

#[test]
fn full_at_every_block_that_an_apply_adds_to_a_small_file_system() {
    let Some(cluster) = small_cluster(ROOM) else { return };
    let size = |scene: &Scene| {
        let sql = "SELECT CAST(pg_database_size(current_database()) AS TEXT)";
        let rows = scene.block_on(run_sql(scene.database(), sql));
        rows[0][0].as_ref().unwrap().parse::<u64>().unwrap() / BLOCK
    };
    let scene = with_room(&cluster, "whole", None);
    let before = size(&scene);
    scene.apply().expect(0);
    let needed = size(&scene) - before;
    drop(scene);
    let mut figures = Figures::of("disk full: PostgreSQL", usize::try_from(needed).unwrap(), 1);
    for blocks in (0..needed).step_by(share(SHARES.1)) {
        let scene = with_room(&cluster, &format!("room_{blocks}"), Some(blocks));
        let known = Known::of(&scene, "incident");
        let ended = scene.tourney(["apply", "--yes", "--json", "--parallelism", "1"]).run();
        on_disk(&cluster, "rm ballast");
        let mut wrong = if ended.code() == Some(0) { Vec::new() } else { unlike_the_contract(&ended) };
        let (reruns, later) = known.reruns(&scene, false);
        wrong.extend(later);
        scene.assert_replaced_once();
        figures.note(
            &format!("{blocks} blocks"),
            Came { struck: ended.code() != Some(0), reruns, wrong, ..Came::default() },
        );
        // There is room for few.
        drop(scene.close());
        run(&cluster, &format!("DROP DATABASE room_{blocks} WITH (FORCE)"));
    }
    figures.assert_fine();
}
