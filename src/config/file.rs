//! `environments.yaml` as it is written: names of files and variables, nothing resolved.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::mapping;
use super::model::{Canary, OrdersMapping, PlayersMapping};
use crate::domain::{FeeId, Mode, PlayerId};
use crate::manifest::ManifestErrors;
use crate::manifest::fields::{Fields, shorten};
use crate::manifest::problem::Problems;
use crate::manifest::read::{read_bytes, text_of};
use crate::manifest::scalars::{choice, email, id, text};
use crate::manifest::source::{Source, is_secret};
use crate::manifest::tree::{self, Node, Value};

/// The file's name.
pub(crate) const NAME: &str = "environments.yaml";

/// What one environment declares.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) mode: Option<Mode>,
    pub(crate) database: Option<Origin>,
    pub(crate) key: Option<Origin>,
    pub(crate) api_base: Option<Written>,
    pub(crate) webhook_url: Option<Written>,
    pub(crate) webhook_secret: Option<Origin>,
    pub(crate) success_url: Option<Written>,
    pub(crate) cancel_url: Option<Written>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) orders: Option<OrdersMapping>,
    pub(crate) players: Option<PlayersMapping>,
    pub(crate) canary: Option<Canary>,
}

/// A value that stands in the file, with its byte: line and column are counted where somebody asks for them.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) text: String,
    at: usize,
    source: Arc<Source>,
}

impl Written {
    /// Where it stands, for people: `checkout.success_url in environments.yaml:3:18`.
    pub(crate) fn origin(&self, key: &str) -> String {
        let (line, column) = self.source.place(self.at);
        format!("{key} in {NAME}:{line}:{column}")
    }
}

/// Where a value stands, with the key that says so.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// In the file itself; never a secret.
    Value(Written),
    /// In a variable.
    Variable { key: &'static str, name: String },
    /// In a file of its own.
    File { path: String },
}

/// Reads the file; a file of comments alone declares no environment.
pub(crate) fn read(path: &Path) -> Result<Vec<Declared>, ManifestErrors> {
    let name = path.display().to_string();
    let recode = |errors: ManifestErrors| errors.with_code("bad-environments");
    let bytes = read_bytes(path, &name, "write one, or leave it out").map_err(recode)?;
    parse(&name, &bytes).map_err(recode)
}

fn parse(name: &str, bytes: &[u8]) -> Result<Vec<Declared>, ManifestErrors> {
    let text = text_of(name, bytes)?;
    let mut problems = Problems::new(Source::new(name, text));
    let declared = tree::parse(text, &mut problems).and_then(|root| {
        refuse_secrets(&root, "", &mut problems);
        environments(&root, &mut problems)
    });
    problems.finish(declared)
}

/// A secret in a file of the repository is an error wherever it stands. It is named, never shown.
fn refuse_secrets(node: &Node, path: &str, problems: &mut Problems) {
    match &node.value {
        Value::Null | Value::Unread => {}
        Value::Scalar(scalar) if is_secret(&scalar.text) => {
            let help = "remove it, revoke it at Stripe if it was ever committed, and name its file or variable instead";
            problems.add(&node.at, path, "a secret stands in this file", help);
        }
        Value::Scalar(_) => {}
        Value::List(list) => list.iter().for_each(|node| refuse_secrets(node, path, problems)),
        Value::Map(entries) => {
            for (key, value) in entries {
                let name = shorten(key.scalar().map_or("", |scalar| &scalar.text));
                let inner = if path.is_empty() { name } else { format!("{path}.{name}") };
                refuse_secrets(key, path, problems);
                refuse_secrets(value, &inner, problems);
            }
        }
    }
}

