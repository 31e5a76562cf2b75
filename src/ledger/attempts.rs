//! Transactions A and B: the order, its claim and its attempt before Stripe is asked; what came of it afterwards.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::domain::{
    AttemptId, FeeId, Id, Money, Order, OrderId, OrderStatus, Payable, PlayerId, Registration, Seen, SessionId,
    TournamentId, uuid,
};

use super::errors::{Failure, Result, rejected};
use super::links;
use super::lock::{check_fence, time};
use super::open::SqlLedger;
use super::orders::{find, find_id, find_seen, update};
use super::rows::{Stored, id_of};
use super::sql::{Row, Tx, Value, values};
use super::table::{Cell, Field};
use super::{Attempt, AttemptFor, AttemptState, Begun, Guard, Rendered, Written};

/// The attempts, as [`read_attempt`] reads them.
pub(super) const SELECT: &str = "SELECT id, order_id, tournament_id, player_id, fee_id, idempotency_key, request, \
     expires_at, began_at, state, session_id FROM tourney_attempts ";

/// What transaction A is asked.
pub(super) struct Asked<'a> {
    pub(super) guard: &'a Guard,
    pub(super) tournament: &'a TournamentId,
    pub(super) attempt: &'a AttemptId,
    pub(super) subject: &'a AttemptFor,
    pub(super) now: Timestamp,
    pub(super) render: &'a (dyn Fn(&OrderId) -> Rendered + Send + Sync),
}

/// Transaction A.
pub(super) async fn begin(ledger: &SqlLedger, asked: &Asked<'_>) -> Result<Begun> {
    let mut tx = ledger.begin_write().await?;
    check_fence(&mut tx, asked.guard).await?;
    if let Some(attempt) = attempt(&mut tx, asked.attempt).await? {
        tx.commit().await?;
        return Ok(Begun::Begun(attempt));
    }
    let order = match asked.subject {
        AttemptFor::New { registration, amount } => new_order(ledger, &mut tx, asked, registration, *amount).await?,
        AttemptFor::Standing(seen) => standing_order(ledger, &mut tx, asked.tournament, seen).await?,
    };
    let Some((order, registration, held)) = order else {
        tx.rollback().await?;
        return Ok(Begun::Moved);
    };
    let attempt = write_attempt(&mut tx, asked, order, registration, held.as_ref()).await?;
    tx.commit().await?;
    Ok(Begun::Begun(attempt))
}

/// An order to make a payable for: its id, its registration, and the session that it holds now.
type Subject = Option<(OrderId, Registration, Option<SessionId>)>;

/// Makes the order and its claim; none where the registration has a live order already.
async fn new_order(
    ledger: &SqlLedger,
    tx: &mut Tx,
    asked: &Asked<'_>,
    registration: &Registration,
    amount: Money,
) -> Result<Subject> {
    let table = &ledger.table;
    let claimed = claim_of(tx, asked.tournament, registration).await?;
    if let Some(order) = &claimed
        && find_id(ledger, tx, order).await?.is_some_and(|stored| stored.order.status.is_live())
    {
        return Ok(None);
    }
    let others = find(ledger, tx, &table.registration(Some(asked.tournament), registration)).await?;
    if others.iter().any(|stored| stored.order.status.is_live()) {
        return Ok(None);
    }
    let mut cells: Vec<Cell> = table.new_id(asked.attempt).into_iter().collect();
    cells.extend(table.registration(Some(asked.tournament), registration));
    cells.extend([
        table.amount(amount),
        table.currency(amount.currency),
        table.status(OrderStatus::Pending)?,
        (Field::CreatedAt, Value::from(asked.now.as_second())),
        (Field::UpdatedAt, Value::from(asked.now.as_second())),
    ]);
    let (sql, values) = table.insert(&cells)?;
    let inserted = tx.row(sql, values).await.map_err(|failure| no_such_row(failure, registration))?;
    let row = inserted.ok_or_else(|| {
        rejected("the orders table gave no id for a new order: does a trigger or a rule keep it out?")
    })?;
    let order = OrderId(id_of(&row.must_text(0)?, "order")?);
    refuse_other(find_id(ledger, tx, &order).await?, &order, registration, amount)?;
    let claimed = claim(tx, asked.tournament, registration, &order, claimed.as_ref()).await?;
    Ok(claimed.then(|| (order, registration.clone(), None)))
}

/// A trigger or a default may have made another order of it than was asked for.
fn refuse_other(written: Option<Stored>, id: &OrderId, registration: &Registration, amount: Money) -> Result<()> {
    let order = written.map(|stored| stored.order);
    let same = |order: &Order| {
        order.registration == *registration && order.amount == amount && order.status == OrderStatus::Pending
    };
    if order.as_ref().is_some_and(same) {
        return Ok(());
    }
    let what = order.map_or_else(
        || "nothing".to_owned(),
        |order| format!("{} of {} for {}", order.status, order.amount, order.registration),
    );
    Err(rejected(format!(
        "the database made something else of the new order {id} than a pending one of {amount} for {registration}: {what}; does \
         a trigger change it?"
    )))
}

