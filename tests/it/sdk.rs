//! Stripe's own SDKs, unmodified, run a whole life of a session and of a payment link against the sandbox over real HTTP.
//!
//! They are installed under `target/sdk/` at the first run. Without Python, Node or a network the test says so; where
//! `CI` is set it fails.

use std::path::{Path, PathBuf};
use std::process::Command;

use tourney::sandbox::open;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command to its end; its output is the error.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(text) } else { Err(format!("{command:?}: {text}")) }
}

/// Installs once into `target/sdk/NAME`, for as long as what is asked for stays the same; several test processes may
/// come at once.
pub(crate) fn installed(
    name: &str,
    wanted: &str,
    install: impl Fn(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let folder = root().join("target/sdk").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let lock = std::fs::File::create(folder.join(".lock")).unwrap();
    lock.lock().unwrap();
    let stamp = folder.join(".installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|known| known == wanted) {
        return Ok(folder);
    }
    install(&folder)?;
    std::fs::write(stamp, wanted).unwrap();
    Ok(folder)
}

fn python() -> Result<Command, String> {
    let requirements = root().join("tests/sdk/python/requirements.txt");
    let folder = installed("python", &std::fs::read_to_string(&requirements).unwrap(), |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")))?;
        let pip = folder.join("venv/bin/pip");
        run(Command::new(pip).args(["install", "--quiet", "-r"]).arg(&requirements)).map(drop)
    })?;
    let mut command = Command::new(folder.join("venv/bin/python"));
    command.arg(root().join("tests/sdk/python/life.py"));
    Ok(command)
}

fn node() -> Result<Command, String> {
    let sources = root().join("tests/sdk/node");
    let package = std::fs::read_to_string(sources.join("package.json")).unwrap();
    let folder = installed("node", &package, |folder| {
        std::fs::write(folder.join("package.json"), &package).unwrap();
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]);
        run(npm.current_dir(folder)).map(drop)
    })?;
    // A module finds its packages beside itself, so the script is run from where they are.
    std::fs::copy(sources.join("life.mjs"), folder.join("life.mjs")).unwrap();
    let mut command = Command::new("node");
    command.arg(folder.join("life.mjs"));
    Ok(command)
}

async fn whole_life(sdk: Result<Command, String>) {
    let mut command = match sdk {
        Ok(command) => command,
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "the SDK cannot be installed: {why}");
            eprintln!("SKIPPED, since the SDK cannot be installed here: {why}");
            return;
        }
    };
    let state = tempfile::tempdir().unwrap();
    let sandbox = open(state.path()).await.unwrap();
    command.args([sandbox.base_url(), sandbox.secret_key()]);
    let told = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
    assert!(
        told.as_ref().is_ok_and(|text| text.contains("a whole life of a session and of a link")),
        "{}",
        told.unwrap_err()
    );
    sandbox.close().await;
}

#[tokio::test]
async fn the_official_python_sdk() {
    whole_life(tokio::task::spawn_blocking(python).await.unwrap()).await;
}

#[tokio::test]
async fn the_official_node_sdk() {
    whole_life(tokio::task::spawn_blocking(node).await.unwrap()).await;
}