fn environments(root: &Node, problems: &mut Problems) -> Option<Vec<Declared>> {
    let entries = match &root.value {
        Value::Null => return Some(Vec::new()),
        Value::Map(entries) => entries,
        Value::Unread => return None,
        _ => {
            problems.add(
                &root.at,
                "",
                format!("this is {}, not a mapping", root.what()),
                "write `test:` and its keys below",
            );
            return None;
        }
    };
    let mut seen: HashMap<String, &Node> = HashMap::new();
    let mut declared = Vec::new();
    for (key, value) in entries {
        let Some(name) = name(key, problems) else { continue };
        if let Some(first) = seen.get(&name) {
            let message = "this environment stands twice";
            problems.add_pair(&key.at, (&first.at, "first here"), &name, message, "keep one of the two");
        }
        seen.entry(name.clone()).or_insert(key);
        let environment = environment(value, &name, problems).unwrap_or_default();
        declared.push(Declared { name, ..environment });
    }
    Some(declared)
}

fn name(key: &Node, problems: &mut Problems) -> Option<String> {
    let name = key.scalar().map_or("", |scalar| &scalar.text);
    let first_ok = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let rest_ok = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if name == "sandbox" {
        problems.add(&key.at, "", "`sandbox` is the embedded environment and always exists", "choose another name");
    } else if !first_ok || !rest_ok || name.len() > 40 {
        let help = "write at most 40 letters, digits, - and _, a letter first: for example test";
        problems.add(&key.at, "", "this is no name for an environment", help);
    } else {
        return Some(name.to_owned());
    }
    None
}

fn environment(node: &Node, path: &str, problems: &mut Problems) -> Option<Declared> {
    let known = ["mode", "database", "stripe", "webhook", "checkout", "orders", "players", "verify"];
    let fields = Fields::of(node, path, &known, problems)?;
    let mut declared = Declared::default();
    if let Some(node) = fields.get("mode", problems) {
        declared.mode = choice(node, &fields.path_of("mode"), &[("test", Mode::Test), ("live", Mode::Live)], problems);
    }
    if let Some(fields) = section(&fields, "database", &["url", "url_env"], problems) {
        declared.database = database(&fields, problems);
    }
    if let Some(fields) = section(&fields, "stripe", &["secret_key_file", "secret_key_env", "api_base"], problems) {
        declared.key = secret(&fields, "secret_key_file", "secret_key_env", problems);
        declared.api_base = written(&fields, "api_base", problems);
    }
    if let Some(fields) = section(&fields, "webhook", &["url", "secret_file", "secret_env"], problems) {
        declared.webhook_url = written(&fields, "url", problems);
        declared.webhook_secret = secret(&fields, "secret_file", "secret_env", problems);
    }
    if let Some(fields) = section(&fields, "checkout", &["success_url", "cancel_url", "metadata"], problems) {
        declared.success_url = written(&fields, "success_url", problems);
        declared.cancel_url = written(&fields, "cancel_url", problems);
        if let Some(node) = fields.get("metadata", problems) {
            declared.metadata = mapping::texts(node, &fields.path_of("metadata"), mapping::no_metadata_key, problems);
        }
    }
    if let Some(node) = fields.get("orders", problems) {
        declared.orders = mapping::orders(node, &fields.path_of("orders"), problems);
    }
    if let Some(node) = fields.get("players", problems) {
        declared.players = mapping::players(node, &fields.path_of("players"), problems);
    }
    if let Some(fields) = section(&fields, "verify", &["canary"], problems) {
        declared.canary = section(&fields, "canary", &["player", "fee", "email"], problems)
            .and_then(|fields| canary(&fields, problems));
    }
    Some(declared)
}

