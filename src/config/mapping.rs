//! The sections `orders` and `players` of an environment: the mappings to an application's own tables.

use std::collections::BTreeMap;

use super::model::{MappedUnit, OPTIONAL_COLUMNS, OrdersMapping, PlayersMapping, REQUIRED_COLUMNS};
use crate::domain::OrderStatus;
use crate::manifest::fields::Fields;
use crate::manifest::problem::Problems;
use crate::manifest::scalars::{choice, date, scalar, text};
use crate::manifest::tree::{Node, Value};

pub(super) fn orders(node: &Node, path: &str, problems: &mut Problems) -> Option<OrdersMapping> {
    let known = ["table", "since", "columns", "amount_unit", "statuses", "insert"];
    let fields = Fields::of(node, path, &known, problems)?;
    let table = table(&fields, "orders", problems);
    let since = fields.get("since", problems).and_then(|n| date(n, &fields.path_of("since"), problems));
    let columns = fields.need("columns", "{id: id, player: player_id, …}", problems);
    let columns = columns.and_then(|n| columns_of(n, &fields.path_of("columns"), problems));
    let units = [("minor", MappedUnit::Minor), ("major", MappedUnit::Major)];
    let unit = fields.get("amount_unit", problems);
    let amount_unit =
        unit.and_then(|n| choice(n, &fields.path_of("amount_unit"), &units, problems)).unwrap_or_default();
    let statuses = fields.need("statuses", "{pending: pending, paid: paid}", problems);
    let statuses = statuses.and_then(|n| statuses_of(n, &fields.path_of("statuses"), problems));
    let insert = fields
        .get("insert", problems)
        .map_or_else(BTreeMap::new, |n| texts(n, &fields.path_of("insert"), no_column, problems));
    let columns = columns?;
    check_scope(&fields, fields.has("since"), &columns, problems);
    Some(OrdersMapping { table: table?, since, columns, amount_unit, statuses: statuses?, insert })
}

/// Without a tournament column the scope is the fees since a day, and then rows must say when they were made.
fn check_scope(fields: &Fields<'_>, since: bool, columns: &BTreeMap<String, String>, problems: &mut Problems) {
    if columns.contains_key("tournament") {
        return;
    }
    if !since {
        let help = "add `since: 2026-01-01`, or map `tournament` among the columns";
        problems.add(&fields.at, &fields.path, "without a tournament column, `since` is missing", help);
    }
    if !columns.contains_key("created_at") {
        let help = "add `created_at:` to the columns";
        problems.add(&fields.at, &fields.path, "`since` needs the column that says when an order was made", help);
    }
}

/// The section `players`: where an application's players stand.
pub(super) fn players(node: &Node, path: &str, problems: &mut Problems) -> Option<PlayersMapping> {
    let fields = Fields::of(node, path, &["table", "columns"], problems)?;
    let table = table(&fields, "players", problems);
    let columns = fields.need("columns", "{id: id, email: email}", problems);
    let columns =
        columns.and_then(|node| Fields::of(node, &fields.path_of("columns"), &["id", "email", "name"], problems))?;
    let mut needed = |name| {
        let node = columns.need(name, "the column's name", problems)?;
        column(node, &columns.path_of(name), problems)
    };
    let (id, email) = (needed("id"), needed("email"));
    let name = columns.get("name", problems).map_or_else(
        || Some(Vec::new()),
        |node| {
            let path = columns.path_of("name");
            let parts = match &node.value {
                Value::List(parts) if parts.is_empty() => {
                    problems.add(&node.at, &path, "this list is empty", "name a column, or leave the key out");
                    return None;
                }
                Value::List(parts) => parts.as_slice(),
                _ => std::slice::from_ref(node),
            };
            parts.iter().map(|part| column(part, &path, problems)).collect()
        },
    );
    Some(PlayersMapping { table: table?, id: id?, email: email?, name: name? })
}

fn table(fields: &Fields<'_>, example: &'static str, problems: &mut Problems) -> Option<Vec<String>> {
    let node = fields.need("table", example, problems)?;
    let path = fields.path_of("table");
    let name = text(node, &path, problems)?;
    let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
    if parts.len() <= 2 && parts.iter().all(|part| identifier(part)) {
        return Some(parts);
    }
    problems.add(&node.at, &path, "this is no name of a table", format!("write {example}, or schema.{example}"));
    None
}

