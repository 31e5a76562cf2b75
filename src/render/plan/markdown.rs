//! The plan for a pull request: ids only, no names, addresses or links.

use std::fmt::Write;

use crate::plan::{Change, Plan};

use super::words::{counts, headline, nothing_to_do, plain, remarks};

/// `plan --markdown`. It ends with a line feed.
#[must_use]
pub fn markdown(plan: &Plan) -> String {
    let mut text = format!("### Plan for `{}` in `{}`\n\n", plan.head.tournament, cell(&plan.head.environment));
    if plan.changes.is_empty() {
        if let Some(line) = nothing_to_do(plan) {
            let _ = writeln!(text, "{line}");
        }
    } else {
        let _ = writeln!(text, "**{}**\n", headline(plan));
        text.push_str("| action | player | fee | order | payable | findings | detail |\n");
        text.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
        for change in &plan.changes {
            text.push_str(&row(change));
        }
        let _ = writeln!(text, "\n{}", counts(plan));
    }
    for note in &plan.notes {
        let whose = note.subject.registration.as_ref().map(|whose| format!("{whose}: ")).unwrap_or_default();
        let _ = writeln!(text, "\n- {whose}{}", cell(&note.text));
    }
    for remark in remarks(plan) {
        let _ = writeln!(text, "\n{remark}");
    }
    text
}

fn row(change: &Change) -> String {
    let id = |id: Option<String>| id.map(|id| cell(&id)).unwrap_or_default();
    let whose = change.subject.registration.as_ref();
    let findings: Vec<_> = change.findings.iter().map(|finding| format!("`{finding}`")).collect();
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n",
        change.action.word(),
        id(whose.map(|whose| whose.player.to_string())),
        id(whose.map(|whose| whose.fee.to_string())),
        id(change.subject.order.as_ref().map(|order| order.id.to_string())),
        id(change.subject.session.as_ref().map(|session| session.id.to_string())),
        findings.join(", "),
        id(change.detail.clone()),
    )
}

/// Text that cannot leave its cell.
fn cell(text: &str) -> String {
    plain(text).replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('`', "\\`")
}
