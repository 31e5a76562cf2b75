//! The manifest's JSON Schema (draft 2020-12): an editor completes keys with it and shows what they mean. What a schema
//! cannot say (an id that stands twice, a fee that does not exist, Stripe's minimum) is `tourney validate`'s.

use serde_json::{Value, json};

use super::decisions::{BILLABLE, DECIDABLE};

/// The schema.
#[must_use]
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tourney manifest",
        "description": "One tournament, its fees and its committed players.",
        "type": "object",
        "additionalProperties": false,
        "required": ["version", "tournament", "fees", "players"],
        "properties": {
            "version": {"description": "The version of this format: 1.", "const": 1},
            "tournament": tournament(),
            "fees": {"description": "What players owe for.", "type": "array", "minItems": 1, "items": fee()},
            "players": {"description": "The committed players.", "type": "array", "items": player()},
            "policy": policy(),
            "decisions": {"description": "What people decided about findings that need a person.", "type": "array", "items": decision()}
        },
        "$defs": definitions()
    })
}

fn definitions() -> Value {
    json!({
        "id": {
            "description": "An integer, or a slug: letters, digits, '.', '_' and '-'.",
            "oneOf": [
                {"type": "integer"},
                {"type": "string", "pattern": "^(?![0-9]+$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}
            ]
        },
        "text": {"type": "string", "minLength": 1, "maxLength": 200},
        "amount": {
            "description": "A decimal in the currency's major unit; 0 means that nothing is owed.",
            "oneOf": [
                {"type": "number", "minimum": 0, "maximum": 99_999_999},
                {"type": "string", "pattern": "^(0|[1-9][0-9]*)(\\.[0-9]{1,3})?$"}
            ]
        },
        "day": {"description": "A day: YYYY-MM-DD.", "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        "email": {"type": "string", "maxLength": 254, "pattern": "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$"}
    })
}

/// A reference to a definition, with a description of its own.
fn of(definition: &str, description: &str) -> Value {
    json!({"$ref": format!("#/$defs/{definition}"), "description": description})
}

/// One of a few words.
fn one_of(words: &[&str], default: &str, description: &str) -> Value {
    json!({"description": description, "enum": words, "default": default})
}

fn tournament() -> Value {
    json!({
        "description": "The tournament.",
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "name", "currency"],
        "properties": {
            "id": of("id", "The tournament's id; never change it once links are out."),
            "name": of("text", "The tournament's name; payers see it."),
            "currency": {"description": "The ISO 4217 code of all amounts, for example usd.", "type": "string", "pattern": "^[A-Za-z]{3}$"},
            "starts": of("day", "The first day."),
            "pay_by": of("day", "The last day to pay; afterwards open links are closed and none is made."),
            "open": {"description": "false is the stop button: every open link is closed, orders are kept.", "type": "boolean", "default": true}
        }
    })
}

fn fee() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "name", "amount"],
        "properties": {
            "id": of("id", "The fee's id; in an adopted database the product's own."),
            "name": of("text", "The fee's name; payers see it."),
            "amount": of("amount", "What it costs, in the currency's major unit, for example 55.00.")
        }
    })
}

fn player() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "name", "email"],
        "oneOf": [{"required": ["fee"]}, {"required": ["fees"]}],
        "dependentRequired": {"amount": ["fee"]},
        "properties": {
            "id": of("id", "The player's id."),
            "name": of("text", "The player's name."),
            "email": of("email", "Where the link goes; siblings may share one."),
            "fee": of("id", "The one fee that this player owes."),
            "fees": {
                "description": "The fees that this player owes, each an id, or an id with an amount of its own.",
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{"$ref": "#/$defs/id"}, {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["id"],
                    "properties": {
                        "id": of("id", "The fee's id."),
                        "amount": of("amount", "This player's own amount for it; 0 means waived.")
                    }
                }]}
            },
            "amount": of("amount", "This player's own amount, with a single fee; 0 means waived."),
            "paid": {
                "description": "Settled outside Stripe.",
                "type": "object",
                "additionalProperties": false,
                "required": ["how"],
                "properties": {
                    "how": of("text", "How: cash, cheque, …"),
                    "on": of("day", "When."),
                    "note": of("text", "A remark for people.")
                }
            },
            "renamed_from": of("id", "The id that this player had before: the order moves along, money does not."),
            "team": of("text", "The team, for people; never sent to Stripe."),
            "note": of("text", "A remark for people; never sent to Stripe.")
        }
    })
}

fn policy() -> Value {
    json!({
        "description": "What apply does where there is a choice.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "link": one_of(&["session", "payment_link"], "session", "What payers get: a session lives a day, a Payment Link until it is paid or closed. payment_link is refused where the application's webhook would cancel an order when a visit of its link expires."),
            "stale": one_of(&["renew", "replace"], "renew", "An expired session whose metadata was right: renew keeps the order, and is refused where the application's webhook would cancel what is renewed."),
            "retire": one_of(&["cancel", "delete"], "cancel", "A retired order is kept as canceled, or its row goes."),
            "withdrawn": one_of(&["retire", "keep"], "retire", "A pending order whose player left the manifest."),
            "max_retired": {
                "description": "The largest share of live orders that withdrawn players may retire at once.",
                "type": "string",
                "pattern": "^(100|[0-9]{1,2})%$",
                "default": "30%"
            }
        }
    })
}

fn decision() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["player", "fee", "finding"],
        "properties": {
            "player": of("id", "Whose registration; the player may have left the manifest."),
            "fee": of("id", "Which fee."),
            "finding": {"description": "The finding's code.", "enum": DECIDABLE},
            "amount": of("amount", "The decision holds only for this amount."),
            "order": of("id", "The decision holds only for this order."),
            "session": {"description": "The decision holds only for this session or Payment Link.", "type": "string", "pattern": "^(cs|plink)_[A-Za-z0-9_]+$"},
            "then": one_of(&["accept", "bill"], "accept", "accept: it is in order as it is; bill: the registration is billed again."),
            "note": of("text", "Why, for people.")
        },
        "if": {"required": ["then"], "properties": {"then": {"const": "bill"}}},
        "then": {"properties": {"finding": {"enum": BILLABLE}}}
    })
}