fn column(node: &Node, path: &str, problems: &mut Problems) -> Option<String> {
    let column = text(node, path, problems)?;
    if !identifier(&column) {
        problems.add(&node.at, path, "this is no name of a column", "write letters, digits and _");
    }
    Some(column)
}

fn columns_of(node: &Node, path: &str, problems: &mut Problems) -> Option<BTreeMap<String, String>> {
    let known: Vec<&'static str> = REQUIRED_COLUMNS.into_iter().chain(OPTIONAL_COLUMNS).collect();
    let fields = Fields::of(node, path, &known, problems)?;
    let mut columns = BTreeMap::new();
    for name in known {
        let node = if REQUIRED_COLUMNS.contains(&name) {
            fields.need(name, "the column's name", problems)
        } else {
            fields.get(name, problems)
        };
        let Some(node) = node else { continue };
        let path = fields.path_of(name);
        let Some(column) = column(node, &path, problems) else { continue };
        columns.insert(name.to_owned(), column);
    }
    Some(columns)
}

/// For each status the table's word, or a list of those that mean it.
fn statuses_of(node: &Node, path: &str, problems: &mut Problems) -> Option<BTreeMap<String, Vec<String>>> {
    let fields = Fields::of(node, path, &OrderStatus::ALL.map(OrderStatus::word), problems)?;
    let mut words = BTreeMap::new();
    for status in OrderStatus::ALL {
        let required = matches!(status, OrderStatus::Pending | OrderStatus::Paid);
        let name = status.word();
        let node = if required { fields.need(name, name, problems) } else { fields.get(name, problems) };
        let Some(node) = node else { continue };
        words.insert(name.to_owned(), words_of(node, &fields.path_of(name), problems));
    }
    Some(words)
}

fn words_of(node: &Node, path: &str, problems: &mut Problems) -> Vec<String> {
    match &node.value {
        Value::List(list) if list.is_empty() => {
            problems.add(&node.at, path, "this list is empty", "write the table's word for it");
            Vec::new()
        }
        Value::List(list) => list.iter().filter_map(|word| text(word, path, problems)).collect(),
        _ => text(node, path, problems).into_iter().collect(),
    }
}

/// A mapping of free keys to constants, each as its text; `refusal` says why a key cannot stand there, and what to do.
pub(super) fn texts(
    node: &Node,
    path: &str,
    refusal: impl Fn(&str) -> Option<(&'static str, &'static str)>,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    if node.is_unread() {
        return texts;
    }
    let Value::Map(entries) = &node.value else {
        problems.add(&node.at, path, format!("this is {}, not a mapping", node.what()), "write { name: value }");
        return texts;
    };
    for (key, value) in entries {
        let name = key.scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
        if let Some((message, help)) = refusal(&name) {
            problems.add(&key.at, path, message, help);
            continue;
        }
        let Some(constant) = scalar(value, &format!("{path}.{name}"), "a constant", problems) else { continue };
        if texts.insert(name, constant.text.clone()).is_some() {
            problems.add(&key.at, path, "this key stands twice", "keep one of the two");
        }
    }
    texts
}

/// A name in SQL that needs no escape when it is quoted: at most PostgreSQL's 63 characters.
fn identifier(text: &str) -> bool {
    let first_ok = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    first_ok && text.len() <= 63 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Why a constant cannot be written into a column of this name.
fn no_column(name: &str) -> Option<(&'static str, &'static str)> {
    (!identifier(name)).then_some(("this is no name of a column", "write letters, digits and _, at most 63"))
}

/// Why a key cannot stand among Stripe's metadata: tourney's own are reserved.
pub(super) fn no_metadata_key(name: &str) -> Option<(&'static str, &'static str)> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if name == "order_id" || name.starts_with("tourney_") {
        let message = "this key cannot stand here: order_id and tourney_… are reserved, tourney itself sets them";
        return Some((message, "leave it out"));
    }
    let help = "write at most 40 letters, digits, dots, - and _";
    (!plain || !(1..=40).contains(&name.len())).then_some(("this key cannot stand here", help))
}
