//! Checkout Sessions: what is refused, and how they live and end.

use serde_json::json;

use super::{CREATE, FORM, NOON, Sandbox, message};

#[test]
fn a_new_session_is_open_and_unpaid() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("customer_email=parent17%40example.com&metadata[order_id]=1&client_reference_id=1");
    assert!(id.starts_with("cs_test_a1") && id.len() == 66, "{id}");
    let session = sandbox.read(&id);
    assert_eq!(session["status"], "open");
    assert_eq!(session["payment_status"], "unpaid");
    assert_eq!(session["payment_intent"], json!(null));
    assert_eq!(session["amount_total"], 5500);
    assert_eq!(session["metadata"], json!({"order_id": "1"}));
    assert_eq!(session["url"], format!("http://127.0.0.1:4242/c/pay/{id}"));
    assert_eq!(session["expires_at"], NOON + 24 * 3600);
    assert_eq!(session.get("payment_intent_data"), None);
    assert_eq!(session.get("line_items"), None);
    let view = sandbox.core.checkout(&id).unwrap();
    assert_eq!((view.amount, view.lines.len(), view.email.as_deref()), (5500, 1, Some("parent17@example.com")));
}

#[test]
fn what_is_not_simulated_is_echoed_as_stripe_echoes_it() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session(
        "ui_mode=hosted_page&allowed_payment_method_types[0]=card&adaptive_pricing[enabled]=false\
         &allow_promotion_codes=false&automatic_tax[enabled]=false&locale=en&submit_type=pay",
    );
    let session = sandbox.read(&id);
    assert_eq!(session["payment_method_types"], json!(["card"]));
    assert_eq!((&session["ui_mode"], &session["locale"]), (&json!("hosted_page"), &json!("en")));
    assert_eq!(session["adaptive_pricing"], json!({"enabled": false}));
    assert_eq!((&session["allow_promotion_codes"], &session["submit_type"]), (&json!(false), &json!("pay")));
    for wrong in
        ["allow_promotion_codes=maybe", "locale=klingon", "payment_method_types[0]=barter", "discounts[0][coupon]=c"]
    {
        assert_eq!(sandbox.post(CREATE, &format!("{FORM}&{wrong}")).0, 400, "{wrong}");
    }
}

#[test]
fn create_refuses_as_stripe_does() {
    let mut sandbox = Sandbox::new();
    let long = "r".repeat(201);
    for (form, code, param) in [
        (FORM.replace("mode=payment", "mode=setup"), json!(null), "mode"),
        (FORM.replace("mode=payment&", ""), json!("parameter_missing"), "mode"),
        (FORM.replace("success_url", "cancel_url"), json!("parameter_missing"), "success_url"),
        (FORM.replace("https%3A%2F%2Fclub", "club"), json!("url_invalid"), "success_url"),
        (FORM.replace("currency]=usd", "currency]=zzz"), json!(null), "line_items[0][price_data][currency]"),
        (
            FORM.replace("unit_amount]=5500", "unit_amount]=-1"),
            json!("parameter_invalid_integer"),
            "line_items[0][price_data][unit_amount]",
        ),
        (FORM.replace("quantity]=1", "quantity]=0"), json!("parameter_invalid_integer"), "line_items[0][quantity]"),
        (FORM.replace("line_items[0][quantity]=1&", ""), json!("parameter_missing"), "line_items[0][quantity]"),
        (format!("{FORM}&customer_email=nobody"), json!("email_invalid"), "customer_email"),
        (format!("{FORM}&client_reference_id={long}"), json!(null), "client_reference_id"),
        (format!("{FORM}&customer=cus_1"), json!("resource_missing"), "customer"),
        (
            format!("{FORM}&line_items[1][price]=price_1&line_items[1][quantity]=1"),
            json!("resource_missing"),
            "line_items[1][price]",
        ),
        ("mode=payment&success_url=https%3A%2F%2Fx.example".to_owned(), json!("parameter_missing"), "line_items"),
    ] {
        let (status, body) = sandbox.post(CREATE, &form);
        let error = &body["error"];
        assert_eq!((status, &error["type"]), (400, &json!("invalid_request_error")), "{form}");
        assert_eq!((error.get("code").unwrap_or(&json!(null)), &error["param"]), (&code, &json!(param)), "{body}");
    }
    assert_eq!(sandbox.get(CREATE, "").1["data"], json!([]));
}

