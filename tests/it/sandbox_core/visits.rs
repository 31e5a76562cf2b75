//! The sessions that visits of payment links make, and what payments do to the links.

use serde_json::{Value, json};

use super::{CREATE, LINE, LINKS, NOON, Sandbox, message};

const LIMITED: &str = "restrictions[completed_sessions][limit]=1&metadata[order_id]=41&\
    payment_intent_data[metadata][order_id]=41&inactive_message=Paid.";

fn count(sandbox: &mut Sandbox) -> usize {
    sandbox.get(CREATE, "limit=100").1["data"].as_array().unwrap().len()
}

fn short(link: &Value) -> String {
    link["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[test]
fn looking_makes_nothing_and_a_visit_makes_a_session() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link(LIMITED);
    let link = sandbox.read_link(&id);
    let view = sandbox.core.payment_link(&short(&link)).unwrap();
    assert_eq!((view.amount, view.active, view.lines.len()), (5500, true, 1));
    assert_eq!(sandbox.core.payment_link("test_none"), None);
    assert_eq!(sandbox.core.payment_link(&id), None, "the id is not the address");
    assert_eq!(count(&mut sandbox), 0);
    let session = sandbox.visit(&id);
    let session = sandbox.read(&session);
    for (field, value) in [
        ("status", json!("open")),
        ("payment_status", json!("unpaid")),
        ("payment_link", json!(id)),
        ("metadata", json!({"order_id": "41"})),
        ("amount_total", json!(5500)),
        ("expires_at", json!(NOON + 24 * 3600)),
        ("success_url", json!("https://stripe.com")),
        ("customer_email", json!(null)),
        ("customer_details", json!(null)),
        ("client_reference_id", json!(null)),
        ("locale", json!("auto")),
        ("submit_type", json!("auto")),
        ("payment_method_collection", json!("if_required")),
        ("url", json!(format!("http://127.0.0.1:4242/c/pay/{}", session["id"].as_str().unwrap()))),
    ] {
        assert_eq!(session[field], value, "{field}");
    }
    assert_eq!(sandbox.events(), ["payment_link.created"], "a visit is no event");
    let (_, expanded) = sandbox.get(
        &format!("{CREATE}/{}", session["id"].as_str().unwrap()),
        "expand[]=payment_link.line_items&expand[]=line_items",
    );
    let (own, links) = (&expanded["line_items"]["data"][0], &expanded["payment_link"]["line_items"]["data"][0]);
    assert_eq!((&own["description"], &links["description"]), (&json!("17U Elite"), &json!("17U Elite")));
    assert_ne!(own["id"], links["id"], "a session's lines are its own");
}

#[test]
fn each_visit_makes_its_own_session_and_the_filter_finds_them() {
    let mut sandbox = Sandbox::new();
    let (one, other) = (sandbox.link(""), sandbox.link(""));
    let made = [sandbox.visit(&one), sandbox.visit(&one)];
    sandbox.visit(&other);
    let (_, list) = sandbox.get(CREATE, &format!("payment_link={one}"));
    let found: Vec<&str> = list["data"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(found, [made[1].as_str(), made[0].as_str()]);
    let (status, body) = sandbox.get(CREATE, "payment_link=plink_none");
    assert_eq!((status, message(&body)), (400, "No such payment link: 'plink_none'"));
}

#[test]
fn the_limit_closes_the_link_and_its_event_says_so() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link(LIMITED);
    let session = sandbox.visit(&id);
    sandbox.pay(&session, "decline");
    assert_eq!(sandbox.read_link(&id)["active"], true, "a declined card counts for nothing");
    sandbox.pay(&session, "success");
    let link = sandbox.read_link(&id);
    assert_eq!(link["active"], false);
    assert_eq!(link["restrictions"]["completed_sessions"], json!({"count": 1, "limit": 1}));
    let events = sandbox.events();
    assert_eq!(
        events[events.len() - 4..],
        ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed", "payment_link.updated"]
    );
    let (_, updated) = sandbox.get("/v1/events", "type=payment_link.updated");
    let previous = json!({"active": true, "restrictions": {"completed_sessions": {"count": 0}}});
    assert_eq!(updated["data"][0]["data"]["previous_attributes"], previous);
    let paid = sandbox.read(&session);
    assert_eq!((&paid["payment_status"], &paid["metadata"]), (&json!("paid"), &json!({"order_id": "41"})));
    let (_, intent) = sandbox.get(&format!("/v1/payment_intents/{}", paid["payment_intent"].as_str().unwrap()), "");
    assert_eq!(intent["metadata"], json!({"order_id": "41"}));
    let refused = sandbox.try_control(json!({"command": "visit", "link": id})).unwrap_err();
    assert_eq!(refused, format!("not done: the payment link {id} is not active"));
    let view = sandbox.core.payment_link(&short(&link)).unwrap();
    assert_eq!((view.active, view.inactive_message.as_deref()), (false, Some("Paid.")));
    assert_eq!(count(&mut sandbox), 1);
}

/// Unconfirmed at Stripe, and read as a careless client would like it least.
#[test]
fn open_sessions_of_a_closed_link_stay_payable() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link(LIMITED);
    let (first, second) = (sandbox.visit(&id), sandbox.visit(&id));
    sandbox.pay(&first, "success");
    assert_eq!(sandbox.read(&second)["status"], "open");
    sandbox.pay(&second, "success");
    assert_eq!(sandbox.read(&second)["payment_status"], "paid", "paid twice through one link");
    assert_eq!(sandbox.read_link(&id)["restrictions"]["completed_sessions"]["count"], 2);
    let other = sandbox.link("");
    let open = sandbox.visit(&other);
    sandbox.update_link(&other, "active=false");
    assert_eq!(sandbox.pay(&open, "success")["payment_status"], "paid");
    sandbox.update_link(&id, "active=true");
    let again = sandbox.visit(&id);
    sandbox.pay(&again, "success");
    assert_eq!(sandbox.read_link(&id)["active"], false, "a link that was opened again takes one more");
}