/// An application's table may know no such player or product.
fn no_such_row(failure: Failure, registration: &Registration) -> Failure {
    let Registration { player, fee } = registration;
    match failure {
        Failure::ForeignKey(text) => rejected(format!(
            "an order for player {player} and fee {fee} would refer to a row that the application does not have ({text}): \
             nothing was written; add it there, or mend the manifest"
        )),
        other => other,
    }
}

/// Finds a pending order as it was seen and claims it; none where it has moved or another live order has the claim.
async fn standing_order(ledger: &SqlLedger, tx: &mut Tx, tournament: &TournamentId, seen: &Seen) -> Result<Subject> {
    let found = find_seen(ledger, tx, seen).await?;
    let of_this = |stored: &Stored| stored.tournament.as_ref().is_none_or(|its| its == tournament);
    let Some(Order { id, registration, session, status: OrderStatus::Pending, .. }) =
        found.filter(of_this).map(|stored| stored.order)
    else {
        return Ok(None);
    };
    let sql = "SELECT 1 FROM tourney_attempts WHERE order_id = $1 AND state = 'open'";
    if !tx.rows(sql, values![&id]).await?.is_empty() {
        return Ok(None);
    }
    let claimed = claim_of(tx, tournament, &registration).await?;
    if claimed.as_ref() == Some(&id) {
        return Ok(Some((id, registration, session)));
    }
    if let Some(other) = &claimed
        && find_id(ledger, tx, other).await?.is_some_and(|stored| stored.order.status.is_live())
    {
        return Ok(None);
    }
    let sql = "SELECT 1 FROM tourney_claims WHERE order_id = $1";
    if !tx.rows(sql, values![&id]).await?.is_empty() {
        return Ok(None);
    }
    let claimed = claim(tx, tournament, &registration, &id, claimed.as_ref()).await?;
    Ok(claimed.then_some((id, registration, session)))
}

/// The order that holds a registration's claim.
pub(super) async fn claim_of(
    tx: &mut Tx,
    tournament: &TournamentId,
    registration: &Registration,
) -> Result<Option<OrderId>> {
    let sql = "SELECT order_id FROM tourney_claims WHERE tournament_id = $1 AND player_id = $2 AND fee_id = $3";
    let row = tx.row(sql, values![tournament, &registration.player, &registration.fee]).await?;
    row.map(|row| Ok(OrderId(id_of(&row.must_text(0)?, "order")?))).transpose()
}

/// Gives a claim to an order: a free one, or the one that a dead order held. False where somebody was faster.
async fn claim(
    tx: &mut Tx,
    tournament: &TournamentId,
    registration: &Registration,
    order: &OrderId,
    dead: Option<&OrderId>,
) -> Result<bool> {
    let sql = "INSERT INTO tourney_claims (tournament_id, player_id, fee_id, order_id) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (tournament_id, player_id, fee_id) DO UPDATE SET order_id = excluded.order_id \
               WHERE tourney_claims.order_id = $5";
    let values = values![tournament, &registration.player, &registration.fee, order, dead];
    Ok(tx.execute(sql, values).await? == 1)
}

async fn write_attempt(
    tx: &mut Tx,
    asked: &Asked<'_>,
    order: OrderId,
    registration: Registration,
    held: Option<&SessionId>,
) -> Result<Attempt> {
    let Rendered { body, expires_at } = (asked.render)(&order);
    let attempt = Attempt {
        id: asked.attempt.clone(),
        order,
        tournament: asked.tournament.clone(),
        registration,
        key: format!("tourney-{}", asked.attempt),
        request: body,
        expires_at: expires_at.map(|at| time(at.as_second())).transpose()?,
        began_at: time(asked.now.as_second())?,
        state: AttemptState::Open,
        session: None,
    };
    let sql = "INSERT INTO tourney_attempts (id, order_id, tournament_id, player_id, fee_id, idempotency_key, request, \
               expires_at, began_at, state, held_session_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10)";
    let values = values![
        &attempt.id,
        &attempt.order,
        &attempt.tournament,
        &attempt.registration.player,
        &attempt.registration.fee,
        attempt.key.as_str(),
        attempt.request.as_str(),
        attempt.expires_at.map(Timestamp::as_second),
        attempt.began_at.as_second(),
        held,
    ];
    tx.execute(sql, values).await?;
    Ok(attempt)
}

