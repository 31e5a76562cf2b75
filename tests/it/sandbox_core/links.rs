//! Payment links: what they say, what is refused, and what an update does.

use serde_json::{Value, json};

use super::{LINE, LINKS, NOON, Sandbox, call, message, parsed};

fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_new_link_is_active_and_says_what_was_asked_for() {
    let mut sandbox = Sandbox::new();
    let form = "metadata[order_id]=1&payment_intent_data[metadata][order_id]=1&inactive_message=Ask%20the%20club.\
        &restrictions[completed_sessions][limit]=1&after_completion[type]=hosted_confirmation\
        &after_completion[hosted_confirmation][custom_message]=See%20you%20there!&submit_type=pay";
    let id = sandbox.link(form);
    assert!(id.starts_with("plink_1") && id.len() == 30, "{id}");
    let link = sandbox.read_link(&id);
    assert_eq!((&link["active"], &link["currency"]), (&json!(true), &json!("usd")));
    assert_eq!(link["metadata"], json!({"order_id": "1"}));
    assert_eq!(link["payment_intent_data"]["metadata"], json!({"order_id": "1"}));
    assert_eq!(link["restrictions"], json!({"completed_sessions": {"count": 0, "limit": 1}}));
    assert_eq!(link["inactive_message"], "Ask the club.");
    let thanks = json!({"hosted_confirmation": {"custom_message": "See you there!"}, "type": "hosted_confirmation"});
    assert_eq!(link["after_completion"], thanks);
    let url = link["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:4242/b/test_") && url.len() == 52, "{url}");
    assert_eq!(link.get("line_items"), None);
    assert_eq!(link.get("created"), None, "Stripe does not say when a link was made");
    assert_eq!(sandbox.events(), ["payment_link.created"]);
    sandbox.reload();
    assert_eq!(sandbox.read_link(&id), link, "a restart forgets nothing");
}

#[test]
fn what_is_not_said_is_what_stripe_shows() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link("");
    let link = sandbox.read_link(&id);
    for (field, value) in [
        ("after_completion", json!({"hosted_confirmation": {"custom_message": null}, "type": "hosted_confirmation"})),
        ("allow_promotion_codes", json!(false)),
        ("automatic_tax", json!({"enabled": false, "liability": null})),
        ("billing_address_collection", json!("auto")),
        ("consent_collection", json!(null)),
        ("customer_creation", json!("if_required")),
        ("inactive_message", json!(null)),
        ("payment_intent_data", json!(null)),
        ("payment_method_collection", json!("always")),
        ("payment_method_types", json!(null)),
        ("restrictions", json!(null)),
        ("submit_type", json!("auto")),
        ("tax_id_collection", json!({"enabled": false, "required": "never"})),
    ] {
        assert_eq!(link.get(field), Some(&value), "{field}");
    }
}

#[test]
fn create_refuses_as_stripe_does() {
    let mut sandbox = Sandbox::new();
    let long = "m".repeat(501);
    for (form, code, param) in [
        (String::new(), json!("parameter_missing"), "line_items"),
        (LINE.replace("[quantity]=1", "[quantity]=0"), json!("parameter_invalid_integer"), "line_items[0][quantity]"),
        (LINE.replace("line_items[0][quantity]=1&", ""), json!("parameter_missing"), "line_items[0][quantity]"),
        (LINE.replace("=usd", "=zzz"), json!(null), "line_items[0][price_data][currency]"),
        (format!("{LINE}&line_items[0][price]=price_1"), json!(null), "line_items[0]"),
        (
            "line_items[0][price]=price_1&line_items[0][quantity]=1".to_owned(),
            json!("resource_missing"),
            "line_items[0][price]",
        ),
        (format!("{LINE}&expires_at={NOON}"), json!("parameter_unknown"), "expires_at"),
        (format!("{LINE}&customer_email=a%40example.com"), json!("parameter_unknown"), "customer_email"),
        (format!("{LINE}&active=false"), json!("parameter_unknown"), "active"),
        (format!("{LINE}&inactive_message={long}"), json!(null), "inactive_message"),
        (format!("{LINE}&metadata[{}]=1", "k".repeat(41)), json!(null), "metadata"),
        (format!("{LINE}&submit_type=beg"), json!(null), "submit_type"),
        (format!("{LINE}&currency=eur"), json!(null), "currency"),
        (format!("{LINE}&subscription_data[description]=x"), json!(null), "subscription_data"),
        (format!("{LINE}&payment_method_collection=if_required"), json!(null), "payment_method_collection"),
        (format!("{LINE}&after_completion[type]=redirect"), json!("parameter_missing"), "after_completion[redirect]"),
        (
            format!("{LINE}&after_completion[type]=redirect&after_completion[redirect][url]=club.example"),
            json!("url_invalid"),
            "after_completion[redirect][url]",
        ),
        (
            format!(
                "{LINE}&after_completion[type]=hosted_confirmation&after_completion[redirect][url]=https://x.example"
            ),
            json!(null),
            "after_completion[redirect]",
        ),
        (
            format!("{LINE}&restrictions[completed_sessions][limit]=0"),
            json!("parameter_invalid_integer"),
            "restrictions[completed_sessions][limit]",
        ),
    ] {
        let (status, body) = sandbox.post(LINKS, &form);
        let error = &body["error"];
        assert_eq!((status, &error["type"]), (400, &json!("invalid_request_error")), "{form} {body}");
        assert_eq!((error.get("code").unwrap_or(&json!(null)), &error["param"]), (&code, &json!(param)), "{body}");
    }
    assert_eq!(sandbox.get(LINKS, "").1["data"], json!([]));
    assert_eq!(sandbox.get("/v1/products", "").1["data"], json!([]), "a refused link leaves no product");
}