#[test]
fn amounts_have_bounds() {
    let mut sandbox = Sandbox::new();
    for (currency, amount, code) in [
        ("usd", 49, Some("amount_too_small")),
        ("usd", 50, None),
        ("usd", 99_999_999, None),
        ("usd", 100_000_000, Some("amount_too_large")),
        ("jpy", 49, Some("amount_too_small")),
        ("jpy", 50, None),
        ("usd", i64::MAX, Some("amount_too_large")),
    ] {
        let form = FORM.replace("currency]=usd", &format!("currency]={currency}"));
        let (status, body) = sandbox.post(CREATE, &form.replace("=5500", &format!("={amount}")));
        assert_eq!(body["error"]["code"].as_str(), code, "{currency} {amount}");
        assert_eq!(status, if code.is_some() { 400 } else { 200 });
    }
    let (_, body) = sandbox.post(CREATE, &FORM.replace("=5500", "=10"));
    assert!(message(&body).ends_with("total amount due must add up to at least $0.50 usd"));
    let (_, body) = sandbox.post(CREATE, &FORM.replace("unit_amount]=5500", "unit_amount_decimal]=5500.5"));
    assert_eq!(body["amount_total"], 5501);
}

#[test]
fn expiry_is_between_half_an_hour_and_a_day() {
    let mut sandbox = Sandbox::new();
    let wait = |seconds: i64| format!("{FORM}&expires_at={}", NOON + seconds);
    for good in [1800, 1798, 86_400, 86_402] {
        assert_eq!(sandbox.post(CREATE, &wait(good)).0, 200, "{good}");
    }
    let (status, body) = sandbox.post(CREATE, &wait(1700));
    assert_eq!(status, 400);
    assert_eq!(
        message(&body),
        "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
    );
    let (status, body) = sandbox.post(CREATE, &wait(30 * 86_400));
    assert_eq!((status, &body["error"]["param"]), (400, &json!("expires_at")));
    assert_eq!(message(&body), "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.");
}

#[test]
fn metadata_merges_while_the_session_is_open() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("metadata[a]=1&metadata[b]=2");
    let path = format!("{CREATE}/{id}");
    let (_, session) = sandbox.post(&path, "metadata[b]=&metadata[c]=3");
    assert_eq!(session["metadata"], json!({"a": "1", "c": "3"}));
    assert_eq!(sandbox.post(&path, "metadata=").1["metadata"], json!({}));
    let (status, body) = sandbox.post(&path, "expires_at=1");
    assert_eq!((status, message(&body)), (400, "Received unknown parameter: expires_at"));
    assert_eq!(sandbox.post(&path, "line_items[0][quantity]=2").0, 400);
    sandbox.post(&format!("{path}/expire"), "");
    let (status, body) = sandbox.post(&path, "metadata[a]=1");
    assert_eq!((status, &body["error"]["type"]), (400, &json!("invalid_request_error")));
    assert_eq!(sandbox.read(&id)["metadata"], json!({}));
}

#[test]
fn only_an_open_session_expires() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("");
    let path = format!("{CREATE}/{id}/expire");
    let (status, session) = sandbox.post(&path, "");
    assert_eq!((status, &session["status"], &session["url"]), (200, &json!("expired"), &json!(null)));
    let (status, body) = sandbox.post(&path, "");
    assert_eq!(status, 400);
    assert_eq!(
        message(&body),
        "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of \
         `expired`."
    );
    let paid = sandbox.session("");
    sandbox.pay(&paid, "success");
    let (_, body) = sandbox.post(&format!("{CREATE}/{paid}/expire"), "");
    assert!(message(&body).ends_with("This Checkout Session has a status of `complete`."));
    assert_eq!(sandbox.events().iter().filter(|e| *e == "checkout.session.expired").count(), 1);
}

#[test]
fn a_session_expires_by_itself_at_its_second() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session(&format!("expires_at={}", NOON + 1800));
    sandbox.now = NOON + 1799;
    assert_eq!(sandbox.read(&id)["status"], "open");
    sandbox.now = NOON + 1800;
    let puts = sandbox.core.tick(sandbox.now);
    assert!(!puts.is_empty());
    sandbox.commit(puts);
    sandbox.reload();
    assert_eq!(sandbox.read(&id)["status"], "expired");
    assert_eq!(sandbox.events(), ["checkout.session.expired"]);
    assert!(sandbox.core.tick(sandbox.now).is_empty());
}

