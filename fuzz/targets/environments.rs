//! `environments.yaml`, through the file that it stands in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use tourney::config::{ConfigError, Environment, Vars, resolve};
use tourney::render::Failure;

use super::{Came, Held, ensure, said};

/// Values that stand in variables, and must be said nowhere.
const KEY: &str = "sk_test_51HfuzzedfuzzedfuzzedKey";
const WEBHOOK: &str = "whsec_fuzzedfuzzedfuzzed";
const PASSWORD: &str = "hunter2hunter2";

/// What is taken holds no secret that the file wrote, and goes to no server with a key but as declared; of what is refused
/// every problem has its place. Whatever is said, no secret is.
pub fn environments(bytes: &[u8]) -> Held {
    let folder = Folder::new().map_err(|error| format!("no folder: {error}"))?;
    let manifest = folder.0.join("tournament.yaml");
    std::fs::write(folder.0.join("environments.yaml"), bytes).map_err(|error| format!("no file: {error}"))?;
    let vars = Vars(BTreeMap::from([
        ("GOOD_KEY".to_owned(), KEY.to_owned()),
        ("GOOD_SECRET".to_owned(), WEBHOOK.to_owned()),
        ("GOOD_DATABASE".to_owned(), format!("postgres://club:{PASSWORD}@db1/club")),
    ]));
    let mut came = Came::Refused;
    for asked in ["test", "live"] {
        match resolve(&manifest, Some(asked), &vars, None, false) {
            Ok(environment) => {
                taken(&environment, asked)?;
                came = Came::Taken;
            }
            Err(ConfigError::File(errors)) => said::fit(errors, &String::from_utf8_lossy(bytes))?,
            Err(error) => {
                let failure = Failure::from(error);
                for words in [&failure.message, &failure.to_text(false), &failure.to_json().to_string()] {
                    hides(words)?;
                }
                said::shown(&failure.message)?;
            }
        }
    }
    Ok(came)
}

fn taken(environment: &Environment, asked: &str) -> Result<(), String> {
    ensure(environment.name == asked, || format!("{asked} was asked for, and {} answers", environment.name))?;
    hides(&format!("{environment:?} {}", environment.database))?;
    for (key, value) in &environment.checkout.metadata {
        let fits = (1..=40).contains(&key.len()) && key != "order_id" && !key.starts_with("tourney_");
        ensure(fits, || format!("metadata {key:?} is taken"))?;
        ensure(!value.starts_with("sk_") && !value.starts_with("whsec_"), || format!("a secret is taken at {key}"))?;
    }
    let urls = [Some(&environment.checkout.success_url), environment.checkout.cancel_url.as_ref()];
    for url in urls.into_iter().flatten() {
        ensure(url.starts_with("http://") || url.starts_with("https://"), || format!("{url:?} is taken for a URL"))?;
    }
    Ok(())
}

fn hides(words: &str) -> Result<(), String> {
    for secret in [KEY, WEBHOOK, PASSWORD] {
        ensure(!words.contains(secret), || format!("a secret is shown: {words}"))?;
    }
    Ok(())
}

/// A folder that goes with its value; inside, `.git` keeps the search from going further up.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("tourney-fuzz-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(path.join(".git"))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
