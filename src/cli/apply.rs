//! `tourney apply`: converges, after asking.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use jiff::SignedDuration;

use crate::apply::{ApplyError, ChangeOutcome, Confirmed, Job, Report, Stop, converge};
use crate::domain::{PayableKind, PlayerId, SessionId, counted};
use crate::ledger::{Attempt, Ledger as _};
use crate::plan::{LARGEST_SAVED_PLAN, Options, Plan, Saved, Step, plan};
use crate::render::{Exit, Failure, Progress, apply as show, mass_retire, outdated, plan as show_plan};
use crate::stripe::Right;

use super::Shell;
use super::ask::ask;
use super::effects::Effects;
use super::next;
use super::plan::{check_players, player_id, refusal};
use super::site::{self, DEFAULT_MANIFEST, Loaded, Site};

/// What `apply` takes.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The manifest, or a plan saved by `plan --out`
    #[arg(default_value = DEFAULT_MANIFEST, value_name = "MANIFEST OR PLAN")]
    target: PathBuf,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// In live mode, instead of typing it: the tournament's id
    #[arg(long, value_name = "TOURNAMENT")]
    confirm: Option<String>,
    /// How many registrations at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    parallelism: u8,
    /// Only these players
    #[arg(long, value_name = "ID", num_args = 1.., value_parser = player_id, allow_negative_numbers = true)]
    player: Option<Vec<PlayerId>>,
    /// Apply even where a great share of the live orders is retired
    #[arg(long)]
    allow_mass_retire: bool,
    /// Of a saved plan, skip what has become unnecessary; anything more is still refused
    #[arg(long)]
    allow_less: bool,
    /// How long to wait for the lock, for example 30s or 2m
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = super::duration)]
    lock_timeout: SignedDuration,
}

/// Runs the command.
///
/// # Errors
/// Every refusal of the contract, before the first write.
pub(super) async fn run<E: Effects>(args: &Args, shell: &Shell, effects: &E) -> Result<Exit, Failure> {
    let saved = read_if_plan(&args.target)?;
    if saved.is_some() && args.player.is_some() {
        return Err(Failure::usage("--player goes with a manifest: a saved plan has its own players"));
    }
    if saved.is_none() && args.allow_less {
        return Err(Failure::usage("--allow-less goes with a saved plan"));
    }
    let manifest = saved.as_ref().map_or_else(|| args.target.clone(), |saved| saved.manifest_path(&args.target));
    let env = site::resolve(shell, &manifest)?;
    if !args.yes && !shell.ui.interactive {
        let unasked = Failure::new("confirmation-needed", "there is no terminal to ask on; nothing was done")
            .hint(format!("look at {}, then run {}", look(args, shell, saved.is_some()), again(args, shell, None)));
        return Err(site::refuse(shell, &env, unasked));
    }
    let loaded = site::load(shell, &env, &manifest)?;
    let site = Site::open_through(effects, shell, env, Some(&loaded.manifest)).await?;
    let exit = run_in(args, shell, &site, &loaded, saved).await;
    site.close().await;
    exit
}

/// The command that shows what `apply` would do; a saved plan has been shown.
fn look(args: &Args, shell: &Shell, is_saved: bool) -> String {
    if is_saved {
        return "what was saved".to_owned();
    }
    shell.command(["plan".to_owned()].into_iter().chain(next::manifest(&args.target)).chain(scope(args)))
}

/// This command once more, without a question.
fn again(args: &Args, shell: &Shell, confirm: Option<&str>) -> String {
    let words = ["apply".to_owned(), "--yes".to_owned()].into_iter().chain(next::manifest(&args.target));
    let less = args.allow_less.then(|| "--allow-less".to_owned());
    let confirm = confirm.into_iter().flat_map(|id| ["--confirm".to_owned(), id.to_owned()]);
    shell.command(words.chain(less).chain(confirm).chain(scope(args)))
}

/// What `plan` and `apply` are both told of what to do. The players last, since they would take the manifest for one.
fn scope(args: &Args) -> impl Iterator<Item = String> {
    let mass = args.allow_mass_retire.then(|| "--allow-mass-retire".to_owned());
    let players = args
        .player
        .iter()
        .flat_map(|ids| std::iter::once("--player".to_owned()).chain(ids.iter().map(ToString::to_string)));
    mass.into_iter().chain(players)
}

/// Reads a saved plan; none where the target is a manifest (or cannot be read: the manifest's reader says why).
fn read_if_plan(target: &Path) -> Result<Option<Saved>, Failure> {
    let small = std::fs::metadata(target).is_ok_and(|file| file.is_file() && file.len() <= LARGEST_SAVED_PLAN);
    let Some(bytes) = small.then(|| std::fs::read(target).ok()).flatten() else { return Ok(None) };
    Saved::parse(&bytes).map_err(|error| {
        Failure::new("bad-plan", format!("{}: {error}; nothing was done", target.display()))
            .hint("make a new one with tourney plan --out FILE")
    })
}

