//! From what is declared and what the process says to one environment.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use url::{Host, Url};

use super::error::ConfigError;
use super::file::{self, Declared, Origin, Written};
use super::model::{
    Checkout, DEFAULT_SUCCESS_URL, DatabaseUrl, EnvKind, Environment, StripeAccess, Vars, WebhookTarget,
};
use super::secret::{self, Found};
use super::warning::Warning;
use crate::domain::Mode;

/// Stripe's own API: the only place a live key ever goes to.
const STRIPE_API: &str = "https://api.stripe.com";

/// The variables that make an environment by themselves where no file declares one. Each of them alone does: whoever has
/// said where a webhook is must not be left in the sandbox, which would prove its own.
pub const VARIABLES: [&str; 7] = [
    "TOURNEY_ENV",
    "DATABASE_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_API_BASE",
    "TOURNEY_WEBHOOK_URL",
    "TOURNEY_SUCCESS_URL",
];

/// The environment in which a manifest is to be applied.
///
/// `asked` is what `-e` says (`TOURNEY_ENV` counts where it is silent, but never for a live key), `home` what `~` stands
/// for, `terminal` whether a person is there. Without `environments.yaml` (or with one of comments alone) it is `sandbox`,
/// or `test` where a variable is set.
///
/// # Errors
/// [`ConfigError`]; its `exit_code` tells a wrong command line from a failure.
pub fn resolve(
    manifest: &Path,
    asked: Option<&str>,
    vars: &Vars,
    home: Option<&Path>,
    terminal: bool,
) -> Result<Environment, ConfigError> {
    let asked = asked.filter(|name| !name.is_empty());
    let wanted = asked.or_else(|| vars.get("TOURNEY_ENV"));
    if wanted == Some("sandbox") {
        return chosen_sandbox(manifest, vars, home);
    }
    let path = file::find(manifest);
    let mut declared = path.as_deref().map_or_else(|| Ok(Vec::new()), file::read)?;
    let from_vars = declared.is_empty() && VARIABLES.iter().any(|name| vars.get(name).is_some());
    if from_vars {
        declared.push(Declared { name: "test".to_owned(), ..Declared::default() });
    }
    let known = || {
        let names: Vec<&str> = declared.iter().map(|one| one.name.as_str()).chain(["sandbox"]).collect();
        names.join(", ")
    };
    let index = match wanted {
        Some(name) => declared
            .iter()
            .position(|one| one.name == name)
            .ok_or_else(|| ConfigError::Unknown { name: name.to_owned(), known: known() })?,
        None if declared.is_empty() => return Ok(sandbox(manifest)),
        None if from_vars || (terminal && declared.len() == 1) => 0,
        None => {
            let file = path.map_or_else(|| file::NAME.to_owned(), |path| path.display().to_string());
            return Err(ConfigError::Required { file, known: known() });
        }
    };
    let base = path.as_deref().map_or_else(|| file::folder_of(manifest), file::folder_of);
    let resolver = Resolver { vars, home, base, asked: asked.is_some(), warnings: Vec::new() };
    resolver.environment(declared.swap_remove(index))
}

/// The embedded environment, chosen by its name: the variables of a webhook then say whose webhook is to be proved, and
/// all others are for somewhere else.
fn chosen_sandbox(manifest: &Path, vars: &Vars, home: Option<&Path>) -> Result<Environment, ConfigError> {
    let base = file::folder_of(manifest);
    let mut resolver = Resolver { vars, home, base, asked: true, warnings: Vec::new() };
    let webhook = resolver.webhook("sandbox", None, None)?;
    Ok(Environment { webhook, ..sandbox(manifest) })
}

/// The embedded environment: everything under `.tourney/` beside the manifest.
fn sandbox(manifest: &Path) -> Environment {
    let state = manifest.parent().unwrap_or(Path::new("")).join(".tourney");
    Environment {
        name: "sandbox".to_owned(),
        database: DatabaseUrl::Sqlite { path: state.join("orders.db") },
        kind: EnvKind::Sandbox { state },
        stripe: None,
        webhook: None,
        checkout: Checkout {
            success_url: DEFAULT_SUCCESS_URL.to_owned(),
            cancel_url: None,
            metadata: crate::domain::Metadata::new(),
        },
        orders: None,
        players: None,
        verify_canary: None,
        mode_declared: None,
        warnings: Vec::new(),
    }
}

