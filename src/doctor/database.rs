//! The orders database: whether it answers, may be written, has our time, and has the tables it needs.

use jiff::SignedDuration;

use crate::config::Environment;
use crate::domain::Mode;
use crate::ledger::{Health, Identity, LEASE_SECONDS, ReadOnly, SchemaState};

use super::Check;

/// The oldest PostgreSQL whose catalogue says all that is read from it (PostgreSQL's release notes: 12 brought generated
/// columns).
const OLDEST: i64 = 120_000;
/// Clocks this far apart are told.
const APART: SignedDuration = SignedDuration::from_secs(5);

/// Whether the database answers, and is one that can be worked with.
#[must_use]
pub fn database(env: &Environment, health: &Health, state: Option<&SchemaState>) -> Check {
    const NAME: &str = "database";
    let server = &health.server;
    if state == Some(&SchemaState::NoFile) {
        return Check::ok(NAME, format!("{} is not there yet: the first apply makes it", env.database));
    }
    if health.version.is_some_and(|version| version < OLDEST) {
        let detail = format!("{} is {server}, and {} is the oldest that works", env.database, OLDEST / 10_000);
        return Check::failure(NAME, detail, "update the server");
    }
    match health.encoding.as_deref() {
        Some("UTF8") | None => Check::ok(NAME, format!("{} answers ({server})", env.database)),
        Some(encoding) => Check::warning(
            NAME,
            format!("{} answers ({server}), and keeps texts in {encoding}", env.database),
            "a letter that this encoding lacks is refused: best move to a database made with ENCODING 'UTF8'",
        ),
    }
}

/// Whether all that an apply writes can be written.
#[must_use]
pub fn rights(health: &Health, state: Option<&SchemaState>) -> Check {
    const NAME: &str = "database-rights";
    if let Some(read_only) = &health.read_only {
        let (detail, hint) = closed(read_only);
        return Check::failure(NAME, detail, hint);
    }
    let is_missing = matches!(state, Some(SchemaState::Unprepared));
    let is_behind = matches!(state, Some(SchemaState::Behind { .. }));
    let schema = health.schema.as_deref();
    let user = health.user.as_deref().unwrap_or("this user");
    if is_missing && !health.may_create {
        return match schema {
            Some(schema) => Check::failure(
                NAME,
                format!("tourney's tables are not there, and {user} may make none in the schema {schema}"),
                format!("GRANT CREATE ON SCHEMA {schema} TO {user}; it may be revoked after the first apply"),
            ),
            None => Check::failure(
                NAME,
                "tourney's tables are not there, and the search path leads to no schema to make them in",
                format!("lead it to one that exists: ALTER ROLE {user} SET search_path = …"),
            ),
        };
    }
    if !health.lacks.is_empty() {
        let grants: Vec<String> = health.lacks.iter().map(|lack| format!("GRANT {lack} TO {user};")).collect();
        return Check::failure(NAME, format!("{user} lacks {}", health.lacks.join("\n  and ")), grants.join(" "));
    }
    if is_behind && !health.not_ours.is_empty() {
        let detail = format!("tables are to be changed that belong to another user: {}", health.not_ours.join(", "));
        return Check::failure(NAME, detail, "run the next apply as the user who owns them");
    }
    match (is_missing, schema) {
        (true, Some(schema)) => Check::ok(NAME, format!("tourney's tables can be made in the schema {schema}")),
        _ => Check::ok(NAME, "all that an apply writes may be written"),
    }
}

fn closed(read_only: &ReadOnly) -> (String, &'static str) {
    match read_only {
        ReadOnly::Replica => (
            "this server is a replica, which only repeats what another one writes".to_owned(),
            "name the primary server in the database's URL",
        ),
        ReadOnly::Default => (
            "transactions are read-only here (default_transaction_read_only is on)".to_owned(),
            "use a user and a database that may write, or ALTER ROLE (or DATABASE) … SET default_transaction_read_only = off",
        ),
        ReadOnly::File(file) => (
            format!("{} cannot be written by this user", file.display()),
            "give this user the right to write the file (chown, chmod), or work as the user who may",
        ),
        ReadOnly::Folder(folder) => (
            format!("no file can be made in {}, and SQLite keeps its journal beside the database", folder.display()),
            "give this user the right to write the folder too (chown, chmod), or work as the user who may",
        ),
    }
}

/// How far the database's clock is from ours.
#[must_use]
pub fn database_clock(health: &Health) -> Check {
    const NAME: &str = "database-clock";
    let Some(ahead) = health.ahead else { return Check::skipped(NAME, "a file on this machine has its clock") };
    let seconds = ahead.as_secs().abs();
    if ahead.abs() <= APART {
        return Check::ok(NAME, "this machine and the database have the same time");
    }
    let detail = match ahead.is_positive() {
        true => format!("this machine is {seconds} s behind the database"),
        false => format!("this machine is {seconds} s ahead of the database"),
    };
    let hint = format!(
        "set the clocks by the network (NTP): a run on one machine takes the lock of another's as lost once its last sign of \
         life is {LEASE_SECONDS} s old by its own clock"
    );
    Check::warning(NAME, detail, hint)
}

/// Whether the tables are those of this version.
#[must_use]
pub fn schema(state: &SchemaState) -> Check {
    const NAME: &str = "schema";
    match state {
        SchemaState::NoFile | SchemaState::Unprepared => {
            Check::ok(NAME, "tourney's tables are not there yet: the first apply makes them")
        }
        SchemaState::Current { version } => {
            Check::ok(NAME, format!("tourney's tables are there, of version {version}"))
        }
        SchemaState::Behind { missing, version } => {
            let detail = match missing {
                1 => format!("one migration to version {version} of tourney's tables has not been made"),
                missing => format!("{missing} migrations to version {version} of tourney's tables have not been made"),
            };
            Check::warning(NAME, detail, "the next apply makes them")
        }
        SchemaState::Ahead { made, version } => Check::failure(
            NAME,
            format!(
                "tourney's tables are of version {made}, made by a newer tourney: this one knows version {version}"
            ),
            "use that version of tourney: this one does not know what its tables mean",
        ),
        SchemaState::Foreign(why) => {
            Check::failure(NAME, why.clone(), "map it under `orders` in environments.yaml, or name another database")
        }
    }
}

