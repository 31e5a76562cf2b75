//! Payment Links as what payers get: the incident with them, and what payers and the dashboard do to links.

mod findings;
mod incident;
mod payments;
mod switch;
mod terms;
mod webhook;

use serde_json::{Value, json};
use tourney::sandbox::core::Control;

use super::club::{Club, Order, text};

/// The manifest's section that asks for links.
pub(crate) const LINKS: &str = "policy: {link: payment_link}";

/// Links at Stripe: what they show, and what people do with them.
impl Club {
    /// Bills every player by Payment Links.
    pub(crate) fn bill_by_links(&self) {
        self.append(LINKS);
        self.bill();
    }

    /// Every link of the account, the newest first, with its lines.
    pub(crate) fn links(&self) -> Vec<Value> {
        let links = self.stripe("payment_links?limit=100&expand[]=data.line_items", None);
        assert_eq!(links["has_more"], false);
        links["data"].as_array().unwrap().clone()
    }

    /// A link as Stripe shows it.
    #[track_caller]
    pub(crate) fn link(&self, id: &str) -> Value {
        self.stripe(&format!("payment_links/{id}"), None)
    }

    /// The link that an order's address leads to; its session's column must be empty.
    #[track_caller]
    pub(crate) fn link_of(&self, order: &Order) -> String {
        assert_eq!(order.session, None, "an application would take a link for a session");
        let url = self.sql(&format!("SELECT checkout_url FROM orders WHERE id = '{}'", order.id))[0][0].clone();
        let url = url.expect("the order has an address");
        // A query may say whose it is.
        let address = url.split('?').next().unwrap();
        let links = self.links();
        let link = links.iter().find(|link| link["url"] == address);
        text(&link.unwrap_or_else(|| panic!("{url} leads nowhere"))["id"]).to_owned()
    }

    /// The live order of a player, and its link.
    #[track_caller]
    pub(crate) fn linked(&self, player: &str) -> (Order, String) {
        let order = self.order(player);
        let link = self.link_of(&order);
        (order, link)
    }

    #[track_caller]
    pub(crate) fn is_active(&self, link: &str) -> bool {
        self.link(link)["active"] == true
    }

    /// A parent opens a link and goes on to pay; gives the session.
    #[track_caller]
    pub(crate) fn visit(&self, link: &str) -> String {
        text(&self.control(json!({"command": "visit", "link": link}))["id"]).to_owned()
    }

    /// Why a link lets nobody in.
    #[track_caller]
    pub(crate) fn turned_away(&self, link: &str) -> String {
        let visit: Control = serde_json::from_value(json!({"command": "visit", "link": link})).unwrap();
        self.try_control(visit).unwrap_err()
    }

    /// Another program, or a person in the dashboard, changes a link.
    #[track_caller]
    pub(crate) fn change_link(&self, link: &str, form: &str) -> Value {
        self.stripe(&format!("payment_links/{link}"), Some(form))
    }

    /// A link that a script makes over a price of its own, with metadata of both kinds; gives its id.
    #[track_caller]
    pub(crate) fn script_makes_link(&self, metadata: &Value) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("line_items[0][quantity]", "1");
        form.append_pair("line_items[0][price_data][currency]", "usd");
        form.append_pair("line_items[0][price_data][unit_amount]", "5500");
        form.append_pair("line_items[0][price_data][product_data][name]", "Anything");
        for (name, value) in metadata.as_object().unwrap() {
            form.append_pair(&format!("metadata[{name}]"), text(value));
            form.append_pair(&format!("payment_intent_data[metadata][{name}]"), text(value));
        }
        text(&self.stripe("payment_links", Some(&form.finish()))["id"]).to_owned()
    }

    /// What was asked of Stripe since the counts were reset that is no mere reading, as `POST /v1/payment_links/{id}`, in
    /// its order.
    pub(crate) fn writes(&self) -> Vec<String> {
        let said = |request: &Value| format!("{} {}", text(&request["method"]), text(&request["path"]));
        self.requests().iter().filter(|request| request["method"] != "GET").map(said).collect()
    }
}
