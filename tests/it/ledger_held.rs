//! The ledger in memory is held to the real ones: one generated sequence of commands runs on memory, on a SQLite file and on
//! PostgreSQL, every answer is compared, and now and then and in the end all that can be read, and every row of every table.
//!
//! The database in PostgreSQL sorts as people do, and SQLite by bytes: no answer may depend on it.

mod answer;
mod call;
mod draw;
mod dump;
mod known;
mod side;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tourney::domain::RunId;
use tourney::ledger::{Ledger as _, LockHolder};
use tourney::world::sim::MemoryLedger;

use crate::ledger::at;
use crate::support::{database_sorted_by_people, figures};

use answer::{Answer, answer};
use call::{Call, Command, Given, Told};
use known::{Known, Tally};
use side::{Real, Tables, another};

/// How many sequences run where nobody says it.
const CASES: u32 = 110;
/// How many of them on databases that nobody has prepared.
const UNPREPARED: usize = 6;

/// The answers of each method that a run must have seen.
const ANSWERS: &[(&str, &[&str])] = &[
    ("identity", &["Some"]),
    ("order", &["None", "Some"]),
    ("prepare", &["Identity"]),
    ("bind", &["Identity"]),
    ("lock", &["Acquired", "Held"]),
    ("take_over", &["Acquired", "Held"]),
    ("heartbeat", &["Done", "Moved"]),
    ("unlock", &["()"]),
    ("lock_holder", &["None", "Some"]),
    ("force_unlock", &["None", "Some"]),
    ("begin_attempt", &["Begun", "Moved", "Fenced", "Rejected"]),
    ("record_session", &["Done", "Moved", "Fenced"]),
    ("abandon_attempt", &["Done", "Moved", "Fenced"]),
    ("retire", &["Done", "Moved", "Fenced", "Rejected"]),
    ("rename", &["Done", "Moved", "Fenced"]),
    ("mark_paid", &["Done", "Moved"]),
    ("mark_paid_elsewhere", &["Done", "Moved"]),
    ("mark_refunded", &["Done", "Moved"]),
    ("store_event", &["New", "Unfinished", "Finished"]),
    ("finish_event", &["()"]),
    ("unfinished_events", &["[]", "[..]"]),
    ("record_name", &["()"]),
    ("start_run", &["()"]),
    ("log_step", &["()"]),
    ("finish_run", &["()"]),
    ("runs", &["[]", "[..]"]),
    ("steps", &["[]", "[..]"]),
    ("begin_canary", &["Done", "Moved"]),
    ("journal_canary", &["()"]),
    ("canaries", &["[]", "[..]"]),
    ("open_canaries", &["[]", "[..]"]),
    ("remove_canary", &["Removed", "Rejected"]),
    ("record_handler", &["()", "Fenced"]),
    ("raw_row", &["None", "Some"]),
    ("search", &["[]", "[..]"]),
    ("attempts_of", &["[]", "[..]"]),
    (
        "read",
        &[
            "orders",
            "an order with a session",
            "an order with a link",
            "retired",
            "attempts",
            "canary_sessions",
            "canary_orders",
            "unmatched",
            "sessions_made",
            "overlapping",
            "handler",
            "applied_name",
        ],
    ),
];

/// The real databases, and what they have answered so far.
struct Bench {
    runtime: Runtime,
    reals: Vec<Real>,
    tables: Tables,
    tally: Tally,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = quick_folder();
        let sqlite = format!("sqlite://{}", folder.path().join("orders.db").display());
        let reals = runtime.block_on(async {
            let mut reals = vec![Real::open("SQLite", &sqlite).await];
            if let Some(url) = database_sorted_by_people() {
                reals.push(Real::open("PostgreSQL", &url).await);
            }
            reals
        });
        Self { runtime, reals, tables: Tables::new(), tally: Tally::new(), _folder: folder }
    }

    /// Makes the tables, once for all sequences.
    fn prepared(mut self) -> Self {
        self.runtime.block_on(async {
            for real in &self.reals {
                real.ledger.prepare(1).await.unwrap();
            }
            self.tables = self.reals[0].tables().await;
        });
        self
    }

    /// Runs a sequence from the beginning; where the answers differ, the story of it.
    fn play(&mut self, commands: &[Command]) -> Result<(), String> {
        let Self { runtime, reals, tables, tally, .. } = self;
        let memory = MemoryLedger::default();
        runtime.block_on(async {
            for real in reals.iter_mut().filter(|_| !tables.is_empty()) {
                real.empty(tables).await;
            }
            let mut play = Play { memory, reals, tables, tally, known: Known::default(), story: String::new() };
            let prepared = if tables.is_empty() { Vec::new() } else { beginning().to_vec() };
            for command in prepared.iter().chain(commands) {
                play.command(command).await?;
            }
            play.compare().await
        })
    }
}

