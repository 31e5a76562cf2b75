//! The endpoints, and the request that reaches one.

use serde_json::Value;

use super::error::ApiError;
use super::{Core, account, catalogue, dispute, endpoint, event, link, payment, refund, session};

/// An authenticated, well-formed request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The endpoint.
    pub route: &'static Route,
    /// The path as it came.
    pub path: String,
    /// The ids that stand in the path.
    pub ids: Vec<String>,
    /// The typed parameters.
    pub params: Value,
    /// Whether the key is one of live mode.
    pub live: bool,
    /// The request's id (`req_…`).
    pub id: String,
    /// The `Idempotency-Key` of a POST.
    pub key: Option<String>,
    /// What the key's parameters are compared by.
    pub fingerprint: String,
    /// The version asked for.
    pub version: String,
    /// The sandbox's time, known once it is executed.
    pub now: i64,
}

impl Request {
    /// The request as it is executed at `now`.
    pub(super) fn at(&self, now: i64) -> Self {
        Self { now, ..self.clone() }
    }

    /// The first id of the path.
    pub(super) fn subject(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }

    /// A text parameter.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.params[name].as_str()
    }

    /// A number parameter.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.params[name].as_i64()
    }
}

/// What an endpoint does.
pub(super) type Handler = fn(&mut Core, &Request) -> Result<Value, ApiError>;

/// One endpoint.
#[derive(Debug)]
pub(super) struct Route {
    pub method: &'static str,
    /// The path, ids in braces.
    pub template: &'static str,
    pub handler: Handler,
}

impl Route {
    /// Its name in the table of parameters and in the counts.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

const fn route(method: &'static str, template: &'static str, handler: Handler) -> Route {
    Route { method, template, handler }
}

/// Every endpoint of the sandbox.
pub(super) static ROUTES: &[Route] = &[
    route("POST", "/v1/checkout/sessions", session::create),
    route("GET", "/v1/checkout/sessions", session::list),
    route("GET", "/v1/checkout/sessions/{session}", session::retrieve),
    route("POST", "/v1/checkout/sessions/{session}", session::update),
    route("POST", "/v1/checkout/sessions/{session}/expire", session::expire),
    route("GET", "/v1/checkout/sessions/{session}/line_items", session::line_items),
    route("POST", "/v1/payment_links", link::create),
    route("GET", "/v1/payment_links", link::list),
    route("GET", "/v1/payment_links/{payment_link}", link::retrieve),
    route("POST", "/v1/payment_links/{payment_link}", link::update),
    route("GET", "/v1/payment_links/{payment_link}/line_items", link::line_items),
    route("GET", "/v1/payment_intents", payment::list),
    route("GET", "/v1/payment_intents/{intent}", payment::retrieve),
    route("GET", "/v1/charges", payment::charges),
    route("GET", "/v1/charges/{charge}", payment::charge),
    route("GET", "/v1/disputes", dispute::list),
    route("GET", "/v1/refunds", refund::list),
    route("POST", "/v1/refunds", refund::create),
    route("GET", "/v1/refunds/{refund}", refund::retrieve),
    route("GET", "/v1/events", event::list),
    route("GET", "/v1/events/{id}", event::retrieve),
    route("GET", "/v1/webhook_endpoints", endpoint::list),
    route("POST", "/v1/webhook_endpoints", endpoint::create),
    route("GET", "/v1/webhook_endpoints/{webhook_endpoint}", endpoint::retrieve),
    route("POST", "/v1/webhook_endpoints/{webhook_endpoint}", endpoint::update),
    route("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", endpoint::delete),
    route("GET", "/v1/account", account::account),
    route("GET", "/v1/balance", account::balance),
    route("GET", "/v1/products", catalogue::list_products),
    route("POST", "/v1/products", catalogue::create_product),
    route("GET", "/v1/products/{id}", catalogue::retrieve_product),
    route("POST", "/v1/products/{id}", catalogue::update_product),
    route("GET", "/v1/prices", catalogue::list_prices),
    route("POST", "/v1/prices", catalogue::create_price),
    route("GET", "/v1/prices/{price}", catalogue::retrieve_price),
    route("POST", "/v1/prices/{price}", catalogue::update_price),
];

/// The endpoint of a method and path, with the ids in the path.
///
/// # Errors
/// 404 in Stripe's words.
pub(super) fn find(method: &str, path: &str) -> Result<(&'static Route, Vec<String>), ApiError> {
    let found = ROUTES.iter().filter(|r| r.method == method).find_map(|r| ids(r.template, path).map(|ids| (r, ids)));
    found.ok_or_else(|| {
        ApiError::invalid(format!(
            "Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at \
             https://support.stripe.com/."
        ))
        .status(404)
    })
}

fn ids(template: &str, path: &str) -> Option<Vec<String>> {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut ids = Vec::new();
    for (want, part) in wanted.into_iter().zip(given) {
        if want.starts_with('{') && !part.is_empty() {
            ids.push(part.to_owned());
        } else if want != part {
            return None;
        }
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn paths_find_their_endpoint() {
        let (route, ids) = find("POST", "/v1/checkout/sessions/cs_1/expire").unwrap();
        assert_eq!((route.template, ids), ("/v1/checkout/sessions/{session}/expire", vec!["cs_1".to_owned()]));
        assert_eq!(find("GET", "/v1/checkout/sessions").unwrap().0.method, "GET");
        for path in ["/v1/customers", "/v1/checkout/sessions/", "/"] {
            let error = find("GET", path).unwrap_err();
            assert!(
                error.message.starts_with(&format!("Unrecognized request URL (GET: {path}).")),
                "{}",
                error.message
            );
        }
    }
}