#[test]
fn what_is_not_simulated_is_said_so() {
    let mut sandbox = Sandbox::new();
    for form in [
        "application_fee_amount=5",
        "transfer_data[destination]=acct_1",
        "on_behalf_of=acct_1",
        "shipping_options[0][shipping_rate]=shr_1",
        "optional_items[0][price]=price_1&optional_items[0][quantity]=1",
        "payment_intent_data[capture_method]=manual",
        "line_items[0][adjustable_quantity][enabled]=true",
        "line_items[0][price_data][recurring][interval]=month",
        "managed_payments[enabled]=true",
    ] {
        let (status, body) = sandbox.post(LINKS, &format!("{LINE}&{form}"));
        assert_eq!(status, 400, "{form}");
        assert!(message(&body).starts_with("This sandbox does not simulate"), "{form}: {body}");
    }
}

#[test]
fn amounts_and_lines_have_bounds() {
    let mut sandbox = Sandbox::new();
    let (status, body) = sandbox.post(LINKS, &LINE.replace("=5500", "=49"));
    assert_eq!((status, &body["error"]["code"]), (400, &json!("amount_too_small")));
    assert_eq!(message(&body), "The Checkout Session's total amount due must add up to at least $0.50 usd");
    assert_eq!(sandbox.post(LINKS, &LINE.replace("=5500", "=100000000")).1["error"]["code"], "amount_too_large");
    let line = |n: usize| LINE.replace("line_items[0]", &format!("line_items[{n}]"));
    let lines: Vec<String> = (0..21).map(line).collect();
    assert_eq!(sandbox.post(LINKS, &lines.join("&")).1["error"]["param"], "line_items");
    let (_, link) = sandbox.post(LINKS, &lines[..20].join("&"));
    let path = format!("{LINKS}/{}", link["id"].as_str().unwrap());
    let (_, expanded) = sandbox.get(&path, "expand[]=line_items");
    let listed = &expanded["line_items"];
    assert_eq!((ids(listed).len(), &listed["has_more"]), (10, &json!(true)), "the first few");
    assert_eq!(listed["url"], format!("{path}/line_items"));
    let (_, page) = sandbox.get(&format!("{path}/line_items"), "limit=100");
    assert_eq!((ids(&page).len(), &page["has_more"]), (20, &json!(false)));
    let (_, rest) = sandbox.get(&format!("{path}/line_items"), &format!("starting_after={}", ids(&page)[9]));
    assert_eq!(ids(&rest), ids(&page)[10..]);
    let mixed = format!("{LINE}&{}", line(1).replace("=usd", "=eur"));
    assert!(message(&sandbox.post(LINKS, &mixed).1).contains("must be in the same currency"));
}