async fn run_in<E: Effects>(
    args: &Args,
    shell: &Shell,
    site: &Site<E>,
    loaded: &Loaded,
    saved: Option<Saved>,
) -> Result<Exit, Failure> {
    let options = options(args, site, saved.as_ref());
    let observed = site.observe(loaded).await?;
    check_players(&loaded.manifest, &observed.facts.orders, args.player.as_deref())?;
    let fresh = plan(&loaded.manifest, &observed, &options);
    if let Some(refused) = refusal(&loaded.manifest, &fresh) {
        return Err(refused);
    }
    let (agreed, confirmed) = match saved {
        Some(saved) => {
            let moved = saved.compare(&fresh, &observed);
            if !moved.is_empty() && !args.allow_less {
                return Err(outdated(&moved));
            }
            let agreed = saved.restrict(fresh, args.allow_less).map_err(|moved| outdated(&moved))?;
            (agreed, Confirmed::Only { saved: Box::new(saved), allow_less: args.allow_less })
        }
        None if args.yes => (fresh, Confirmed::Anything),
        None => {
            let saved = Saved::new(&fresh, &observed, &options, &loaded.path);
            (fresh, Confirmed::Only { saved: Box::new(saved), allow_less: false })
        }
    };
    let work = agreed.changes.iter().filter(|change| !change.steps.is_empty()).count();
    let canaries = site.ledger.open_canaries().await?;
    let left_over = !observed.facts.attempts.is_empty() || !canaries.is_empty();
    // The run writes the new name down: a person has seen it.
    let name = observed.facts.applied_name.as_ref();
    let renamed = name.is_some_and(|name| *name != loaded.manifest.tournament.name);
    if work == 0 && !left_over && !renamed {
        return Ok(nothing_to_do(shell, loaded, &agreed));
    }
    if left_over || agreed.changes.iter().flat_map(|change| &change.steps).any(Step::writes_at_stripe) {
        let steps = agreed.changes.iter().flat_map(|change| &change.steps);
        let mut left = observed.facts.attempts.iter().map(Attempt::kind);
        let links_left = left.any(|kind| kind == PayableKind::PaymentLink)
            || canaries.iter().flat_map(|canary| &canary.sessions).any(is_link);
        site.check_rights_to_write(&rights_to_write(steps, loaded.manifest.policy.link, left_over, links_left)).await?;
    }
    shell.ui.note(&show_plan::terminal(&agreed, &loaded.manifest, shell.ui.color_err));
    confirm(args, shell, site, loaded, work).await?;
    let report = carry_out(args, shell, site, loaded, options, confirmed).await?;
    print(shell, loaded, &report);
    Ok(exit_of(&report))
}

fn is_link(id: &SessionId) -> bool {
    PayableKind::of(id) == PayableKind::PaymentLink
}

/// What a key must be allowed to write for these steps, and for what an earlier run has left over, links among it or not. A
/// link's visits are sessions, and are closed with it.
fn rights_to_write<'a>(
    steps: impl Iterator<Item = &'a Step>,
    policy: PayableKind,
    left_over: bool,
    links_left: bool,
) -> Vec<Right> {
    let (mut makes, mut closes) = (left_over, links_left);
    for step in steps {
        match step {
            Step::Bill { .. } | Step::Renew { .. } => makes = true,
            Step::Expire { session, .. } | Step::Repair { session, .. } => {
                closes |= is_link(session);
            }
            Step::Retire { .. }
            | Step::Rename { .. }
            | Step::RecordPayment { .. }
            | Step::Settle { .. }
            | Step::RecordRefund { .. } => {}
        }
    }
    let links = match (makes && policy == PayableKind::PaymentLink, closes) {
        (true, _) => &Right::TO_MAKE_LINKS[..],
        (false, true) => &[Right::WriteLinks],
        (false, false) => &[],
    };
    std::iter::once(Right::WriteSessions).chain(links.iter().copied()).collect()
}

fn options<E: Effects>(args: &Args, site: &Site<E>, saved: Option<&Saved>) -> Options {
    match saved {
        Some(saved) => {
            let options = saved.options(&site.env.name);
            Options { allow_mass_retire: args.allow_mass_retire || options.allow_mass_retire, ..options }
        }
        None => Options { players: args.player.clone(), allow_mass_retire: args.allow_mass_retire, ..site.options() },
    }
}

