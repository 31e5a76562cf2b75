//! Every kind of answer validates against both cuts of Stripe's API.

use serde_json::{Value, json};

use super::schema::Cut;
use super::{CREATE, FORM, LINE, LINKS, Sandbox, message};

/// One story that meets every endpoint, every state and every kind of error.
fn story() -> Sandbox {
    let mut sandbox = Sandbox::new();
    let hook = "url=https%3A%2F%2Fclub.example%2Fhook&enabled_events[]=*&description=all";
    let (_, endpoint) = sandbox.post("/v1/webhook_endpoints", hook);
    let endpoint = format!("/v1/webhook_endpoints/{}", endpoint["id"].as_str().unwrap());
    sandbox.post(&endpoint, "disabled=true&metadata[a]=b");
    sandbox.get(&endpoint, "");
    sandbox.get("/v1/webhook_endpoints", "");

    let plain = sandbox.session("");
    let full = sandbox.session(
        "customer_email=parent17%40example.com&client_reference_id=o1&metadata[order_id]=1&cancel_url=http%3A%2F%2Fx.example\
         &payment_intent_data[metadata][order_id]=1&payment_intent_data[description]=Fee&adaptive_pricing[enabled]=false\
         &allow_promotion_codes=false&automatic_tax[enabled]=false&payment_method_types[0]=card&locale=en\
         &invoice_creation[enabled]=true&custom_text[submit][message]=Thanks&submit_type=pay&customer_creation=always\
         &phone_number_collection[enabled]=true&after_expiration[recovery][enabled]=true&ui_mode=hosted_page\
         &consent_collection[promotions]=auto&billing_address_collection=auto&tax_id_collection[enabled]=true\
         &custom_fields[0][key]=team&custom_fields[0][label][custom]=Team&custom_fields[0][label][type]=custom\
         &custom_fields[0][type]=text&custom_fields[1][key]=size&custom_fields[1][label][custom]=Size\
         &custom_fields[1][label][type]=custom&custom_fields[1][type]=dropdown\
         &custom_fields[1][dropdown][options][0][label]=S&custom_fields[1][dropdown][options][0][value]=s",
    );
    let (paid, declined, late, lost) =
        (sandbox.session(""), sandbox.session(""), sandbox.session(""), sandbox.session(""));
    sandbox.pay(&full, "success");
    sandbox.pay(&paid, "success");
    sandbox.pay(&declined, "decline");
    sandbox.pay(&late, "delayed_success");
    sandbox.pay(&lost, "delayed_failure");
    for id in [&plain, &full, &declined, &late] {
        sandbox.read(id);
        sandbox.get(&format!("{CREATE}/{id}/line_items"), "");
        sandbox.get(&format!("{CREATE}/{id}"), "expand[]=line_items&expand[]=payment_intent.latest_charge");
    }
    sandbox.post(&format!("{CREATE}/{plain}"), "metadata[order_id]=2");
    sandbox.get("/v1/payment_intents", "limit=100");
    sandbox.control(json!({"command": "advance", "seconds": 4 * 24 * 3600}));
    sandbox.post(&format!("{CREATE}/{plain}/expire"), "");
    let open = sandbox.session("");
    sandbox.post(&format!("{CREATE}/{open}/expire"), "");
    sandbox.get("/v1/payment_intents", "limit=100&expand[]=data.latest_charge");
    let intent = sandbox.read(&full)["payment_intent"].as_str().unwrap().to_owned();
    let (_, shown) = sandbox.get(&format!("/v1/payment_intents/{intent}"), "");
    sandbox.get(&format!("/v1/charges/{}", shown["latest_charge"].as_str().unwrap()), "");
    let (_, refund) = sandbox.post("/v1/refunds", &format!("payment_intent={intent}&amount=500&metadata[why]=rain"));
    sandbox.get(&format!("/v1/refunds/{}", refund["id"].as_str().unwrap()), "");
    sandbox.control(json!({"command": "refund", "session": full}));
    sandbox.get("/v1/refunds", "expand[]=data.charge");
    let intent = sandbox.read(&paid)["payment_intent"].clone();
    sandbox.control(json!({"command": "dispute", "payment_intent": intent}));
    sandbox.get("/v1/disputes", "limit=100");
    sandbox.get("/v1/charges", "limit=100&expand[]=data.payment_intent");
    sandbox.get(CREATE, "limit=100");
    sandbox.get(CREATE, "expand[]=data.payment_intent&expand[]=data.line_items");
    let (_, events) = sandbox.get("/v1/events", "limit=100");
    sandbox.get(&format!("/v1/events/{}", events["data"][0]["id"].as_str().unwrap()), "");
    catalogue_and_errors(&mut sandbox);
    links(&mut sandbox);
    sandbox.send(super::call("DELETE", &endpoint, "", "", None));
    sandbox
}