#[test]
fn links_are_listed_newest_first_by_activity() {
    let mut sandbox = Sandbox::new();
    let mut made: Vec<String> = (0..5).map(|n| sandbox.link(&format!("metadata[n]={n}"))).collect();
    made.reverse();
    sandbox.update_link(&made[1].clone(), "active=false");
    assert_eq!(ids(&sandbox.get(LINKS, "").1), made, "an update changes no place");
    let (_, page) = sandbox.get(LINKS, "limit=2");
    assert_eq!((ids(&page), &page["has_more"], &page["url"]), (made[..2].to_vec(), &json!(true), &json!(LINKS)));
    let (_, page) = sandbox.get(LINKS, &format!("limit=2&starting_after={}", made[1]));
    assert_eq!(ids(&page), made[2..4]);
    let (_, page) = sandbox.get(LINKS, &format!("ending_before={}", made[2]));
    assert_eq!(ids(&page), made[..2]);
    assert_eq!(ids(&sandbox.get(LINKS, "active=false").1), made[1..2]);
    assert_eq!(ids(&sandbox.get(LINKS, "active=true").1).len(), 4);
    let (_, list) = sandbox.get(LINKS, "limit=1&expand[]=data.line_items");
    assert_eq!(list["data"][0]["line_items"]["data"][0]["amount_total"], 5500);
    assert_eq!(sandbox.get(LINKS, "expand[]=line_items").0, 400);
    assert_eq!(sandbox.get(LINKS, "expand[]=data.restrictions").0, 400);
    let (status, body) = sandbox.get(LINKS, "starting_after=plink_none");
    assert_eq!((status, message(&body)), (400, "No such payment link: 'plink_none'"));
    assert_eq!(sandbox.get(LINKS, "created[gte]=1").1["error"]["code"], "parameter_unknown");
}

#[test]
fn unknown_ids_and_those_of_the_other_mode_are_missing() {
    let mut sandbox = Sandbox::new();
    let (status, body) = sandbox.get(&format!("{LINKS}/plink_none"), "");
    assert_eq!((status, message(&body)), (404, "No such payment link: 'plink_none'"));
    assert_eq!((&body["error"]["code"], &body["error"]["param"]), (&json!("resource_missing"), &json!("payment_link")));
    assert_eq!(sandbox.post(&format!("{LINKS}/plink_none"), "active=false").0, 404);
    assert_eq!(sandbox.get(&format!("{LINKS}/plink_none/line_items"), "").0, 404);
    let mut live = call("POST", LINKS, "", LINE, None);
    live.headers[0].1 = "Bearer sk_live_1".to_owned();
    let (_, link) = parsed(&sandbox.send(live));
    assert!(!link["url"].as_str().unwrap().contains("/test_"), "{link}");
    let (status, body) = sandbox.get(&format!("{LINKS}/{}", link["id"].as_str().unwrap()), "");
    assert_eq!(status, 404);
    assert!(message(&body).contains("a similar object exists in live mode, but a test mode key was used"));
    assert_eq!(ids(&sandbox.get(LINKS, "").1).len(), 0);
    let session = sandbox.visit(link["id"].as_str().unwrap());
    assert!(session.starts_with("cs_live_"), "a live link makes live sessions");
}

#[test]
fn metadata_merges_and_that_of_the_payment_is_replaced() {
    let mut sandbox = Sandbox::new();
    let id = sandbox
        .link("metadata[a]=1&metadata[b]=2&payment_intent_data[metadata][a]=1&payment_intent_data[description]=Fee");
    let link = sandbox.update_link(&id, "metadata[b]=&metadata[c]=3&payment_intent_data[metadata][c]=3");
    assert_eq!(link["metadata"], json!({"a": "1", "c": "3"}));
    assert_eq!(link["payment_intent_data"]["metadata"], json!({"c": "3"}), "declarative");
    assert_eq!(link["payment_intent_data"]["description"], "Fee");
    let link = sandbox.update_link(&id, "payment_intent_data[description]=Other&metadata=");
    assert_eq!((&link["metadata"], &link["payment_intent_data"]["metadata"]), (&json!({}), &json!({"c": "3"})));
    let link = sandbox.update_link(&id, "payment_intent_data[metadata]=");
    assert_eq!(link["payment_intent_data"]["metadata"], json!({}));
    let keys: Vec<String> = (0..40).map(|n| format!("metadata[k{n}]=1")).collect();
    sandbox.update_link(&id, &keys.join("&"));
    let (status, body) = sandbox.post(&format!("{LINKS}/{id}"), &keys.join("&").replace("[k", "[l"));
    assert_eq!((status, message(&body)), (400, "You can only have up to 50 metadata keys."));
}

