//! What holds of everything that is said about a file.

use tourney::manifest::ManifestErrors;
use tourney::render::Failure;

use super::ensure;

/// The longest that one message or help is, in characters: a hostile word is shown shortened.
const LONGEST: usize = 1_500;

/// Every problem has a place that exists in `text`, says something, and no rendering shows a secret or commands a terminal.
pub(crate) fn fit(errors: ManifestErrors, text: &str) -> Result<(), String> {
    let lines: Vec<usize> = text.split('\n').map(|line| line.chars().count()).collect();
    ensure(!errors.problems().is_empty(), || "refused without a problem".to_owned())?;
    let mut last = (0, 0);
    for problem in errors.problems() {
        let place = (problem.line, problem.column);
        let exists = problem.line >= 1
            && lines.get(problem.line - 1).is_some_and(|length| (1..=length + 1).contains(&problem.column));
        ensure(exists, || format!("{place:?} is no place in the file: {problem}"))?;
        ensure(place >= last, || format!("{place:?} is told after {last:?}: {problem}"))?;
        last = place;
        ensure(!problem.message.is_empty(), || format!("{place:?}: a problem without a message"))?;
        for words in [&problem.path, &problem.message, problem.help.as_ref().unwrap_or(&problem.path)] {
            ensure(words.chars().count() <= LONGEST, || format!("{place:?}: {} bytes are said", words.len()))?;
            shown(words)?;
        }
    }
    let failure = Failure::from(errors);
    shown(&failure.to_text(false))?;
    let data = failure.to_json();
    ensure(data["error"]["code"].is_string(), || format!("no code in {data}"))?;
    let message = data["error"]["message"].as_str().unwrap_or_default();
    shown(message)
}

/// Nothing that commands a terminal, no secret.
pub(crate) fn shown(words: &str) -> Result<(), String> {
    let commands = words.chars().find(|c| c.is_control() && *c != '\n');
    ensure(commands.is_none(), || format!("{commands:?} is shown in {words:?}"))?;
    for secret in ["sk_test_", "sk_live_", "rk_test_", "rk_live_", "whsec_"] {
        ensure(!words.contains(secret), || format!("a secret is shown in {words:?}"))?;
    }
    Ok(())
}