/// The application's own orders table, whose mapping works; `judged` where a manifest says what it asks of it.
#[must_use]
pub fn mapping(env: &Environment, health: &Health, judged: bool) -> Check {
    const NAME: &str = "mapping";
    let Some(orders) = &env.orders else {
        return match &env.players {
            Some(players) => Check::ok(NAME, format!("{} can be read as it is mapped", players.table.join("."))),
            None => Check::skipped(NAME, "no orders table is mapped: tourney makes its own"),
        };
    };
    let mut detail = format!("{} can be worked with as it is mapped", orders.table.join("."));
    if let Some(rights) = &health.orders {
        detail.push_str(&format!("; rights on it: {rights}"));
        if !rights.contains("DELETE") {
            detail.push_str(" (without DELETE, verify cancels its canary and leaves the row)");
        }
    }
    if !judged {
        detail.push_str(
            "; no manifest was read: what it asks of the table (its ids, how orders are retired) is not judged",
        );
    }
    Check::ok(NAME, detail)
}

/// Whether database, account and mode are those that belong together; `account` where Stripe told it.
#[must_use]
pub fn binding(identity: Option<&Identity>, account: Option<&str>, mode: Mode) -> Check {
    const NAME: &str = "binding";
    const HINT: &str = "right database, wrong key? Check -e and the key's file; never work around it";
    let Some((identity, bound)) = identity.and_then(|one| Some((one, one.account.as_deref()?))) else {
        return Check::ok(NAME, "the database is not bound yet: the first apply binds it to account and mode");
    };
    if let Some(bound) = identity.mode.filter(|bound| *bound != mode) {
        return Check::failure(
            NAME,
            format!("the database belongs to {bound} mode, and the key is a {mode} key"),
            HINT,
        );
    }
    match account {
        None => Check::skipped(NAME, format!("the database belongs to {bound}; Stripe did not tell whose the key is")),
        Some(account) if account == bound => {
            Check::ok(NAME, format!("database and key belong to {bound} ({mode} mode)"))
        }
        Some(account) => {
            Check::failure(NAME, format!("the database belongs to {bound}, and the key to {account}"), HINT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    fn healthy() -> Health {
        Health {
            server: "PostgreSQL 16.2".to_owned(),
            version: Some(160_002),
            encoding: Some("UTF8".to_owned()),
            read_only: None,
            schema: Some("public".to_owned()),
            may_create: true,
            user: Some("club".to_owned()),
            lacks: Vec::new(),
            not_ours: Vec::new(),
            orders: None,
            ahead: Some(SignedDuration::ZERO),
        }
    }

    #[test]
    fn what_keeps_an_apply_from_writing_is_a_failure() {
        let behind = SchemaState::Behind { missing: 1, version: 2 };
        let (unprepared, current) = (SchemaState::Unprepared, SchemaState::Current { version: 1 });
        let level = |health: Health, state: &SchemaState| rights(&health, Some(state)).level;
        assert_eq!(level(healthy(), &unprepared), Level::Ok);
        for read_only in
            [ReadOnly::Replica, ReadOnly::Default, ReadOnly::File("a".into()), ReadOnly::Folder("b".into())]
        {
            assert_eq!(level(Health { read_only: Some(read_only), ..healthy() }, &current), Level::Failure);
        }
        let closed = Health { may_create: false, ..healthy() };
        assert_eq!(level(closed.clone(), &unprepared), Level::Failure);
        assert_eq!(level(Health { schema: None, ..closed.clone() }, &unprepared), Level::Failure);
        assert_eq!(level(closed, &current), Level::Ok, "its tables stand");
        assert_eq!(level(Health { lacks: vec!["INSERT ON t".to_owned()], ..healthy() }, &current), Level::Failure);
        let another = Health { not_ours: vec!["tourney_lock".to_owned()], ..healthy() };
        assert_eq!((level(another.clone(), &behind), level(another, &current)), (Level::Failure, Level::Ok));
    }

    #[test]
    fn old_servers_and_other_encodings_are_told() {
        let env = crate::config::resolve(
            std::path::Path::new("none/tournament.yaml"),
            None,
            &crate::config::Vars::default(),
            None,
            false,
        )
        .unwrap();
        let level = |health: Health| database(&env, &health, None).level;
        assert_eq!(level(healthy()), Level::Ok);
        assert_eq!(level(Health { version: Some(119_999), ..healthy() }), Level::Failure);
        assert_eq!(level(Health { encoding: Some("LATIN1".to_owned()), ..healthy() }), Level::Warning);
        assert_eq!(level(Health { version: None, encoding: None, ..healthy() }), Level::Ok);
    }

    #[test]
    fn clocks_that_are_seconds_apart_are_told() {
        for (seconds, level) in
            [(0, Level::Ok), (5, Level::Ok), (-5, Level::Ok), (6, Level::Warning), (-6, Level::Warning)]
        {
            let ahead = Some(SignedDuration::from_secs(seconds));
            assert_eq!(database_clock(&Health { ahead, ..healthy() }).level, level, "{seconds}");
        }
        assert_eq!(database_clock(&Health { ahead: None, ..healthy() }).level, Level::Skipped);
    }
}