#[test]
fn an_update_changes_what_it_names_and_tells_what_was() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link("metadata[a]=1&inactive_message=Gone.");
    let before = sandbox.read_link(&id);
    let answer = sandbox.send(call("POST", &format!("{LINKS}/{id}"), "", "active=false&metadata[b]=2", Some("k")));
    let (status, link) = parsed(&answer);
    assert_eq!((status, &link["active"], &link["url"]), (200, &json!(false), &before["url"]));
    let (_, events) = sandbox.get("/v1/events", "type=payment_link.updated");
    let event = &events["data"][0];
    assert_eq!(event["data"]["object"], link);
    assert_eq!(event["data"]["previous_attributes"], json!({"active": true, "metadata": {"b": null}}));
    assert_eq!(event["request"]["idempotency_key"], "k");
    sandbox.update_link(&id, "active=false");
    assert_eq!(sandbox.events().len(), 2, "what changes nothing is no event");
    let link = sandbox.update_link(&id, "active=true&inactive_message=&restrictions[completed_sessions][limit]=3");
    assert_eq!((&link["active"], &link["inactive_message"]), (&json!(true), &json!(null)));
    assert_eq!(link["restrictions"]["completed_sessions"]["limit"], 3);
    assert_eq!(sandbox.update_link(&id, "restrictions=")["restrictions"], json!(null));
    let path = format!("{LINKS}/{id}");
    for (form, param) in [
        ("currency=eur", "currency"),
        ("payment_intent_data[capture_method]=manual", "payment_intent_data[capture_method]"),
        ("line_items[0][id]=li_none&line_items[0][quantity]=2", "line_items[0][id]"),
        ("line_items[0][quantity]=2", "line_items[0][id]"),
        ("line_items[0][price]=price_1", "line_items[0][price]"),
        ("active=", "active"),
        ("url=https%3A%2F%2Fx.example", "url"),
    ] {
        let (status, body) = sandbox.post(&path, form);
        assert_eq!((status, &body["error"]["param"]), (400, &json!(param)), "{form}");
    }
}

#[test]
fn quantities_change_by_the_lines_ids() {
    let mut sandbox = Sandbox::new();
    let second = LINE
        .replace("line_items[0]", "line_items[1]")
        .replace("=5500", "=250.5")
        .replace("unit_amount", "unit_amount_decimal");
    let id = sandbox.link(&second);
    let path = format!("{LINKS}/{id}/line_items");
    let lines = ids(&sandbox.get(&path, "").1);
    sandbox.update_link(&id, &format!("line_items[0][id]={}&line_items[0][quantity]=3", lines[1]));
    let (_, after) = sandbox.get(&path, "");
    assert_eq!(ids(&after), lines);
    let told = |n: usize| (&after["data"][n]["quantity"], &after["data"][n]["amount_total"]);
    assert_eq!((told(0), told(1)), ((&json!(1), &json!(5500)), (&json!(3), &json!(752))));
    let (status, body) =
        sandbox.post(&format!("{LINKS}/{id}"), &format!("line_items[0][id]={}&line_items[0][quantity]=0", lines[0]));
    assert_eq!((status, &body["error"]["code"]), (400, &json!("parameter_invalid_integer")));
    let session = sandbox.visit(&id);
    assert_eq!(sandbox.read(&session)["amount_total"], 6252);
}

#[test]
fn a_key_makes_one_link() {
    let mut sandbox = Sandbox::new();
    let first = sandbox.send(call("POST", LINKS, "", LINE, Some("k")));
    let (_, link) = parsed(&first);
    sandbox.update_link(link["id"].as_str().unwrap(), "active=false");
    sandbox.reload();
    let again = sandbox.send(call("POST", LINKS, "", LINE, Some("k")));
    assert_eq!((again.header("Idempotent-Replayed"), &again.body), (Some("true"), &first.body));
    let other = sandbox.send(call("POST", LINKS, "", &format!("{LINE}&metadata[a]=1"), Some("k")));
    assert_eq!(parsed(&other).1["error"]["type"], "idempotency_error");
    assert_eq!(ids(&sandbox.get(LINKS, "").1).len(), 1);
    sandbox
        .control(json!({"command": "fault", "method": "POST", "path_prefix": LINKS, "when": "after", "what": "cut"}));
    assert!(sandbox.send(call("POST", LINKS, "", LINE, Some("lost"))).cut);
    assert_eq!(ids(&sandbox.get(LINKS, "").1).len(), 2, "only the answer is lost");
}