async fn carry_out<E: Effects>(
    args: &Args,
    shell: &Shell,
    site: &Site<E>,
    loaded: &Loaded,
    options: Options,
    confirmed: Confirmed,
) -> Result<Report, Failure> {
    let checkout = site.checkout();
    let job = Job {
        manifest: &loaded.manifest,
        scope: loaded.scope(),
        checkout: &checkout,
        account: &site.account,
        mode: site.mode,
        options,
        confirmed,
        parallelism: usize::from(args.parallelism),
        who: shell.process.who(),
        is_gone: |holder| super::process::is_gone(&holder.who),
        lock_timeout: args.lock_timeout,
    };
    let stop = Stop::default();
    let progress = Progress::new(&shell.ui);
    let work = converge(&site.ledger, &site.stripe, &site.clock, &job, &stop, &progress);
    let report = shell.signals.finishing(work, &stop, &shell.ui).await;
    progress.end();
    report?.map_err(|error| match error {
        ApplyError::MassRetire(mass) => mass_retire(mass, loaded.manifest.players.is_empty()),
        error => error.into(),
    })
}

/// Asks a person; in live mode for the tournament's id.
async fn confirm<E: Effects>(
    args: &Args,
    shell: &Shell,
    site: &Site<E>,
    loaded: &Loaded,
    work: usize,
) -> Result<(), Failure> {
    let id = loaded.manifest.tournament.id.to_string();
    let expected = if site.mode.is_live() { id.as_str() } else { "yes" };
    if site.mode.is_live() && args.confirm.is_some() {
        return match &args.confirm {
            Some(given) if *given == id => Ok(()),
            _ => Err(Failure::new("declined", "--confirm does not name this tournament; nothing was done")),
        };
    }
    if args.yes && !site.mode.is_live() {
        return Ok(());
    }
    if !shell.ui.interactive {
        return Err(Failure::new("confirmation-needed", "live mode needs the tournament's id; nothing was done")
            .hint(again(args, shell, Some(&id))));
    }
    let changes = counted(work, "change");
    let question = format!("Carry out {changes} in {} ({} mode)? Type {expected} to go on:", site.env.name, site.mode);
    match ask(&shell.ui, question).await {
        Some(answer) if answer == expected => Ok(()),
        _ => Err(Failure::new("declined", "declined: nothing was done")),
    }
}

fn nothing_to_do(shell: &Shell, loaded: &Loaded, agreed: &Plan) -> Exit {
    if shell.ui.json {
        shell.ui.json_data(&show::nothing_json(agreed));
    } else {
        shell.ui.data(&show_plan::terminal(agreed, &loaded.manifest, shell.ui.color_out));
    }
    if agreed.summary.attention > 0 { Exit::Attention } else { Exit::Done }
}

fn print(shell: &Shell, loaded: &Loaded, report: &Report) {
    if shell.ui.json {
        shell.ui.json_data(&show::json(report));
    } else {
        shell.ui.data(&show::terminal(report, &loaded.manifest, shell.ui.color_out));
    }
}

/// 130 where it was interrupted, 1 where something failed or is unproved, 3 where decisions are open.
fn exit_of(report: &Report) -> Exit {
    let undecided: Vec<&SessionId> = report
        .remaining
        .iter()
        .flat_map(|plan| &plan.changes)
        .filter(|change| change.steps.is_empty())
        .map(|change| &change.subject)
        .chain(report.remaining.iter().flat_map(|plan| &plan.notes).map(|held| &held.subject))
        .filter_map(|subject| subject.session.as_ref().map(|session| &session.id))
        .collect();
    let is_unproved = |session: &SessionId| !undecided.contains(&session);
    let unproved = report.proof.as_ref().is_none_or(|proof| proof.without_order_id.iter().any(is_unproved));
    let left = report.remaining.as_ref().is_none_or(|plan| plan.changes.iter().any(|change| !change.steps.is_empty()));
    if report.interrupted {
        Exit::Interrupted
    } else if unproved || left || report.count(ChangeOutcome::Failed) > 0 {
        Exit::Failed
    } else if report.remaining.as_ref().is_some_and(|plan| plan.summary.attention > 0) {
        Exit::Attention
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_left_needs_its_right_whatever_the_policy_is_now() {
        let rights = |policy, left_over, links_left| rights_to_write([].iter(), policy, left_over, links_left);
        assert_eq!(rights(PayableKind::Session, true, false), [Right::WriteSessions]);
        assert_eq!(rights(PayableKind::Session, true, true), [Right::WriteSessions, Right::WriteLinks]);
        assert_eq!(rights(PayableKind::PaymentLink, true, true).len(), 1 + Right::TO_MAKE_LINKS.len());
    }
}