#[test]
fn a_complete_session_counts_before_its_money_has_come() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link(LIMITED);
    let session = sandbox.visit(&id);
    sandbox.pay(&session, "delayed_failure");
    assert_eq!(sandbox.read_link(&id)["active"], false);
    sandbox.control(json!({"command": "settle_delayed", "session": session, "succeed": false}));
    let link = sandbox.read_link(&id);
    assert_eq!((&link["active"], &link["restrictions"]["completed_sessions"]["count"]), (&json!(false), &json!(1)));
    assert_eq!(sandbox.read(&session)["payment_status"], "unpaid", "closed, and nothing was paid");
}

#[test]
fn an_update_reaches_later_sessions_only() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link(LIMITED);
    let early = sandbox.visit(&id);
    sandbox.update_link(
        &id,
        "metadata[order_id]=42&payment_intent_data[metadata][order_id]=42&restrictions=&after_completion[type]=redirect\
         &after_completion[redirect][url]=https%3A%2F%2Fclub.example%2Fthanks%3Fs%3D{CHECKOUT_SESSION_ID}",
    );
    let late = sandbox.visit(&id);
    let orders = [&early, &late].map(|session| sandbox.read(session)["metadata"]["order_id"].clone());
    assert_eq!(orders, [json!("41"), json!("42")]);
    sandbox.pay(&early, "success");
    sandbox.pay(&late, "success");
    let intents = sandbox.get("/v1/payment_intents", "").1;
    let order = |n: usize| intents["data"][n]["metadata"]["order_id"].clone();
    assert_eq!([order(1), order(0)], [json!("41"), json!("42")]);
    assert_eq!(sandbox.core.checkout(&early).unwrap().success_url, None);
    let url = sandbox.core.checkout(&late).unwrap().success_url.unwrap();
    assert_eq!(url, format!("https://club.example/thanks?s={late}"));
}

