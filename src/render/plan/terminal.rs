//! The plan for a terminal: the money, one line for a change, the counts.

use owo_colors::{OwoColorize, Style};

use crate::domain::Registration;
use crate::manifest::Manifest;
use crate::plan::{Action, Change, Note, Plan, Subject};

use super::words::{counts, headline, nothing_to_do, plain, remarks};

/// The plan as text, with names from the manifest; styled only if `color` says so. It ends with a line feed.
#[must_use]
pub fn terminal(plan: &Plan, manifest: &Manifest, color: bool) -> String {
    let mut lines = Vec::new();
    if plan.changes.is_empty() {
        lines.extend(nothing_to_do(plan));
    } else {
        lines.push(paint(&headline(plan), Style::new().bold(), color));
        lines.push(String::new());
        lines.extend(table(plan, manifest, color));
        lines.push(String::new());
    }
    lines.extend(plan.notes.iter().map(|note| paint(&note_line(note, manifest), Style::new().dimmed(), color)));
    if !plan.changes.is_empty() {
        lines.push(counts(plan));
    }
    lines.extend(remarks(plan));
    lines.join("\n") + "\n"
}

fn table(plan: &Plan, manifest: &Manifest, color: bool) -> Vec<String> {
    let rows: Vec<[String; 4]> = plan.changes.iter().map(|change| row(change, manifest)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let lines = rows.iter().zip(&plan.changes).map(|(row, change)| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let [action, rest @ ..] = cells.collect::<Vec<_>>().try_into().unwrap_or([const { String::new() }; 3]);
        let action = paint(&action, style(change.action), color);
        format!("  {action}  {}  {}", rest.join("  "), row[3]).trim_end().to_owned()
    });
    lines.collect()
}

fn row(change: &Change, manifest: &Manifest) -> [String; 4] {
    let amount = change.desired.as_ref().map(|desired| desired.amount.to_string()).unwrap_or_default();
    let findings: Vec<_> = change.findings.iter().map(|finding| finding.code()).collect();
    let detail = change.detail.as_ref().map(|detail| format!(" ({})", plain(detail))).unwrap_or_default();
    let action = format!("{} {}", sign(change.action), change.action.word().replace('_', " "));
    [action, who(&change.subject, manifest), amount, format!("{}{detail}", findings.join(", "))]
}

fn who(subject: &Subject, manifest: &Manifest) -> String {
    match (&subject.registration, &subject.session) {
        (Some(Registration { player, fee }), _) => {
            let name = manifest.player(player).map_or_else(|| format!("player {player}"), |known| plain(&known.name));
            let fee = manifest.fee(fee).map_or_else(|| format!("fee {fee}"), |known| plain(&known.name));
            format!("{name} · {fee}")
        }
        (None, Some(session)) => plain(session.id.as_str()),
        (None, None) => "a payment".to_owned(),
    }
}

fn note_line(note: &Note, manifest: &Manifest) -> String {
    let finding = note.finding.map(|finding| format!("{finding}: ")).unwrap_or_default();
    let subject = &note.subject;
    let about_all = subject.registration.is_none() && subject.order.is_none() && subject.session.is_none();
    let whose = if about_all { "the tournament".to_owned() } else { who(subject, manifest) };
    format!("  · {whose}: {finding}{}", plain(&note.text))
}

const fn sign(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Replace => '±',
        Action::Renew | Action::Repair | Action::Rename => '~',
        Action::Settle | Action::RecordPayment | Action::RecordRefund => '$',
        Action::Retire | Action::Expire => '-',
        Action::Attention => '!',
        Action::Decided => '·',
    }
}

fn style(action: Action) -> Style {
    match action {
        Action::Create | Action::Settle | Action::RecordPayment => Style::new().green(),
        Action::Replace | Action::Renew | Action::Repair | Action::Rename => Style::new().yellow(),
        Action::Retire | Action::Expire | Action::RecordRefund => Style::new().red(),
        Action::Attention => Style::new().magenta().bold(),
        Action::Decided => Style::new().dimmed(),
    }
}

fn paint(text: &str, style: Style, color: bool) -> String {
    if color { text.style(style).to_string() } else { text.to_owned() }
}
