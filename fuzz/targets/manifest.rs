//! `tournament.yaml`.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tourney::domain::{Id, Money, PayableKind};
use tourney::manifest::{Decision, Manifest, PaidElsewhere, Player, Retire, Stale, Then, Withdrawn, parse};

use super::{Came, Held, ensure, said};

/// A manifest that is taken is whole, and says the same when it is written anew; of one that is refused every problem has
/// its place.
pub fn manifest(bytes: &[u8]) -> Held {
    match parse("tournament.yaml", bytes) {
        Ok(manifest) => {
            whole(&manifest, bytes)?;
            again(&manifest)?;
            Ok(Came::Taken)
        }
        Err(errors) => {
            said::fit(errors, &String::from_utf8_lossy(bytes))?;
            Ok(Came::Refused)
        }
    }
}

/// What the rest of the program relies on.
pub(crate) fn whole(manifest: &Manifest, bytes: &[u8]) -> Result<(), String> {
    ensure(manifest.sha256 == hex::encode(Sha256::digest(bytes)), || "another digest".to_owned())?;
    ensure(!manifest.fees.is_empty(), || "no fee".to_owned())?;
    let fees: HashSet<_> = manifest.fees.iter().map(|fee| &fee.id).collect();
    ensure(fees.len() == manifest.fees.len(), || "a fee stands twice".to_owned())?;
    let players: HashSet<_> = manifest.players.iter().map(|player| &player.id).collect();
    ensure(players.len() == manifest.players.len(), || "a player stands twice".to_owned())?;
    for player in &manifest.players {
        let owed: HashSet<_> = player.owes.iter().map(|owed| &owed.fee).collect();
        ensure(!owed.is_empty() && owed.len() == player.owes.len(), || format!("{player:?} owes nothing, or twice"))?;
        ensure(owed.iter().all(|fee| fees.contains(fee)), || format!("{player:?} owes what there is not"))?;
        let former = player.renamed_from.as_ref();
        ensure(former.is_none_or(|id| !players.contains(id)), || format!("{player:?} was somebody who is there"))?;
    }
    let amounts = manifest.players.iter().flat_map(|player| &player.owes).map(|owed| owed.amount);
    for amount in amounts.chain(manifest.fees.iter().map(|fee| fee.amount)) {
        let billable = amount.minor == 0 || (amount.currency.minimum()..=Money::MAX_MINOR).contains(&amount.minor);
        ensure(billable && amount.currency == manifest.tournament.currency, || format!("{amount} cannot be billed"))?;
    }
    let texts = manifest.players.iter().map(|player| &player.name).chain(manifest.fees.iter().map(|fee| &fee.name));
    for text in texts.chain([&manifest.tournament.name]) {
        ensure((1..=200).contains(&text.chars().count()), || format!("a name of {} characters", text.chars().count()))?;
        ensure(!text.contains(char::is_control), || format!("a control character in {text:?}"))?;
    }
    Ok(())
}

/// What is taken can be written down: JSON is YAML, and says the same.
fn again(manifest: &Manifest) -> Result<(), String> {
    let text = written(manifest).to_string();
    let read = parse("written.json", text.as_bytes()).map_err(|errors| {
        let first = errors.problems().first().map(ToString::to_string);
        format!("what was taken is refused when it is written anew: {first:?}\n{text}")
    })?;
    let same = Manifest { sha256: manifest.sha256.clone(), ..read };
    ensure(same == *manifest, || format!("written anew it says something else:\n{same:?}\n{manifest:?}"))
}

fn written(manifest: &Manifest) -> Value {
    let tournament = &manifest.tournament;
    let mut head = json!({
        "id": id(&tournament.id.0), "name": tournament.name, "currency": tournament.currency.code(), "open": tournament.open,
    });
    put(&mut head, "starts", tournament.starts.map(|day| json!(day.to_string())));
    put(&mut head, "pay_by", tournament.pay_by.map(|day| json!(day.to_string())));
    let fee =
        |fee: &tourney::manifest::Fee| json!({"id": id(&fee.id.0), "name": fee.name, "amount": amount(fee.amount)});
    let policy = &manifest.policy;
    json!({
        "version": 1,
        "tournament": head,
        "fees": manifest.fees.iter().map(fee).collect::<Vec<_>>(),
        "players": manifest.players.iter().map(player).collect::<Vec<_>>(),
        "policy": {
            "link": match policy.link { PayableKind::Session => "session", PayableKind::PaymentLink => "payment_link" },
            "stale": match policy.stale { Stale::Renew => "renew", Stale::Replace => "replace" },
            "retire": match policy.retire { Retire::Cancel => "cancel", Retire::Delete => "delete" },
            "withdrawn": match policy.withdrawn { Withdrawn::Retire => "retire", Withdrawn::Keep => "keep" },
            "max_retired": format!("{}%", policy.max_retired_percent),
        },
        "decisions": manifest.decisions.iter().map(decision).collect::<Vec<_>>(),
    })
}

fn player(player: &Player) -> Value {
    let owed = player.owes.iter().map(|owed| json!({"id": id(&owed.fee.0), "amount": amount(owed.amount)}));
    let mut value = json!({
        "id": id(&player.id.0), "name": player.name, "email": player.email.expose(), "fees": owed.collect::<Vec<_>>(),
    });
    let paid = player.paid.as_ref().map(|PaidElsewhere { how, on, note }| {
        let mut paid = json!({"how": how});
        put(&mut paid, "on", on.map(|day| json!(day.to_string())));
        put(&mut paid, "note", note.as_ref().map(|text| json!(text)));
        paid
    });
    put(&mut value, "paid", paid);
    put(&mut value, "renamed_from", player.renamed_from.as_ref().map(|former| id(&former.0)));
    put(&mut value, "team", player.team.as_ref().map(|text| json!(text)));
    put(&mut value, "note", player.note.as_ref().map(|text| json!(text)));
    value
}

fn decision(decision: &Decision) -> Value {
    let mut value = json!({
        "player": id(&decision.player.0), "fee": id(&decision.fee.0), "finding": decision.finding,
        "then": match decision.then { Then::Accept => "accept", Then::Bill => "bill" },
    });
    put(&mut value, "amount", decision.amount.map(|money| json!(amount(money))));
    put(&mut value, "order", decision.order.as_ref().map(|order| id(&order.0)));
    put(&mut value, "session", decision.session.as_ref().map(|session| json!(session.as_str())));
    put(&mut value, "note", decision.note.as_ref().map(|text| json!(text)));
    value
}

fn put(value: &mut Value, key: &str, what: Option<Value>) {
    let fields: Option<&mut Map<String, Value>> = value.as_object_mut();
    if let (Some(fields), Some(what)) = (fields, what) {
        fields.insert(key.to_owned(), what);
    }
}

fn id(id: &Id) -> Value {
    match id {
        Id::Int(n) => json!(n),
        Id::Slug(slug) => json!(slug),
    }
}

/// In the major unit, by whole numbers alone.
fn amount(money: Money) -> String {
    let places = money.currency.exponent() as usize;
    let digits = format!("{:0>width$}", money.minor, width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    if places == 0 { whole.to_owned() } else { format!("{whole}.{part}") }
}