#[test]
fn the_address_brings_an_email_a_reference_and_a_language() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link("");
    let url = sandbox.read_link(&id)["url"].as_str().unwrap().to_owned();
    let mut visit = |query: &str| {
        let session = sandbox.control(json!({"command": "visit", "link": format!("{url}?{query}")}));
        let id = session["id"].as_str().unwrap().to_owned();
        let view = sandbox.core.checkout(&id).unwrap();
        let told = (session["client_reference_id"].clone(), session["locale"].clone());
        assert_eq!((&session["customer_email"], &session["customer_details"]), (&json!(null), &json!(null)));
        (id, view.email, view.email_editable, told)
    };
    let (_, email, editable, told) =
        visit("prefilled_email=p17%40example.com&client_reference_id=o-1_a&locale=de&utm=x");
    assert_eq!((email.as_deref(), editable), (Some("p17@example.com"), true));
    assert_eq!(told, (json!("o-1_a"), json!("de")));
    let (locked, email, editable, _) = visit("prefilled_email=a%40example.com&locked_prefilled_email=b%40example.com");
    assert_eq!((email.as_deref(), editable), (Some("b@example.com"), false));
    let long = "r".repeat(201);
    for query in [
        "prefilled_email=nobody&client_reference_id=a%20b&locale=klingon".to_owned(),
        format!("locked_prefilled_email=&client_reference_id={long}"),
        String::new(),
    ] {
        let (_, email, editable, told) = visit(&query);
        assert_eq!((email, editable), (None, true), "{query}");
        assert_eq!(told, (json!(null), json!("auto")), "{query}");
    }
    let paid =
        sandbox.control(json!({"command": "pay", "session": locked, "card": "success", "email": "c@example.com"}));
    assert_eq!(paid["customer_details"]["email"], "b@example.com", "a locked address cannot be changed");
    let suggested = json!({"command": "visit", "link": id, "prefilled_email": "a@example.com"});
    let session = sandbox.control(suggested)["id"].clone();
    let paid =
        sandbox.control(json!({"command": "pay", "session": session, "card": "success", "email": "c@example.com"}));
    assert_eq!((&paid["customer_details"]["email"], &paid["customer_email"]), (&json!("c@example.com"), &json!(null)));
    let stranger = json!({"command": "visit", "link": "http://127.0.0.1/b/none?prefilled_email=a%40example.com"});
    assert_eq!(
        sandbox.try_control(stranger).unwrap_err(),
        "the sandbox has no payment link http://127.0.0.1/b/none",
        "an error repeats no payer's address"
    );
}

#[test]
fn the_page_thanks_in_the_links_words() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link(
        "after_completion[type]=hosted_confirmation&after_completion[hosted_confirmation][custom_message]=See%20you!",
    );
    let session = sandbox.visit(&id);
    let view = sandbox.core.checkout(&session).unwrap();
    assert_eq!((view.success_url, view.cancel_url, view.thanks.as_deref()), (None, None, Some("See you!")));
}

#[test]
fn links_outlive_their_sessions() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link(LIMITED);
    let session = sandbox.visit(&id);
    sandbox.control(json!({"command": "advance", "seconds": 30 * 24 * 3600}));
    sandbox.reload();
    assert_eq!(
        (&sandbox.read(&session)["status"], &sandbox.read_link(&id)["active"]),
        (&json!("expired"), &json!(true))
    );
    let fresh = sandbox.visit(&id);
    assert_eq!(sandbox.pay(&fresh, "success")["payment_status"], "paid");
    assert_eq!(sandbox.read_link(&id)["active"], false);
}

#[test]
fn a_link_without_a_limit_goes_on() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.link("");
    for _ in 0..3 {
        let session = sandbox.visit(&id);
        sandbox.pay(&session, "success");
    }
    let link = sandbox.read_link(&id);
    assert_eq!((&link["active"], &link["restrictions"]), (&json!(true), &json!(null)));
    let link = sandbox.update_link(&id, "restrictions[completed_sessions][limit]=2");
    assert_eq!(link["restrictions"]["completed_sessions"]["count"], 0, "counting begins with the restriction");
    let session = sandbox.visit(&id);
    sandbox.pay(&session, "success");
    let link = sandbox.update_link(&id, "restrictions[completed_sessions][limit]=5");
    assert_eq!(
        link["restrictions"]["completed_sessions"],
        json!({"count": 1, "limit": 5}),
        "a new limit keeps the count"
    );
}

#[test]
fn a_link_of_several_lines_sells_them_all() {
    let mut sandbox = Sandbox::new();
    let second = LINE.replace("line_items[0]", "line_items[1]").replace("[quantity]=1", "[quantity]=2");
    let (_, link) = sandbox.post(LINKS, &format!("{LINE}&{}", second.replace("17U%20Elite", "Camp")));
    let session = sandbox.visit(link["id"].as_str().unwrap());
    let (_, lines) = sandbox.get(&format!("{CREATE}/{session}/line_items"), "");
    let told: Vec<_> =
        lines["data"].as_array().unwrap().iter().map(|l| (&l["description"], &l["amount_total"])).collect();
    assert_eq!(told, [(&json!("17U Elite"), &json!(5500)), (&json!("Camp"), &json!(11000))]);
    assert_eq!(sandbox.read(&session)["amount_total"], 16500);
}