/// Transaction B. Where the order has moved, the session is still written to the attempt: it was made, and is ours.
pub(super) async fn record_session(
    ledger: &SqlLedger,
    guard: &Guard,
    id: &AttemptId,
    payable: &Payable,
) -> Result<Written> {
    let mut tx = ledger.begin_write().await?;
    check_fence(&mut tx, guard).await?;
    let Some(attempt) = attempt(&mut tx, id).await? else {
        tx.rollback().await?;
        return Ok(Written::Moved);
    };
    if attempt.state != AttemptState::Open {
        tx.rollback().await?;
        let same = attempt.state == AttemptState::Recorded && attempt.session.as_ref() == Some(&payable.id);
        return Ok(if same { Written::Done } else { Written::Moved });
    }
    let held = tx.row("SELECT held_session_id FROM tourney_attempts WHERE id = $1", values![id]).await?;
    let held = held.map(|row| row.text(0)).transpose()?.flatten();
    let set = vec![
        (Field::Session, links::in_column(Some(&payable.id))),
        (Field::Url, Value::from(payable.url.as_deref())),
        (Field::ExpiresAt, Value::from(payable.expires_at.map(Timestamp::as_second))),
    ];
    let mut when = ledger.table.registration(None, &attempt.registration);
    when.extend([
        (Field::Id, Value::from(&attempt.order)),
        ledger.table.status(OrderStatus::Pending)?,
        (Field::Session, Value::Text(held)),
    ]);
    if let Some(charged) = payable.money() {
        when.extend([ledger.table.amount(charged), ledger.table.currency(charged.currency)]);
    }
    let recorded = update(ledger, &mut tx, set, &when).await?;
    let state = if recorded { "recorded" } else { "open" };
    let sql = "UPDATE tourney_attempts SET session_id = $1, state = $2 WHERE id = $3";
    tx.execute(sql, values![&payable.id, state, id]).await?;
    if recorded {
        links::supersede(&mut tx, &attempt.order, id).await?;
    }
    tx.commit().await?;
    Ok(if recorded { Written::Done } else { Written::Moved })
}

/// Closes an attempt of which nothing is left.
pub(super) async fn abandon(ledger: &SqlLedger, guard: &Guard, id: &AttemptId, why: &str) -> Result<Written> {
    let mut tx = ledger.begin_write().await?;
    check_fence(&mut tx, guard).await?;
    let sql = "UPDATE tourney_attempts SET state = 'abandoned', why = $1 WHERE id = $2 AND state = 'open'";
    tx.execute(sql, values![why, id]).await?;
    let state = attempt(&mut tx, id).await?.map(|attempt| attempt.state);
    tx.commit().await?;
    Ok(if state == Some(AttemptState::Abandoned) { Written::Done } else { Written::Moved })
}

/// Every attempt for an order, oldest first.
pub(super) async fn of_order(ledger: &SqlLedger, order: &OrderId) -> Result<Vec<Attempt>> {
    let Some(mut tx) = ledger.begin_read_ours().await? else { return Ok(Vec::new()) };
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE order_id = $1 ORDER BY began_at, {}", tx.by_bytes("id")));
    let attempts = tx.rows(sql, values![order]).await?.iter().map(read_attempt).collect();
    tx.rollback().await?;
    attempts
}

async fn attempt(tx: &mut Tx, id: &AttemptId) -> Result<Option<Attempt>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    tx.row(sql, values![id]).await?.as_ref().map(read_attempt).transpose()
}

/// Reads a row of [`SELECT`].
pub(super) fn read_attempt(row: &Row) -> Result<Attempt> {
    let state = match row.must_text(9)?.as_str() {
        "open" => AttemptState::Open,
        "recorded" => AttemptState::Recorded,
        _ => AttemptState::Abandoned,
    };
    Ok(Attempt {
        id: AttemptId(row.must_text(0)?),
        order: OrderId(id_of(&row.must_text(1)?, "order")?),
        tournament: TournamentId(id_of(&row.must_text(2)?, "tournament")?),
        registration: read_registration(row, 3)?,
        key: row.must_text(5)?,
        request: row.must_text(6)?,
        expires_at: row.int(7)?.map(time).transpose()?,
        began_at: time(row.must_int(8)?)?,
        state,
        session: row.text(10)?.map(SessionId),
    })
}

/// Reads a player and a fee that stand beside each other.
pub(super) fn read_registration(row: &Row, at: usize) -> Result<Registration> {
    Ok(Registration {
        player: PlayerId(id_of(&row.must_text(at)?, "player")?),
        fee: FeeId(id_of(&row.must_text(at + 1)?, "fee")?),
    })
}

/// The id of an attempt's new order: 128 bits of its digest, so that the same attempt always means the same order, and no
/// two attempts the same one.
pub(crate) fn order_id(attempt: &AttemptId) -> OrderId {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    const CHARACTERS: u32 = 26;
    let bits = bits_of(attempt);
    let text = (0..CHARACTERS).rev().map(|at| char::from(ALPHABET[((bits >> (5 * at)) & 31) as usize]));
    OrderId(Id::Slug(format!("ord_{}", text.collect::<String>())))
}

/// The same as a UUID, for a table whose ids are UUIDs.
pub(super) fn order_uuid(attempt: &AttemptId) -> String {
    uuid(bits_of(attempt))
}

fn bits_of(attempt: &AttemptId) -> u128 {
    let digest = Sha256::digest(attempt.as_str());
    digest.iter().take(16).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_always_means_the_same_order() {
        let id = order_id(&AttemptId::from("a1"));
        assert_eq!(id, order_id(&AttemptId::from("a1")));
        assert_ne!(id, order_id(&AttemptId::from("a2")));
        assert_eq!(id.to_string().len(), 30);
        assert_eq!(Id::parse(&id.to_string()), Ok(id.0));
    }
}
