//! What an import took from a roster, and what it did to the manifest. Addresses are masked.

use std::path::Path;

use serde_json::{Value, json};
use similar::TextDiff;

use crate::domain::mask_addresses;
use crate::manifest::Player;
use crate::roster::{Added, Change, Changed, Import, Used};

/// Which column was taken for what, and which for nothing.
#[must_use]
pub fn columns(used: &Used) -> String {
    let taken: Vec<String> = used.shown().map(|(field, title)| format!("{} = {title:?}", field.key())).collect();
    let unused: Vec<String> = used.unused().map(|title| format!("{title:?}")).collect();
    let unused = if unused.is_empty() { String::new() } else { format!("; not used: {}", unused.join(", ")) };
    format!("Columns: {}{unused}", taken.join(", "))
}

/// `import --json`.
#[must_use]
pub fn json(import: &Import, written: bool) -> Value {
    let added = |one: &Added| {
        let fee = one.fees.first().filter(|_| one.fees.len() == 1);
        json!({
            "player": one.id, "name": one.name, "email": one.email.to_string(), "fee": fee, "fees": one.fees,
            "line": one.line,
        })
    };
    let change = |one: &Change| json!({"field": one.field.key(), "from": one.from, "to": one.to});
    let changed = |one: &Changed| {
        let changes: Vec<Value> = one.changes.iter().map(change).collect();
        json!({"player": one.id, "name": one.name, "line": one.line, "changes": changes})
    };
    let player = |one: &Player| json!({"player": one.id, "name": one.name});
    json!({
        "format_version": 1,
        "added": import.added.iter().map(added).collect::<Vec<_>>(),
        "changed": import.changed.iter().map(changed).collect::<Vec<_>>(),
        "removed": import.removed.iter().map(player).collect::<Vec<_>>(),
        "missing": import.missing.iter().map(player).collect::<Vec<_>>(),
        "unchanged": import.unchanged,
        "written": written,
    })
}

/// One line for each player who comes, goes or differs, then the counts.
#[must_use]
pub fn terminal(import: &Import) -> String {
    let mut lines = Vec::new();
    for one in &import.added {
        let fees: Vec<String> = one.fees.iter().map(ToString::to_string).collect();
        let word = if fees.len() == 1 { "fee" } else { "fees" };
        lines.push(format!("  + {} {} · {} · {word} {}", one.id, one.name, one.email, fees.join(", ")));
    }
    for one in &import.changed {
        let changes: Vec<String> = one.changes.iter().map(change).collect();
        lines.push(format!("  ~ {} {}: {}", one.id, one.name, changes.join(", ")));
    }
    lines.extend(import.removed.iter().map(|one| format!("  - {} {}", one.id, one.name)));
    lines.extend(import.missing.iter().map(|one| format!("  ? {} {}: not in the roster, kept", one.id, one.name)));
    let counts = format!(
        "{} added, {} changed, {} removed, {} missing, {} unchanged.",
        import.added.len(),
        import.changed.len(),
        import.removed.len(),
        import.missing.len(),
        import.unchanged
    );
    lines.push(counts);
    lines.join("\n") + "\n"
}

fn change(change: &Change) -> String {
    let from = change.from.as_deref().unwrap_or("nothing");
    format!("{} {from} → {}", change.field.key(), change.to)
}

/// What would change in the file.
#[must_use]
pub fn diff(import: &Import, manifest: &Path) -> String {
    let name = manifest.display().to_string();
    let diff = TextDiff::from_lines(&import.before, &import.after);
    mask_addresses(&diff.unified_diff().context_radius(2).header(&name, &name).to_string())
}