struct Resolver<'r> {
    vars: &'r Vars,
    home: Option<&'r Path>,
    base: PathBuf,
    /// Whether `-e` names the environment.
    asked: bool,
    warnings: Vec<Warning>,
}

impl Resolver<'_> {
    fn environment(mut self, declared: Declared) -> Result<Environment, ConfigError> {
        let name = declared.name;
        let stripe = self.stripe(&name, declared.key, declared.api_base, declared.mode)?;
        let database = self.database(&name, declared.database)?;
        let webhook = self.webhook(&name, declared.webhook_url, declared.webhook_secret)?;
        let success = self.text(&name, "checkout.success_url", declared.success_url, "TOURNEY_SUCCESS_URL")?;
        let success_url = success.map(|found| web_url(&found)).transpose()?;
        if success_url.is_none() {
            self.warnings.push(Warning::NoSuccessUrl);
        }
        let cancel = declared.cancel_url.map(|written| found_in_file("checkout.cancel_url", written));
        let checkout = Checkout {
            success_url: success_url.unwrap_or_else(|| DEFAULT_SUCCESS_URL.to_owned()),
            cancel_url: cancel.map(|found| web_url(&found)).transpose()?,
            metadata: declared.metadata,
        };
        Ok(Environment {
            name,
            kind: EnvKind::Named,
            database,
            stripe,
            webhook,
            checkout,
            orders: declared.orders,
            players: declared.players,
            verify_canary: declared.canary,
            mode_declared: declared.mode,
            warnings: self.warnings,
        })
    }

    fn webhook(
        &mut self,
        environment: &str,
        url: Option<Written>,
        secret: Option<Origin>,
    ) -> Result<Option<WebhookTarget>, ConfigError> {
        let url = self.text(environment, "webhook.url", url, "TOURNEY_WEBHOOK_URL")?;
        let url = url.map(|found| web_url(&found)).transpose()?;
        let secret = self.secret(environment, secret, "STRIPE_WEBHOOK_SECRET")?;
        let secret = secret.map(secret::webhook).transpose()?;
        Ok((url.is_some() || secret.is_some()).then_some(WebhookTarget { url, secret }))
    }

    fn stripe(
        &mut self,
        environment: &str,
        key: Option<Origin>,
        api_base: Option<Written>,
        declared: Option<Mode>,
    ) -> Result<Option<StripeAccess>, ConfigError> {
        let api_base = self.text(environment, "stripe.api_base", api_base, "STRIPE_API_BASE")?;
        let api_base = api_base.map(|found| api_url(&found)).transpose()?;
        let Some(found) = self.secret(environment, key, "STRIPE_SECRET_KEY")? else { return Ok(None) };
        let (key, mode, origin) = secret::api_key(found)?;
        let environment = environment.to_owned();
        match (mode, declared) {
            (Mode::Test, Some(Mode::Live)) => return Err(ConfigError::WrongMode { environment, origin }),
            (Mode::Live, Some(Mode::Live)) if self.asked => {}
            (Mode::Live, _) => return Err(ConfigError::LiveRefused { environment, origin }),
            (Mode::Test, _) => {}
        }
        match api_base {
            Some(api_base) if mode.is_live() && api_base != STRIPE_API => {
                Err(ConfigError::LiveElsewhere { origin, api_base })
            }
            api_base => Ok(Some(StripeAccess { key, api_base, mode })),
        }
    }

    fn database(&mut self, environment: &str, declared: Option<Origin>) -> Result<DatabaseUrl, ConfigError> {
        let in_file = matches!(declared, Some(Origin::Value(_)));
        let found = self.secret(environment, declared, "DATABASE_URL")?;
        let found = found.ok_or_else(|| ConfigError::MissingDatabase { environment: environment.to_owned() })?;
        database_url(found, in_file.then_some(self.base.as_path()))
    }

    /// A value that stands in the file, or a variable where it does not.
    fn text(
        &self,
        environment: &str,
        key: &str,
        declared: Option<Written>,
        variable: &str,
    ) -> Result<Option<Found>, ConfigError> {
        let declared = declared.map(|written| found_in_file(key, written));
        self.combine(environment, declared, variable)
    }

    /// A value whose place the file names, or a variable where it does not.
    fn secret(
        &mut self,
        environment: &str,
        declared: Option<Origin>,
        variable: &str,
    ) -> Result<Option<Found>, ConfigError> {
        let declared = match declared {
            None => None,
            Some(Origin::Value(written)) => Some(found_in_file("database.url", written)),
            Some(Origin::File { path }) => {
                Some(secret::read(&secret::place(&path, &self.base, self.home)?, &mut self.warnings)?)
            }
            Some(Origin::Variable { key, name }) => match self.variable(&name)? {
                Some(text) => Some(Found { text: text.to_owned(), origin: format!("the variable {name}") }),
                None => {
                    let (environment, key) = (environment.to_owned(), key.to_owned());
                    return Err(ConfigError::MissingVariable { environment, key, variable: name });
                }
            },
        };
        self.combine(environment, declared, variable)
    }

    /// A variable's text; one that is no text is an error, since it must not pass for one that is not set.
    fn variable(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        match self.vars.get(name) {
            Some(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
                Err(ConfigError::BadVariable { variable: name.to_owned() })
            }
            text => Ok(text),
        }
    }

    /// Variables fill gaps and never override.
    fn combine(
        &self,
        environment: &str,
        declared: Option<Found>,
        variable: &str,
    ) -> Result<Option<Found>, ConfigError> {
        let Some(text) = self.variable(variable)? else { return Ok(declared) };
        match declared {
            None => Ok(Some(Found { text: text.to_owned(), origin: format!("the variable {variable}") })),
            Some(declared) if declared.text == text => Ok(Some(declared)),
            Some(declared) => Err(ConfigError::Conflict {
                environment: environment.to_owned(),
                first: declared.origin,
                second: format!("the variable {variable}"),
            }),
        }
    }
}

