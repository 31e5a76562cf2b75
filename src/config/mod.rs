//! Environments, secrets, and where each value came from.
#![allow(missing_docs, clippy::missing_errors_doc)]
use crate::domain::*;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
pub struct Vars(pub BTreeMap<String, String>);
impl From<BTreeMap<String, String>> for Vars {
    fn from(v: BTreeMap<String, String>) -> Self {
        Self(v)
    }
}
pub struct DatabaseUrl(pub String);
impl DatabaseUrl {
    pub fn url(&self) -> String {
        self.0.clone()
    }
}
impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
pub struct StripeAccount {
    pub key: SecretString,
    pub api_base: Option<String>,
    pub mode: Mode,
}
pub struct WebhookTarget {
    pub url: Option<String>,
    pub secret: Option<SecretString>,
}
pub struct Checkout {
    pub success_url: String,
    pub cancel_url: Option<String>,
    pub metadata: Metadata,
}
pub enum EnvKind {
    Sandbox { state: PathBuf },
    Named,
}
pub struct Environment {
    pub name: String,
    pub kind: EnvKind,
    pub database: DatabaseUrl,
    pub stripe: Option<StripeAccount>,
    pub webhook: Option<WebhookTarget>,
    pub checkout: Checkout,
    pub warnings: Vec<String>,
}
impl Environment {
    pub fn canary(&self) -> Option<(Registration, Email)> {
        None
    }
}
pub fn resolve(
    manifest: &Path,
    _wanted: Option<&str>,
    vars: &Vars,
    _home: Option<&Path>,
    _terminal: bool,
) -> Result<Environment, crate::render::Failure> {
    let state = manifest.parent().unwrap_or(Path::new("")).join(".tourney");
    let _ = vars;
    Ok(Environment {
        name: "sandbox".into(),
        database: DatabaseUrl(format!("sqlite://{}/orders.db", state.display())),
        kind: EnvKind::Sandbox { state },
        stripe: None,
        webhook: None,
        checkout: Checkout {
            success_url: "https://tourney.example/thanks".into(),
            cancel_url: None,
            metadata: Metadata::new(),
        },
        warnings: vec![],
    })
}
