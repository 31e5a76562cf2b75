//! Configuration, key, secret and Stripe's clock.

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{EnvKind, Environment, StripeAccess, Warning, WebhookTarget};
use crate::domain::Mode;
use crate::stripe::{Account, Right};

use super::Check;
use super::endpoints::is_local;

/// Clocks this far apart are told.
const APART: SignedDuration = SignedDuration::from_secs(60);
/// And so far, a signed webhook is refused as too old (Stripe's own tolerance).
const TOO_FAR: SignedDuration = SignedDuration::from_secs(300);
/// How many signs follow `whsec_` in the secrets of `stripe listen`: 32 bytes in hexadecimal. A registered endpoint's are
/// shorter and hold other letters.
const CLI_SECRET: usize = 64;

/// Whether secret files are kept as secrets.
#[must_use]
pub fn secret_files(env: &Environment) -> Check {
    const NAME: &str = "secret-files";
    let wrong: Vec<&Warning> = env.warnings.iter().filter(|one| one.is_about_secrets()).collect();
    if wrong.is_empty() {
        return Check::ok(NAME, "secret files are kept as they should be");
    }
    let all = |text: fn(&Warning) -> String| wrong.iter().map(|one| text(one)).collect::<Vec<_>>().join("; ");
    Check::warning(NAME, all(ToString::to_string), all(Warning::hint))
}

/// Whether those who have paid are sent anywhere.
#[must_use]
pub fn pages(env: &Environment) -> Check {
    const NAME: &str = "success-url";
    let missing = env.warnings.iter().find(|warning| **warning == Warning::NoSuccessUrl);
    match (&env.kind, missing) {
        (EnvKind::Sandbox { .. }, _) => Check::skipped(NAME, "does not apply to the embedded sandbox"),
        (EnvKind::Named, None) => Check::ok(NAME, format!("whoever has paid is sent to {}", env.checkout.success_url)),
        (EnvKind::Named, Some(missing)) => Check::warning(NAME, missing.to_string(), missing.hint()),
    }
}

/// Whether the account, which answers, can take money.
#[must_use]
pub fn account(account: &Account, mode: Mode) -> Check {
    let id = &account.id;
    if mode.is_live() && account.charges_enabled == Some(false) {
        let hint = "finish the account's activation in Stripe's dashboard";
        return Check::failure("stripe", format!("{id} answers, and may not take payments yet"), hint);
    }
    Check::ok("stripe", format!("{id} answers"))
}

/// Stripe answers, and does not say whose account it is: no command can go on.
#[must_use]
pub fn unnamed_account() -> Check {
    let detail = "Stripe answers, and does not let this key read whose account it is: no command begins";
    Check::failure("stripe", detail, format!("edit the key in Stripe's dashboard and choose: {}", Right::Account.row()))
}

/// Whether the key is of the mode that is meant. What the configuration refuses has been refused before.
#[must_use]
pub fn key(access: &StripeAccess, declared: Option<Mode>) -> Check {
    let kind = if access.is_restricted() { "restricted" } else { "secret" };
    let declared = if declared.is_some() { ", as environments.yaml says" } else { "" };
    Check::ok("key", format!("a {kind} key of {} mode{declared}", access.mode))
}

/// Which of the rights that tourney works with the key lacks. The right to write is asked of a restricted key alone;
/// `links` says whether the manifest bills by Payment Links.
#[must_use]
pub fn permissions(lacking: &[Right], restricted: bool, links: bool) -> Check {
    const NAME: &str = "permissions";
    if lacking.is_empty() {
        let detail = if restricted {
            "the restricted key has every right that tourney works with"
        } else {
            "a secret key may do everything; reading was tried"
        };
        return Check::ok(NAME, detail);
    }
    let told: Vec<&str> = lacking.iter().map(|right| right.without()).collect();
    let mut rows: Vec<&str> = lacking.iter().map(|right| right.row()).collect();
    rows.dedup();
    if rows.contains(&Right::WriteLinks.row()) {
        // To write is to read as well.
        rows.retain(|row| *row != Right::ReadLinks.row());
    }
    let detail = format!("the key may not {}", told.join("\nit may not "));
    let hint = format!("edit the key in Stripe's dashboard (API keys) and choose: {}", rows.join("; "));
    let is_needed = |right: &Right| right.is_needed() && (links || *right != Right::ReadLinks);
    if lacking.iter().any(is_needed) { Check::failure(NAME, detail, hint) } else { Check::warning(NAME, detail, hint) }
}