/// A sequence that runs.
struct Play<'a> {
    memory: MemoryLedger,
    reals: &'a mut [Real],
    tables: &'a Tables,
    tally: &'a mut Tally,
    known: Known,
    story: String,
}

impl Play<'_> {
    async fn command(&mut self, command: &Command) -> Result<(), String> {
        let given = self.known.resolve(command, &self.memory).await;
        match &command.call {
            Call::Compare => self.compare().await?,
            Call::Another(_) => self.another(command, &given).await?,
            call => {
                let answer = self.ask(call, &given).await?;
                writeln!(self.story, "  {} -> {}", Told(call, &given), answer.kinds.join(", ")).unwrap();
            }
        }
        self.known.learn(&command.call, &self.memory).await;
        Ok(())
    }

    /// Asks all, and compares.
    async fn ask(&mut self, call: &Call, given: &Given) -> Result<Answer, String> {
        let expected = answer(&self.memory, call, given).await;
        for real in &*self.reals {
            let actual = answer(&real.ledger, call, given).await;
            if actual != expected {
                return Err(self.told(&Told(call, given).to_string(), real.name, &actual.text, &expected.text));
            }
        }
        for kind in &expected.kinds {
            *self.tally.entry((call.method().expect("it is asked of a ledger"), kind.clone())).or_default() += 1;
        }
        Ok(expected)
    }

    async fn another(&mut self, command: &Command, given: &Given) -> Result<(), String> {
        let Call::Another(other) = &command.call else { return Ok(()) };
        if self.memory.identity().await.unwrap().is_none() {
            return Ok(());
        }
        let expected = another(&self.memory, other, &given.seen.id);
        let told = Told(&command.call, given).to_string();
        for at in 0..self.reals.len() {
            let actual = self.reals[at].another(other, &given.seen.id).await;
            if actual != expected {
                return Err(self.told(&told, self.reals[at].name, &format!("{actual:?}"), &format!("{expected:?}")));
            }
        }
        writeln!(self.story, "  {told}").unwrap();
        Ok(())
    }

    fn told(&self, last: &str, name: &str, actual: &str, expected: &str) -> String {
        format!("\n{}  {last}\n    {name}: {actual}\n    memory: {expected}\n", self.story)
    }

    /// Everything that can be read, and every row.
    async fn compare(&mut self) -> Result<(), String> {
        let everything = u32::MAX;
        let mut calls = vec![Call::Identity, Call::LockHolder, Call::Canaries, Call::OpenCanaries];
        calls.extend([Call::Runs(everything), Call::UnfinishedEvents(everything)]);
        calls.extend(draw::tournaments().into_iter().map(|tournament| Call::Read(draw::scope(tournament))));
        calls.extend(draw::RUNS.map(|run| Call::Steps(RunId::from(run))));
        calls.extend(draw::words().into_iter().map(Call::Search));
        let nobody = self.known.stranger();
        for call in &calls {
            self.ask(call, &nobody).await?;
        }
        for given in self.known.every_order() {
            for call in [Call::Order, Call::RawRow, Call::AttemptsOf, Call::Search(given.seen.id.to_string())] {
                self.ask(&call, &given).await?;
            }
        }
        let expected = dump::of_memory(&self.memory.snapshot());
        for at in 0..self.reals.len() {
            for (table, rows) in self.reals[at].dump(self.tables).await {
                let expected = expected.get(&table).unwrap_or_else(|| panic!("memory has no {table}"));
                if rows != *expected {
                    let [actual, expected] = [&rows, expected].map(|rows| format!("{rows:?}"));
                    return Err(self.told(&format!("every row of {table}"), self.reals[at].name, &actual, &expected));
                }
            }
        }
        Ok(())
    }
}