fn section<'n>(fields: &Fields<'n>, name: &str, known: &[&'static str], problems: &mut Problems) -> Option<Fields<'n>> {
    let node = fields.get(name, problems)?;
    Fields::of(node, &fields.path_of(name), known, problems)
}

fn written(fields: &Fields<'_>, name: &str, problems: &mut Problems) -> Option<Written> {
    let node = fields.get(name, problems)?;
    let text = text(node, &fields.path_of(name), problems)?;
    Some(Written { text, at: node.at.start, source: Arc::clone(problems.source()) })
}

/// Of two keys that exclude each other, the one that stands there.
fn either<'n>(
    fields: &Fields<'n>,
    (one, other): (&'static str, &'static str),
    problems: &mut Problems,
) -> Option<(&'static str, &'n Node)> {
    if let (Some(first), Some(second)) = (fields.key(one), fields.key(other)) {
        let message = format!("`{one}` and `{other}` cannot stand together");
        problems.add_pair(&second.at, (&first.at, "the other"), &fields.path_of(other), message, "keep one of the two");
        return None;
    }
    let name = if fields.has(one) { one } else { other };
    fields.get(name, problems).map(|node| (name, node))
}

fn database(fields: &Fields<'_>, problems: &mut Problems) -> Option<Origin> {
    let (key, node) = either(fields, ("url", "url_env"), problems)?;
    let path = fields.path_of(key);
    if key == "url_env" {
        return variable(node, "database.url_env", &path, problems);
    }
    let url = text(node, &path, problems)?;
    if url::Url::parse(&url)
        .is_ok_and(|url| url.password().is_some() || url.query().is_some_and(|q| q.contains("password")))
    {
        let help = "put the whole URL into a variable and write `url_env: DATABASE_URL`";
        problems.add(&node.at, &path, "a password stands in this file", help);
        return None;
    }
    Some(Origin::Value(Written { text: url, at: node.at.start, source: Arc::clone(problems.source()) }))
}

fn secret(fields: &Fields<'_>, file: &'static str, env: &'static str, problems: &mut Problems) -> Option<Origin> {
    let (key, node) = either(fields, (file, env), problems)?;
    let path = fields.path_of(key);
    if key == env {
        return variable(node, key, &path, problems);
    }
    text(node, &path, problems).map(|path| Origin::File { path })
}

fn variable(node: &Node, key: &'static str, path: &str, problems: &mut Problems) -> Option<Origin> {
    let name = text(node, path, problems)?;
    let first_ok = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if first_ok && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Some(Origin::Variable { key, name });
    }
    let help = "write the name of the variable, not its value: for example DATABASE_URL";
    problems.add(&node.at, path, "this is no name of a variable", help);
    None
}

fn canary(fields: &Fields<'_>, problems: &mut Problems) -> Option<Canary> {
    let player = fields.need("player", "1", problems).and_then(|node| id(node, &fields.path_of("player"), problems));
    let fee = fields.need("fee", "5", problems).and_then(|node| id(node, &fields.path_of("fee"), problems));
    let address = fields.need("email", "canary@club.example", problems);
    let email = address.and_then(|node| email(node, &fields.path_of("email"), problems));
    Some(Canary { player: PlayerId(player?), fee: FeeId(fee?), email: email? })
}

/// The file that holds for a manifest: looked for from the manifest's folder up to the repository's root, the folder
/// with `.git`. Outside a repository only the manifest's own folder counts, so that no stranger's file above it ever does.
pub(crate) fn find(manifest: &Path) -> Option<PathBuf> {
    let folder = folder_of(manifest);
    let root = repository(&folder).unwrap_or_else(|| folder.clone());
    let within = folder.ancestors().take_while(|folder| folder.starts_with(&root));
    // A link that leads nowhere is found too, and then cannot be read: it must not pass for no file at all.
    within.map(|folder| folder.join(NAME)).find(|path| path.symlink_metadata().is_ok())
}

/// The folder in which a manifest stands, absolute where that can be had.
pub(crate) fn folder_of(manifest: &Path) -> PathBuf {
    let folder = manifest.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    folder.canonicalize().or_else(|_| std::path::absolute(folder)).unwrap_or_else(|_| folder.to_owned())
}

/// The root of the repository around a folder.
pub(crate) fn repository(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
}
