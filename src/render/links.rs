//! The payable links, to be sent: whole addresses, whole links.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::domain::{Money, Order, Payable, agreeing, counted, handed_out};
use crate::manifest::{Manifest, Player};
use crate::plan::{Plan, Standing};

use super::plan::head;
use super::time::{instant, span};

/// A link that lives shorter than this is likely dead when a parent reads the message.
const SOON: SignedDuration = SignedDuration::from_hours(6);

/// What a line of CSV holds.
const COLUMNS: &str = "player,name,email,fee,fee_name,amount,currency,order_id,session_id,url,expires_at,kind";

/// One link with whom it is for.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    player: &'a Player,
    fee: &'a crate::manifest::Fee,
    order: &'a Order,
    payable: &'a Payable,
}

impl Link<'_> {
    /// Where to pay: with the payer's address as the manifest has it now, where Stripe fills it in from there.
    fn url(&self) -> String {
        let Self { player, order, payable, .. } = self;
        let url = payable.url.as_deref().unwrap_or_default();
        handed_out(&payable.id, url, Some(&order.id), Some(&player.email))
    }
}

/// The links that may be sent.
#[derive(Clone, Debug)]
pub struct Links<'a> {
    list: Vec<Link<'a>>,
    /// Registrations that owe something and have none.
    missing: usize,
}

/// The links of registrations that the manifest has, in its order.
#[must_use]
pub fn links<'a>(manifest: &'a Manifest, standings: &[Standing<'a>]) -> Links<'a> {
    let link = |standing: &Standing<'a>| {
        standing.owed?;
        let player = manifest.player(&standing.registration.player)?;
        let fee = manifest.fee(&standing.registration.fee)?;
        Some(Link { player, fee, order: standing.order?, payable: standing.sendable()? })
    };
    let missing = standings.iter().filter(|standing| standing.lacks_link()).count();
    Links { list: standings.iter().filter_map(link).collect(), missing }
}

/// `links --json`: the plan's head, the links, and how many registrations have none.
#[must_use]
pub fn json(planned: &Plan, links: &Links<'_>) -> Value {
    let mut document = Value::Object(head(planned));
    document["links"] = links.list.iter().map(link_json).collect();
    document["missing"] = links.missing.into();
    document
}

fn link_json(link: &Link<'_>) -> Value {
    let Link { player, fee, order, payable } = link;
    json!({
        "player": player.id,
        "name": player.name,
        "email": player.email,
        "fee": fee.id,
        "fee_name": fee.name,
        "amount": order.amount.minor,
        "currency": order.amount.currency,
        "order_id": order.id,
        "session_id": payable.id,
        "url": link.url(),
        "kind": payable.kind,
        "expires_at": payable.expires_at.map(instant),
    })
}

/// A header, then a line for each link.
///
/// # Errors
/// Only where memory cannot be written.
pub fn csv(links: &Links<'_>) -> csv::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS.split(','))?;
    for link in &links.list {
        let Link { player, fee, order, payable } = link;
        let fields = [
            player.id.to_string(),
            player.name.clone(),
            player.email.expose().to_owned(),
            fee.id.to_string(),
            fee.name.clone(),
            major(order.amount),
            order.amount.currency.code().to_owned(),
            order.id.to_string(),
            payable.id.to_string(),
            link.url(),
            payable.expires_at.map(instant).unwrap_or_default(),
            payable.kind.word().to_owned(),
        ];
        writer.write_record(fields.map(inert))?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A field that no spreadsheet takes for a formula (OWASP, CSV Injection). A negative number is no formula, and an id.
fn inert(field: String) -> String {
    if field.starts_with('-') && field.parse::<i64>().is_ok() {
        return field;
    }
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{field}") } else { field }
}

/// In the major unit without a sign: `55.00`, `5500`.
fn major(amount: Money) -> String {
    Decimal::new(amount.minor, amount.currency.exponent()).to_string()
}

/// What a person who is about to send them should know.
#[must_use]
pub fn warnings(links: &Links<'_>, now: Timestamp) -> Vec<String> {
    let left = links.list.iter().filter_map(|link| link.payable.expires_at).map(|end| end.duration_since(now));
    let dying: Vec<SignedDuration> = left.filter(|left| *left < SOON).collect();
    let mut warnings = Vec::new();
    if let Some(first) = dying.iter().min() {
        let verb = agreeing(dying.len(), "dies", "die");
        let (some, first) = (counted(dying.len(), "link"), span(*first));
        warnings.push(format!("warning: {some} {verb} within 6 hours, the first in {first}: send them now"));
    }
    if links.missing > 0 {
        let verb = agreeing(links.missing, "has", "have");
        let some = counted(links.missing, "registration");
        warnings.push(format!("warning: {some} {verb} no link to send: tourney plan shows why"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;

    #[test]
    fn no_field_is_taken_for_a_formula() {
        for text in ["=1+1", "+49", "-1+2", "@cmd", "\tx", "\rx"] {
            assert_eq!(inert(text.to_owned()), format!("'{text}"));
        }
        for text in ["Jordan = Example", "a@example.com", "1017", "-5", ""] {
            assert_eq!(inert(text.to_owned()), text);
        }
    }

    #[test]
    fn amounts_are_in_the_major_unit() {
        let shown = |minor, code| major(Money::new(minor, Currency::parse(code).unwrap()));
        assert_eq!(shown(5500, "usd"), "55.00");
        assert_eq!(shown(5500, "jpy"), "5500");
        assert_eq!(shown(5120, "kwd"), "5.120");
    }
}
