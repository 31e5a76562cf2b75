//! `tourney sandbox`: the embedded Stripe-compatible server on its own.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::render::{Failure, Ui};
use crate::sandbox::{Sandbox, open_at, open_own};

/// Serves the embedded Stripe-compatible sandbox until it is interrupted.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// The manifest whose `.tourney/` folder holds the state
    #[arg(default_value = "tournament.yaml", value_name = "MANIFEST")]
    pub manifest: PathBuf,
    /// The state folder, instead of the one beside the manifest
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1 at the port of last time, to which printed links lead; at first 4242]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Allow an address that other machines reach: the sandbox has no protection of its own
    #[arg(long)]
    pub allow_remote: bool,
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be asked of a sandbox beside serving it.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Put a scene into the sandbox
    Seed(SeedArgs),
}

/// Which scene to put into the sandbox.
#[derive(Debug, clap::Args)]
pub struct SeedArgs {
    /// The scene.
    #[command(subcommand)]
    pub scene: Scene,
}

/// A scene.
#[derive(Debug, clap::Subcommand)]
pub enum Scene {
    /// The incident: a pending order for each registration, whose session carries no `order_id` and has expired
    Incident {
        /// The manifest
        #[arg(default_value = "tournament.yaml", value_name = "MANIFEST")]
        manifest: PathBuf,
    },
}

impl Args {
    /// The folder that holds the state: `--state`, else `.tourney/` beside the manifest.
    #[must_use]
    pub fn state_folder(&self) -> PathBuf {
        self.state.clone().unwrap_or_else(|| beside(&self.manifest))
    }
}

/// The `.tourney/` folder beside a manifest.
fn beside(manifest: &Path) -> PathBuf {
    manifest.parent().unwrap_or(Path::new("")).join(".tourney")
}

/// Where to listen for the first time.
const FIRST_PORT: u16 = 4242;

/// Serves until `interrupted` resolves, then delivers what is due and releases the state.
///
/// # Errors
/// An address that others reach, a manifest without a folder, a sandbox that does not open; nothing was served then.
pub(super) async fn run(args: &Args, ui: &Ui, interrupted: impl Future) -> Result<(), Failure> {
    if let Some(listen) = args.listen.filter(|listen| !listen.ip().is_loopback() && !args.allow_remote) {
        return Err(Failure::usage(format!(
            "{listen} can be reached from other machines, and anybody there could pay, expire and reset; listen on 127.0.0.1, or add --allow-remote"
        )));
    }
    refuse_no_folder(args)?;
    let state = args.state_folder();
    let sandbox = match args.listen {
        Some(listen) => open_at(&state, listen).await?,
        None => open_own(&state, FIRST_PORT).await?,
    };
    ui.data(&announcement(&sandbox, &state));
    let announced = ui.written();
    if announced.is_ok() {
        let _ = interrupted.await;
    }
    sandbox.close().await;
    announced
}

/// A manifest's name that was mistyped must not leave a folder behind.
fn refuse_no_folder(args: &Args) -> Result<(), Failure> {
    let folder = args.manifest.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if args.state.is_none() && !folder.is_dir() => {
            let message =
                format!("there is no folder {}, in which {} could stand", folder.display(), args.manifest.display());
            Err(Failure::new("sandbox-state", message)
                .hint("name a manifest that is there, or a folder with --state DIR"))
        }
        _ => Ok(()),
    }
}

fn announcement(sandbox: &Sandbox, state: &Path) -> String {
    let (url, key) = (sandbox.base_url(), sandbox.secret_key());
    let address = url.trim_start_matches("http://");
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    let state = state.display();
    format!(
        "Stripe-compatible sandbox: {url}
  secret key  {key}
  state       {state}
  tourney     export STRIPE_API_BASE={url} STRIPE_SECRET_KEY={key}
  Python      stripe.StripeClient(\"{key}\", base_addresses={{\"api\": \"{url}\"}})
  Node        new Stripe(\"{key}\", {{ protocol: \"http\", host: \"{host}\", port: {port} }})
  control     curl -X POST {url}/_sandbox/pay/cs_test_…   (docs/SANDBOX.md)
Ctrl-C ends it; the state stays.
"
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser;

    use super::{Args, Command, Scene, SeedArgs, run};
    use crate::render::{ColorChoice, Exit, Ui};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &[&str]) -> Args {
        Line::try_parse_from([&["sandbox"], line].concat()).unwrap().args
    }

    #[test]
    fn the_state_lies_beside_the_manifest_or_where_it_is_told() {
        assert_eq!(parse(&[]).state_folder(), PathBuf::from(".tourney"));
        assert_eq!(parse(&["plans/utah.yaml"]).state_folder(), PathBuf::from("plans/.tourney"));
        assert_eq!(parse(&["--state", "/tmp/x"]).state_folder(), PathBuf::from("/tmp/x"));
    }

    #[test]
    fn seed_incident_names_a_manifest() {
        let args = parse(&["seed", "incident", "plans/utah.yaml"]);
        let Some(Command::Seed(SeedArgs { scene: Scene::Incident { manifest } })) = args.command else {
            panic!("{:?}", args.command)
        };
        assert_eq!(manifest, PathBuf::from("plans/utah.yaml"));
    }

    #[tokio::test]
    async fn an_address_that_others_reach_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let line = ["--listen", "0.0.0.0:0", "--state", state.to_str().unwrap()];
        let ui = Ui::new(false, false, 0, ColorChoice::Never, true);
        let refused = run(&parse(&line), &ui, std::future::ready(())).await.unwrap_err();
        assert_eq!(refused.exit, Exit::Usage, "{refused:?}");
        assert!(!state.exists(), "nothing was made");
        run(&parse(&[&line[..], &["--allow-remote"]].concat()), &ui, std::future::ready(())).await.unwrap();
        assert!(state.join("sandbox.db").exists());
    }
}
