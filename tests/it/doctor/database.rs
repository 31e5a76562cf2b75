//! What the database says of itself, and what we may do in it.

use serde_json::Value;

use super::{checks, fails, is_ok, local, warns};
use crate::story::club::Club;
use crate::support::Tourney;

/// `tourney ARGS…` as another user of the same database.
fn as_user<const N: usize>(club: &Club, user: &str, args: [&str; N]) -> Tourney {
    let command = club.tourney(args).env("DATABASE_URL", club.database().replace("postgres@", &format!("{user}@")));
    command.env("TOURNEY_WEBHOOK_URL", "http://localhost:8000/stripe").env("STRIPE_WEBHOOK_SECRET", "whsec_51Secret")
}

/// A role of this test's own, without any right; the cluster's other databases see it too.
fn role(club: &Club, name: &str) {
    club.sql(&format!("CREATE ROLE {name} LOGIN"));
    club.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
}

/// The rights that doctor names are those that an apply needs: with them it works, and they are no more than said.
#[test]
fn the_rights_that_are_named_are_enough() {
    let Some(club) = Club::on_postgres() else { return };
    club.bill();
    role(&club, "doctors_clerk");
    let told = checks(as_user(&club, "doctors_clerk", ["doctor", "--json"]), 1);
    fails(&told, "database-rights", "SELECT, UPDATE ON tourney_lock");
    fails(&told, "schema", "permission denied");
    let grants = told["database-rights"]["hint"].as_str().unwrap().to_owned();
    for grant in grants.split(';').map(str::trim).filter(|grant| !grant.is_empty()) {
        assert!(grant.starts_with("GRANT ") && grant.ends_with(" TO doctors_clerk"), "{grants}");
        club.sql(grant);
    }
    let told = checks(as_user(&club, "doctors_clerk", ["doctor", "--json"]), 0);
    for name in ["database", "database-rights", "database-clock", "schema", "binding"] {
        is_ok(&told, name);
    }
    // Tables that stand take no right to make tables.
    club.edit("amount: 55.00", "amount: 57.00");
    club.expire(club.order("1002").session());
    as_user(&club, "doctors_clerk", ["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
    let verify = club.tourney(["verify"]).env("DATABASE_URL", club.database().replace("postgres@", "doctors_clerk@"));
    verify.run().expect(0);
    club.sql("REVOKE UPDATE ON tourney_lock FROM doctors_clerk");
    let told = checks(as_user(&club, "doctors_clerk", ["doctor", "--json"]), 1);
    fails(&told, "database-rights", "doctors_clerk lacks UPDATE ON tourney_lock");
    club.sql("DROP OWNED BY doctors_clerk");
    club.sql("DROP ROLE doctors_clerk");
}

#[test]
fn a_database_in_which_no_table_can_be_made_is_told() {
    let Some(club) = Club::on_postgres() else { return };
    role(&club, "doctors_guest");
    let told = || checks(as_user(&club, "doctors_guest", ["doctor", "--json"]), 1);
    fails(&told(), "database-rights", "doctors_guest may make none in the schema public");
    let error = as_user(&club, "doctors_guest", ["apply", "--yes", "--json"]).run().expect(1).json()["error"].clone();
    assert_eq!(error["code"], "database-refused", "{error:#}");
    club.sql("ALTER ROLE doctors_guest SET search_path = nowhere");
    fails(&told(), "database-rights", "leads to no schema");
    club.sql("ALTER ROLE doctors_guest RESET search_path");
    club.sql("GRANT CREATE ON SCHEMA public TO doctors_guest");
    is_ok(&checks(as_user(&club, "doctors_guest", ["doctor", "--json"]), 0), "database-rights");
    as_user(&club, "doctors_guest", ["apply", "--yes"]).run().expect(0);
    club.sql("DROP OWNED BY doctors_guest");
    club.sql("DROP ROLE doctors_guest");
}

#[test]
fn a_migration_is_left_to_the_owner_of_the_tables() {
    let Some(club) = Club::on_postgres() else { return };
    club.bill();
    role(&club, "doctors_tenant");
    club.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO doctors_tenant");
    is_ok(&checks(as_user(&club, "doctors_tenant", ["doctor", "--json"]), 0), "database-rights");
    club.sql("DELETE FROM tourney_migrations");
    let told = checks(as_user(&club, "doctors_tenant", ["doctor", "--json"]), 1);
    fails(&told, "database-rights", "belong to another user");
    warns(&told, "schema", "2 migrations");
    club.sql("DROP OWNED BY doctors_tenant");
    club.sql("DROP ROLE doctors_tenant");
}

#[test]
fn a_database_that_only_reads_is_told() {
    let Some(club) = Club::on_postgres() else { return };
    let name = club.database().split(['/', '?']).nth(3).unwrap().to_owned();
    club.sql(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    fails(&checks(local(&club), 1), "database-rights", "default_transaction_read_only");
    let error = club.tourney(["apply", "--yes", "--json"]).run().expect(1).json()["error"].clone();
    assert_eq!(error["code"], "database-refused", "{error:#}");
}

/// A database that says of itself what one cannot be made to be here: its functions are found before the server's own.
fn pretending(club: &Club, function: &str) {
    let name = club.database().split(['/', '?']).nth(3).unwrap().to_owned();
    club.sql("CREATE SCHEMA pretended");
    club.sql(&format!("CREATE FUNCTION pretended.{function}"));
    club.sql(&format!("ALTER DATABASE {name} SET search_path = pretended, pg_catalog, public"));
}

#[test]
fn a_database_with_another_time_is_told() {
    for (sign, words) in [("+", "s behind the database"), ("-", "s ahead of the database")] {
        let Some(club) = Club::on_postgres() else { return };
        let body = format!("SELECT pg_catalog.clock_timestamp() {sign} interval ''90 seconds''");
        pretending(&club, &format!("clock_timestamp() RETURNS timestamptz LANGUAGE sql AS '{body}'"));
        let told = checks(local(&club), 0);
        warns(&told, "database-clock", words);
        assert!(told["database-clock"]["hint"].as_str().unwrap().contains("60 s"), "{told:#?}");
    }
}

#[test]
fn a_replica_is_told() {
    let Some(club) = Club::on_postgres() else { return };
    pretending(&club, "pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'");
    fails(&checks(local(&club), 1), "database-rights", "replica");
}

#[test]
fn an_encoding_that_lacks_letters_is_told() {
    let Some(club) = Club::on_postgres() else { return };
    let name = club.database().split(['/', '?']).nth(3).unwrap().to_owned();
    club.sql(&format!("CREATE DATABASE {name}_latin ENCODING 'LATIN1' TEMPLATE template0"));
    let url = club.database().replace(&format!("/{name}?"), &format!("/{name}_latin?"));
    warns(&checks(local(&club).env("DATABASE_URL", url), 0), "database", "LATIN1");
}

#[cfg(unix)]
#[test]
fn a_sqlite_file_that_cannot_be_written_is_told() {
    use std::os::unix::fs::PermissionsExt as _;

    let club = Club::on_sqlite();
    club.bill();
    let folder = club.folder.path("orders.db").parent().unwrap().to_owned();
    let permit = |path: &std::path::Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    permit(&folder, 0o755);
    permit(&club.folder.path("orders.db"), 0o444);
    let told = |words: &str| {
        let document = unprivileged(&club);
        let check =
            document["checks"].as_array().unwrap().iter().find(|check| check["name"] == "database-rights").unwrap();
        assert_eq!(check["level"], "failure", "{document:#}");
        assert!(check["detail"].as_str().unwrap().contains(words), "{check:#}");
    };
    told("orders.db cannot be written by this user");
    permit(&club.folder.path("orders.db"), 0o666);
    permit(&folder, 0o555);
    told("no file can be made in ");
    permit(&folder, 0o755);
}

/// What doctor says to somebody for whom the bits of a file count: not to root.
#[cfg(unix)]
fn unprivileged(club: &Club) -> Value {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::process::CommandExt as _;

    const NOBODY: u32 = 65_534;
    // Where it was built, nobody else may be let in.
    let place = tempfile::Builder::new().prefix("tourney-it-").tempdir().unwrap();
    let (owner, binary) = (std::fs::metadata(place.path()).unwrap().uid(), place.path().join("tourney"));
    let mut command = std::process::Command::new(&binary);
    if owner == 0 {
        std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    std::fs::copy(env!("CARGO_BIN_EXE_tourney"), &binary).unwrap();
    command.args(["doctor", "--json"]).current_dir(club.folder.path("")).env_clear();
    command.env("DATABASE_URL", club.database()).env("STRIPE_API_BASE", club.stripe_base());
    command.env("STRIPE_SECRET_KEY", tourney::sandbox::SECRET_KEY);
    let output = command.output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}
