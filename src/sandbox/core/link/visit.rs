//! A person's visit: the session that the link makes for it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sandbox::core::control::ControlError;
use crate::sandbox::core::shelf::{Kind, Record};
use crate::sandbox::core::{Core, lines, params, session};

const DAY: i64 = 24 * 3600;
/// Where Stripe's page would lead without a redirect; no payer comes there.
const NOWHERE: &str = "https://stripe.com";

/// What the address of a link brings along
/// (<https://docs.stripe.com/payment-links/customize#customize-checkout-with-url-parameters>). What is not valid is
/// disregarded, and the page works as if it were not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefill {
    /// The payer's address, which the payer can change.
    #[serde(default)]
    pub prefilled_email: Option<String>,
    /// The payer's address, which the payer cannot change; wins over the other.
    #[serde(default)]
    pub locked_prefilled_email: Option<String>,
    /// The session's `client_reference_id`: up to 200 of `[0-9A-Za-z_-]`.
    #[serde(default)]
    pub client_reference_id: Option<String>,
    /// The page's language, one of those of sessions.
    #[serde(default)]
    pub locale: Option<String>,
}

impl Prefill {
    /// What an encoded query says, where `self` does not say it already.
    fn or_query(mut self, query: &str) -> Self {
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let field = match name.as_ref() {
                "prefilled_email" => &mut self.prefilled_email,
                "locked_prefilled_email" => &mut self.locked_prefilled_email,
                "client_reference_id" => &mut self.client_reference_id,
                "locale" => &mut self.locale,
                _ => continue,
            };
            field.get_or_insert_with(|| value.into_owned());
        }
        self
    }

    /// What remains of it: the address and whether it is locked, the reference, the language.
    fn valid(&self) -> (Option<&str>, bool, Option<&str>, &str) {
        let email = |field: &'_ Option<String>| field.as_deref().filter(|email| session::is_email(email)).is_some();
        let locked = email(&self.locked_prefilled_email);
        let address = if locked {
            self.locked_prefilled_email.as_deref()
        } else {
            self.prefilled_email.as_deref().filter(|_| email(&self.prefilled_email))
        };
        let reference = self.client_reference_id.as_deref().filter(|reference| session::is_reference(reference));
        let spoken = |locale: &&str| params::allows("POST /v1/checkout/sessions", "locale", locale);
        let locale = self.locale.as_deref().filter(spoken).unwrap_or("auto");
        (address, locked, reference, locale)
    }
}

/// The link that an id or an address names, and the address's query.
fn at<'a>(core: &Core, address: &'a str) -> Option<(String, &'a str)> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let name = path.rsplit('/').next().unwrap_or_default();
    if core.shelf.get(Kind::Link, name).is_some() {
        return Some((name.to_owned(), query));
    }
    super::by_short(core, name).map(|(id, _)| (id.to_owned(), query))
}

/// Makes the session of a visit; gives its id.
///
/// # Errors
/// Where there is no such link, or it is not active: then there is no session.
pub(in crate::sandbox::core) fn visit(
    core: &mut Core,
    now: i64,
    address: &str,
    prefill: Prefill,
) -> Result<String, ControlError> {
    // The query may hold a payer's address, which no error repeats.
    let unknown = || ControlError::unknown("payment link", address.split('?').next().unwrap_or_default());
    let (link, query) = at(core, address).ok_or_else(unknown)?;
    let record = core.shelf.get(Kind::Link, &link).cloned().ok_or_else(unknown)?;
    if record.object["active"] != true {
        return Err(ControlError::state(format!("the payment link {link} is not active")));
    }
    let prefill = prefill.or_query(query);
    let (email, locked, reference, locale) = prefill.valid();
    let items = lines::of(core, Kind::Link, &record);
    let (items, amount) = lines::copied(core, items);
    let id = core.new_id(if record.live { "cs_live_a1" } else { "cs_test_a1" }, 56);
    let mut object = session::build(&session::New {
        id: &id,
        live: record.live,
        created: now,
        expires_at: now + DAY,
        amount,
        currency: record.text("currency"),
        email: None,
        ui_mode: "hosted_page",
        params: &said(&record, reference, locale),
    });
    object["payment_link"] = json!(link);
    let message = &record.object["after_completion"]["hosted_confirmation"];
    let confirmation = message.is_object().then(|| message["custom_message"].as_str().unwrap_or_default().to_owned());
    let hidden = json!({"line_items": items, "payment_intent_data": record.object["payment_intent_data"],
        "prefilled": email, "email_locked": locked, "confirmation": confirmation});
    core.insert(Kind::Session, record.live, object, hidden);
    Ok(id)
}

/// The parameters of the session, as a create request would say them: what completed sessions of links show.
fn said(link: &Record, reference: Option<&str>, locale: &str) -> Value {
    let given = |name: &str| link.object[name].clone();
    let mut params = json!({
        "cancel_url": NOWHERE,
        "client_reference_id": reference,
        "consent_collection": without_nulls(&given("consent_collection")),
        "locale": locale,
        "metadata": given("metadata"),
        "name_collection": given("name_collection"),
        "success_url": link.object["after_completion"]["redirect"]["url"].as_str().unwrap_or(NOWHERE)
    });
    for name in [
        "allow_promotion_codes",
        "automatic_tax",
        "billing_address_collection",
        "custom_fields",
        "custom_text",
        "customer_creation",
        "invoice_creation",
        "payment_method_types",
        "phone_number_collection",
        "shipping_address_collection",
        "submit_type",
        "tax_id_collection",
    ] {
        params[name] = given(name);
    }
    params
}

fn without_nulls(value: &Value) -> Value {
    let kept = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}