#[test]
fn lists_are_newest_first_with_cursors_and_filters() {
    let mut sandbox = Sandbox::new();
    let mut ids = Vec::new();
    for n in 0..5 {
        sandbox.now = NOON + n * 10;
        ids.push(sandbox.session(&format!("customer_email=p{n}%40example.com")));
    }
    ids.reverse();
    let names = |body: &serde_json::Value| -> Vec<String> {
        body["data"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect()
    };
    let (_, page) = sandbox.get(CREATE, "limit=2");
    assert_eq!((names(&page), &page["has_more"], &page["url"]), (ids[..2].to_vec(), &json!(true), &json!(CREATE)));
    let (_, page) = sandbox.get(CREATE, &format!("limit=3&starting_after={}", ids[1]));
    assert_eq!((names(&page), &page["has_more"]), (ids[2..].to_vec(), &json!(false)));
    let (_, page) = sandbox.get(CREATE, &format!("limit=1&ending_before={}", ids[2]));
    assert_eq!((names(&page), &page["has_more"]), (ids[1..2].to_vec(), &json!(true)));
    let (status, body) = sandbox.get(CREATE, "starting_after=cs_test_none");
    assert_eq!((status, &body["error"]["code"]), (400, &json!("resource_missing")));
    let both = format!("starting_after={}&ending_before={}", ids[0], ids[1]);
    assert_eq!(sandbox.get(CREATE, &both).0, 400);
    for query in ["limit=0", "limit=101", "limit=x", "created[foo]=1", "status=paid"] {
        assert_eq!(sandbox.get(CREATE, query).0, 400, "{query}");
    }
    sandbox.pay(&ids[0].clone(), "success");
    let intent = sandbox.read(&ids[0].clone())["payment_intent"].as_str().unwrap().to_owned();
    for (query, want) in [
        (format!("created[gt]={}", NOON + 20), &ids[..2]),
        (format!("created[gte]={}&created[lt]={}", NOON + 20, NOON + 40), &ids[1..3]),
        (format!("created={NOON}"), &ids[4..]),
        ("status=complete".to_owned(), &ids[..1]),
        (format!("payment_intent={intent}"), &ids[..1]),
        ("customer_details[email]=p1%40example.com".to_owned(), &ids[3..4]),
    ] {
        assert_eq!(names(&sandbox.get(CREATE, &query).1), want, "{query}");
    }
}

#[test]
fn expansions_fill_in_objects() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("");
    let path = format!("{CREATE}/{id}");
    let (_, session) = sandbox.get(&path, "expand[]=line_items&expand[]=payment_intent");
    assert_eq!(session["line_items"]["data"][0]["description"], "17U Elite");
    assert_eq!(session["payment_intent"], json!(null));
    sandbox.pay(&id, "success");
    let (_, session) = sandbox.get(&path, "expand[]=payment_intent.latest_charge");
    assert_eq!(session["payment_intent"]["latest_charge"]["amount"], 5500);
    let (_, list) = sandbox.get(CREATE, "expand[]=data.line_items&expand[]=data.payment_intent");
    assert_eq!(list["data"][0]["payment_intent"]["status"], "succeeded");
    assert_eq!(list["data"][0]["line_items"]["data"][0]["amount_total"], 5500);
    assert_eq!(
        sandbox.get(&path, "expand[]=metadata").1["error"]["message"],
        "This property cannot be expanded (metadata)."
    );
    assert_eq!(
        message(&sandbox.get(CREATE, "expand[]=payment_intent").1),
        "This property cannot be expanded (payment_intent). You may want to try expanding 'data.payment_intent' instead."
    );
}

#[test]
fn seeded_sessions_have_a_past_and_no_events() {
    let mut sandbox = Sandbox::new();
    let seeded = sandbox.control(json!({"command": "seed_session", "amount": 5500, "created_seconds_ago": 172_800,
        "expired_seconds_ago": 86_400, "email": "parent17@example.com", "metadata": {"fee": "5"}}));
    assert_eq!((&seeded["status"], &seeded["created"]), (&json!("expired"), &json!(NOON - 172_800)));
    let open = sandbox.control(json!({"command": "seed_session", "amount": 900, "created_seconds_ago": 60}));
    assert_eq!(open["status"], "open");
    assert!(sandbox.events().is_empty());
    let ids: Vec<_> = sandbox.get(CREATE, "").1["data"].as_array().unwrap().iter().map(|s| s["id"].clone()).collect();
    assert_eq!(ids, [open["id"].clone(), seeded["id"].clone()]);
}