fn catalogue_and_errors(sandbox: &mut Sandbox) {
    let (_, product) = sandbox.post("/v1/products", "name=Jersey&metadata[a]=b");
    let product = product["id"].as_str().unwrap().to_owned();
    let (_, price) = sandbox.post("/v1/prices", &format!("product={product}&currency=jpy&unit_amount=900"));
    let price = price["id"].as_str().unwrap().to_owned();
    let form =
        format!("mode=payment&success_url=https://x.example&line_items[0][price]={price}&line_items[0][quantity]=2");
    let (status, session) = sandbox.post(CREATE, &form);
    assert_eq!(
        (status, &session["amount_total"], &session["currency"]),
        (200, &json!(1800), &json!("jpy")),
        "{session}"
    );
    for (path, query) in [
        ("/v1/products", "limit=3"),
        ("/v1/prices", "limit=3"),
        ("/v1/account", ""),
        ("/v1/balance", ""),
        ("/v1/checkout/sessions/cs_test_none", ""),
        ("/v1/checkout/sessions", "limit=0"),
        ("/v1/events", "limit=101"),
        ("/v1/refunds", "expand[]=charge"),
    ] {
        sandbox.get(path, query);
    }
    sandbox.get(&format!("/v1/products/{product}"), "");
    sandbox.post(&format!("/v1/prices/{price}"), "nickname=Jersey&lookup_key=jersey");
    sandbox.post(&format!("/v1/products/{product}"), &format!("default_price={price}&description=Blue"));
    sandbox.get(&format!("/v1/prices/{price}"), "expand[]=product");
    sandbox.post(CREATE, &format!("{FORM}&foo=1"));
    sandbox.control(json!({"command": "fault", "when": "after", "what": {"status": 500}}));
    sandbox.post(CREATE, FORM);
    sandbox.control(json!({"command": "fault", "when": "before", "what": "rate_limited"}));
    sandbox.get(CREATE, "");
}

/// Payment links as plain and as full as they can be, and what becomes of them.
fn links(sandbox: &mut Sandbox) {
    let plain = sandbox.link("");
    let full = sandbox.link(
        "metadata[order_id]=1&payment_intent_data[metadata][order_id]=1&payment_intent_data[description]=Fee\
         &restrictions[completed_sessions][limit]=1&inactive_message=Paid.&after_completion[type]=redirect\
         &after_completion[redirect][url]=https%3A%2F%2Fclub.example%2Fthanks&allow_promotion_codes=false\
         &automatic_tax[enabled]=true&payment_method_types[0]=card&invoice_creation[enabled]=true\
         &custom_text[submit][message]=Thanks&submit_type=pay&customer_creation=always&currency=usd\
         &phone_number_collection[enabled]=true&consent_collection[terms_of_service]=required\
         &billing_address_collection=required&tax_id_collection[enabled]=true\
         &shipping_address_collection[allowed_countries][0]=US&name_collection[individual][enabled]=true\
         &custom_fields[0][key]=team&custom_fields[0][label][custom]=Team&custom_fields[0][label][type]=custom\
         &custom_fields[0][type]=text&custom_fields[1][key]=size&custom_fields[1][label][custom]=Size\
         &custom_fields[1][label][type]=custom&custom_fields[1][type]=dropdown\
         &custom_fields[1][dropdown][options][0][label]=S&custom_fields[1][dropdown][options][0][value]=s",
    );
    for id in [&plain, &full] {
        sandbox.read_link(id);
        sandbox.get(&format!("{LINKS}/{id}/line_items"), "");
        sandbox.get(&format!("{LINKS}/{id}"), "expand[]=line_items");
        let session = sandbox.visit(id);
        sandbox.read(&session);
        sandbox.pay(&session, "success");
        sandbox.get(&format!("{CREATE}/{session}"), "expand[]=payment_link&expand[]=line_items");
        sandbox
            .update_link(id, "metadata[order_id]=2&active=false&payment_intent_data[metadata][a]=b&inactive_message=");
    }
    sandbox.update_link(&full, "restrictions=&custom_fields=&payment_method_types=&name_collection=");
    sandbox.get(LINKS, "active=false&expand[]=data.line_items");
    sandbox.get(&format!("{LINKS}/plink_none"), "");
    sandbox.post(LINKS, &format!("{LINE}&foo=1"));
    sandbox.get("/v1/events", "limit=100&type=payment_link.*");
}

#[test]
fn every_answer_validates_against_both_cuts() {
    let sandbox = story();
    let mut violations = Vec::new();
    for mut cut in Cut::both() {
        for seen in &sandbox.seen {
            violations.extend(cut.violations(&seen.operation, seen.status, &seen.body));
            violations.extend(cut.nested_violations(&seen.body));
        }
    }
    violations.sort();
    violations.dedup();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    let refused = sandbox.seen.iter().filter(|seen| seen.status != 200);
    for seen in refused {
        assert!(!message(&seen.body).is_empty(), "{}", seen.operation);
    }
}

#[test]
fn the_story_meets_every_endpoint_and_event() {
    let mut sandbox = story();
    let stats = sandbox.control(json!({"command": "stats"}));
    assert_eq!(stats["counts"].as_object().unwrap().len(), 36, "{stats:#}");
    let events = sandbox.events();
    for event in [
        "checkout.session.completed",
        "checkout.session.expired",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "refund.created",
        "charge.refunded",
        "charge.dispute.created",
        "payment_link.created",
        "payment_link.updated",
        "price.updated",
        "product.updated",
    ] {
        assert!(events.iter().any(|seen| seen == event), "{event}");
    }
}

#[test]
fn a_validator_refuses_what_is_wrong() {
    let sandbox = story();
    let seen = sandbox.seen.iter().find(|seen| seen.operation == format!("POST {CREATE}")).unwrap();
    for mut cut in Cut::both() {
        let mut body: Value = seen.body.clone();
        body["created"] = json!("yesterday");
        assert_eq!(cut.violations(&seen.operation, 200, &body).len(), 1);
        body.as_object_mut().unwrap().shift_remove("expires_at");
        assert_eq!(cut.violations(&seen.operation, 200, &body).len(), 2);
    }
}

#[test]
fn every_parameter_of_both_cuts_is_known() {
    let mut sandbox = Sandbox::new();
    for cut in Cut::both() {
        for (path, names) in cut.parameters() {
            for name in names {
                let (_, body) = sandbox.post(&path, &format!("{name}=x"));
                let refused = body["error"]["code"] == "parameter_unknown";
                assert!(!refused || !message(&body).contains(&name), "POST {path}: {name}");
            }
        }
    }
}
