//! What a failure of the database means: was anything done, and may it be tried again?

use std::future::Future;
use std::io::{self, ErrorKind};
use std::time::Duration;

use sqlx::error::DatabaseError;

use super::LedgerError;

/// How often a transaction that lost to another one is tried in all.
const TRIES: u32 = 3;
/// The first pause between two tries; it doubles.
const PAUSE: Duration = Duration::from_millis(20);
/// How long one try may take. A server ends each statement before; from a connection that is dead and does not say so, nothing
/// would ever come.
const DEADLINE: Duration = Duration::from_secs(60);

/// A failure inside this room.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another transaction won; this one was rolled back and may be tried again.
    Busy(String),
    /// A foreign key forbids it.
    ForeignKey(String),
    /// Anything else, as it is told outside.
    Final(LedgerError),
}

pub(super) type Result<T> = std::result::Result<T, Failure>;

/// A refusal in our own words.
pub(super) fn rejected(text: impl Into<String>) -> Failure {
    Failure::Final(LedgerError::Rejected(text.into()))
}

/// A row that the mapping does not explain.
pub(super) fn unmapped(text: impl Into<String>) -> Failure {
    Failure::Final(LedgerError::Unmapped(text.into()))
}

/// Nothing was done, in our own words.
pub(super) fn not_done(text: impl Into<String>) -> Failure {
    Failure::Final(LedgerError::NotDone(text.into()))
}

impl From<Failure> for LedgerError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Busy(text) => Self::NotDone(format!("{text}; other programs kept it busy: try again")),
            Failure::ForeignKey(text) => Self::Rejected(text),
            Failure::Final(error) => error,
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Final(error)
    }
}

/// For a failure before COMMIT: a connection that breaks then takes its transaction with it.
impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => of_database(database.as_ref()),
            sqlx::Error::Io(error) => not_done(broken(error)),
            sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => not_done(error.to_string()),
            _ => rejected(error.to_string()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for Failure {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => {
                error.into()
            }
            sqlx::migrate::MigrateError::VersionMissing(_) => {
                rejected("the tables were made by a newer tourney: use that version, or a newer one")
            }
            other => rejected(format!("tourney's tables could not be made: {other}")),
        }
    }
}

/// How a connection ended, or why there is none. The driver's words for a cut one would say nothing to anybody.
fn broken(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe => "the connection broke off".to_owned(),
        _ => format!("no connection: {error}"),
    }
}

/// For a failure of COMMIT itself: with the connection the answer is lost. So it is where the server goes down: it may have
/// committed before it says so.
pub(super) fn of_commit(error: sqlx::Error) -> Failure {
    let is_sqlites = matches!(&error, sqlx::Error::Database(said) if !is_sqlstate(said.as_ref()));
    match Failure::from(error) {
        Failure::Final(LedgerError::NotDone(text)) if !is_sqlites => Failure::Final(LedgerError::Unknown(text)),
        other => other,
    }
}

fn of_database(error: &dyn DatabaseError) -> Failure {
    let code = error.code().unwrap_or_default();
    // PostgreSQL's whole text ends in the line of the server's own source.
    let text = if is_sqlstate(error) { error.message().to_owned() } else { error.to_string() };
    if is_foreign_key(error, &code) {
        return Failure::ForeignKey(text);
    }
    let (busy, not_done_now) = match code.parse::<u32>() {
        // SQLite's extended result codes: the lowest byte is the primary one.
        Ok(code) if code <= 0xffff && !is_sqlstate(error) => {
            (matches!(code & 0xff, 5 | 6), matches!(code & 0xff, 7 | 10 | 13 | 14))
        }
        // PostgreSQL's classes: 40 is a lost race, 55P03 a lock time-out; 08, 53, 57 and 58 are trouble of the server, 25P03
        // is a transaction that it has not heard of for too long.
        _ => (
            code.starts_with("40") || code == "55P03",
            ["08", "53", "57", "58", "25P03"].iter().any(|class| code.starts_with(class)),
        ),
    };
    match (busy, not_done_now) {
        (true, _) => Failure::Busy(text),
        (_, true) => not_done(text),
        _ => rejected(text),
    }
}

fn is_sqlstate(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some()
}

/// `23001` is PostgreSQL's RESTRICT; SQLite reports its own RESTRICT as a failed trigger.
fn is_foreign_key(error: &dyn DatabaseError, code: &str) -> bool {
    error.is_foreign_key_violation()
        || code == "23001"
        || (code == "1811" && error.message().contains("FOREIGN KEY constraint failed"))
}

/// Runs one transaction, again where another one won the race, a bounded number of times.
pub(super) async fn retrying<T, F>(mut transaction: impl FnMut() -> F) -> std::result::Result<T, LedgerError>
where
    F: Future<Output = Result<T>>,
{
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match within(DEADLINE, transaction()).await {
            Err(Failure::Busy(_)) => tokio::time::sleep(pause).await,
            other => return Ok(other?),
        }
        pause *= 2;
    }
    Ok(within(DEADLINE, transaction()).await?)
}

async fn within<T>(deadline: Duration, transaction: impl Future<Output = Result<T>>) -> Result<T> {
    let silent = |_| Err(Failure::Final(LedgerError::Unknown(format!("none came within {} s", deadline.as_secs()))));
    tokio::time::timeout(deadline, transaction).await.unwrap_or_else(silent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_lost() {
        let silent = within(Duration::from_millis(1), std::future::pending::<Result<()>>()).await;
        let lost = "the answer of the orders database was lost: none came within 0 s";
        assert_eq!(LedgerError::from(silent.unwrap_err()).to_string(), lost);
        assert_eq!(within(DEADLINE, async { Ok(1) }).await.unwrap(), 1);
    }
}