/// How far Stripe's clock is ahead of ours.
#[must_use]
pub fn clock(ahead: Option<SignedDuration>) -> Check {
    const NAME: &str = "clock";
    let Some(ahead) = ahead else { return Check::skipped(NAME, "Stripe did not tell its time") };
    let seconds = ahead.as_secs().abs();
    let detail = match ahead.as_secs() {
        -1..=1 => "this machine and Stripe have the same time".to_owned(),
        ahead if ahead > 0 => format!("this machine is {seconds} s behind Stripe"),
        _ => format!("this machine is {seconds} s ahead of Stripe"),
    };
    let hint = "set the clock by the network (NTP): signed webhooks are refused as too old from 300 s on";
    match ahead.abs() {
        apart if apart > TOO_FAR => Check::failure(NAME, detail, hint),
        apart if apart > APART => Check::warning(NAME, detail, hint),
        _ => Check::ok(NAME, detail),
    }
}

/// Whether the webhook's secret is there and of the right kind. What is no webhook secret at all, the configuration refuses.
#[must_use]
pub fn webhook_secret(env: &Environment) -> Check {
    const NAME: &str = "webhook-secret";
    let (url, secret) = match &env.webhook {
        None if matches!(env.kind, EnvKind::Sandbox { .. }) => {
            return Check::skipped(NAME, "does not apply to the embedded sandbox");
        }
        None => {
            return Check::warning(
                NAME,
                "no webhook is configured: what is proved is tourney's own receiver",
                "write webhook: {url: …, secret_file: …} in environments.yaml, so that verify proves your endpoint",
            );
        }
        Some(WebhookTarget { url, secret }) => (url.as_deref(), secret.as_ref()),
    };
    let Some(secret) = secret else {
        let hint = "set STRIPE_WEBHOOK_SECRET, or write webhook: {secret_file: …} in environments.yaml";
        return Check::failure(NAME, "the endpoint is known, and its signing secret is missing", hint);
    };
    if is_of_cli(secret) && !url.is_some_and(is_local) {
        let detail = "this looks like the secret of `stripe listen`, which signs for no registered endpoint";
        let hint =
            "take the signing secret of the endpoint itself from Stripe's dashboard (Webhooks, the endpoint, Reveal)";
        return Check::warning(NAME, detail, hint);
    }
    let form = "it has the form of a webhook secret; whether it is the endpoint's own, Stripe's API tells nobody";
    let live = env.stripe.as_ref().is_some_and(|access| access.mode.is_live());
    let proof = if live { "in live mode only deliveries show it (above)" } else { "tourney verify proves it" };
    Check::ok(NAME, format!("{form}: {proof}"))
}

fn is_of_cli(secret: &SecretString) -> bool {
    let rest = secret.expose_secret().strip_prefix("whsec_").unwrap_or_default();
    rest.len() == CLI_SECRET && rest.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn clocks_are_judged_by_how_far_they_are_apart() {
        for (seconds, level) in [
            (0, Level::Ok),
            (60, Level::Ok),
            (-60, Level::Ok),
            (61, Level::Warning),
            (-61, Level::Warning),
            (300, Level::Warning),
            (301, Level::Failure),
            (-301, Level::Failure),
        ] {
            assert_eq!(clock(Some(SignedDuration::from_secs(seconds))).level, level, "{seconds}");
        }
        assert!(clock(Some(SignedDuration::from_secs(90))).detail.contains("90 s behind"));
        assert!(clock(Some(SignedDuration::from_secs(-90))).detail.contains("90 s ahead"));
        assert_eq!(clock(None).level, Level::Skipped);
    }

    #[test]
    fn a_key_is_judged_by_what_it_may_not_do() {
        assert_eq!(permissions(&[], true, false).level, Level::Ok);
        assert_eq!(permissions(&[Right::Events], true, false).level, Level::Warning);
        let check = permissions(&[Right::ReadSessions, Right::WriteSessions, Right::Events], true, false);
        assert_eq!(check.level, Level::Failure);
        assert!(check.hint.unwrap().ends_with("choose: Checkout Sessions: Write; Events: Read"));
    }
}