/// A folder in memory where there is one: what comes of a file is the same there, and thousands of its commits take no time.
fn quick_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// What every sequence begins with, but for those that begin unprepared.
fn beginning() -> [Command; 2] {
    let holder = LockHolder { run: RunId::from("run-1"), who: "ana@host".to_owned(), since: at(0), heartbeat: at(0) };
    [Call::Prepare(7), Call::Lock(holder, at(0))].map(|call| Command {
        call,
        guard: 0,
        order: 0,
        age: 0,
        twist: None,
        attempt: 0,
    })
}

/// A number that a person may set.
fn told_by(variable: &str) -> Option<u32> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}

/// Sequences that are the same each time, so that what is demanded of them is seen each time.
fn sequences() -> impl Iterator<Item = Vec<Command>> {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&told_by("TOURNEY_LEDGER_SEED").unwrap_or(1).to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    std::iter::repeat_with(move || draw::commands().new_tree(&mut runner).unwrap().current())
}

/// Leaves out of a sequence that fails whatever it fails without; answers with the story of what is left.
fn shortest(bench: &mut Bench, mut commands: Vec<Command>, mut story: String) -> String {
    let mut before = usize::MAX;
    while commands.len() < before {
        before = commands.len();
        for at in (0..before).rev() {
            let mut fewer = commands.clone();
            fewer.remove(at);
            if let Err(shorter) = bench.play(&fewer) {
                (commands, story) = (fewer, shorter);
            }
        }
    }
    story
}

#[test]
fn memory_and_both_databases_answer_alike() {
    let cases = told_by("TOURNEY_LEDGER_CASES").unwrap_or(CASES);
    let mut bench = Bench::new().prepared();
    for (case, commands) in (0..cases).zip(sequences()) {
        if let Err(story) = bench.play(&commands) {
            panic!("sequence {case}: the ledgers differ\n{}", shortest(&mut bench, commands, story));
        }
    }
    let answers: u64 = bench.tally.values().sum();
    let told = json!({"points": ANSWERS.len(), "cases": cases, "violations": 0, "answers compared": answers});
    eprintln!("{told}");
    figures::write("the ledger in memory held to SQLite and PostgreSQL", &told);
    let seen: BTreeSet<(&str, &str)> = bench.tally.keys().map(|(method, kind)| (*method, kind.as_str())).collect();
    let wanted = ANSWERS.iter().flat_map(|(method, kinds)| kinds.iter().map(|kind| (*method, *kind))).collect();
    assert_eq!(seen, wanted, "each kind of answer is met, and no other: {:?}", bench.tally);
}

#[test]
fn nothing_is_there_before_it_is_prepared() {
    for drawn in sequences().take(UNPREPARED) {
        let (before, after) = drawn.split_at(drawn.len() / 2);
        let commands: Vec<Command> = before.iter().cloned().chain(beginning()).chain(after.iter().cloned()).collect();
        Bench::new().play(&commands).unwrap_or_else(|story| panic!("the ledgers differ\n{story}"));
    }
}

#[test]
fn no_method_of_the_ledger_is_left_out() {
    let source = include_str!("../../src/ledger/mod.rs");
    let of_trait = source.split("pub trait Ledger").nth(1).unwrap().split("\n}").next().unwrap();
    let methods = of_trait.lines().filter_map(|line| line.strip_prefix("    fn ")?.split('(').next());
    let asked: BTreeSet<&str> = ANSWERS.iter().map(|(method, _)| *method).collect();
    assert_eq!(methods.collect::<BTreeSet<_>>(), asked);
}