fn found_in_file(key: &str, written: Written) -> Found {
    Found { origin: written.origin(key), text: written.text }
}

fn database_url(found: Found, base: Option<&Path>) -> Result<DatabaseUrl, ConfigError> {
    let fail = |why: &str| ConfigError::BadDatabaseUrl { origin: found.origin.clone(), why: why.to_owned() };
    if let Some(rest) = found.text.strip_prefix("sqlite:") {
        let path = rest.strip_prefix("//").unwrap_or(rest).split('?').next().unwrap_or_default();
        if path.is_empty() || path.contains(":memory:") {
            return Err(fail("a SQLite database here is a file: sqlite:///folder/orders.db"));
        }
        return Ok(DatabaseUrl::Sqlite { path: base.map_or_else(|| PathBuf::from(path), |base| base.join(path)) });
    }
    let url = Url::parse(&found.text).map_err(|_| fail("this is no URL of a database"))?;
    if let Some((database, driver)) = url.scheme().split_once('+') {
        return Err(fail(&format!("+{driver} is for SQLAlchemy alone: leave it out, {database}://…")));
    }
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(fail("this is neither postgres://… (or postgresql://…) nor sqlite://…"));
    }
    if url.path().contains('@') {
        return Err(fail("the password holds a sign that ends it: write / as %2F, ? as %3F, # as %23"));
    }
    if url.path().trim_matches('/').is_empty() {
        return Err(fail("the URL names no database: postgres://user@host/database"));
    }
    Ok(DatabaseUrl::Postgres { url: SecretString::from(found.text) })
}

/// A page's or endpoint's URL: http or https, without a password.
fn web_url(found: &Found) -> Result<String, ConfigError> {
    parse_web(found).map(|_| found.text.clone())
}

fn parse_web(found: &Found) -> Result<Url, ConfigError> {
    let fail = |why: &str| ConfigError::BadUrl { origin: found.origin.clone(), why: why.to_owned() };
    let url = Url::parse(&found.text).map_err(|_| fail("this is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(fail("this URL begins with neither http:// nor https://"));
    }
    if url.password().is_some() || !url.username().is_empty() {
        return Err(fail("a user or password stands in this URL"));
    }
    Ok(url)
}

/// Another server in Stripe's place: https, or http on this machine alone, so that a key never crosses a network in clear.
fn api_url(found: &Found) -> Result<String, ConfigError> {
    let url = parse_web(found)?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !loopback {
        let why = "a key would cross the network in clear: write https://".to_owned();
        return Err(ConfigError::BadUrl { origin: found.origin.clone(), why });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ConfigError::BadUrl { origin: found.origin.clone(), why: "this URL has a query".to_owned() });
    }
    Ok(found.text.trim_end_matches('/').to_owned())
}
