//! Keys, idempotency, faults, limits, headers: what holds for every request.

use serde_json::{Value, json};
use tourney::sandbox::core::{Answer, Begun, Call, Core};

use super::{CREATE, FORM, NOON, Sandbox, call, message, parsed};

fn with_key(sandbox: &mut Sandbox, authorization: &str, path: &str) -> (u16, Value) {
    let headers = vec![("authorization".to_owned(), authorization.to_owned())];
    let call = Call { method: "GET".into(), path: path.into(), headers, ..Call::default() };
    parsed(&sandbox.send(call))
}

fn create(sandbox: &mut Sandbox, form: &str, key: &str) -> Answer {
    sandbox.send(call("POST", CREATE, "", form, Some(key)))
}

fn count(sandbox: &mut Sandbox) -> usize {
    sandbox.get(CREATE, "limit=100").1["data"].as_array().unwrap().len()
}

#[test]
fn objects_never_cross_modes() {
    let mut sandbox = Sandbox::new();
    let live = sandbox.control(json!({"command": "seed_session", "amount": 900, "live": true}));
    let id = live["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("cs_live_"));
    let path = format!("{CREATE}/{id}");
    let (status, body) = sandbox.get(&path, "");
    assert_eq!((status, &body["error"]["code"]), (404, &json!("resource_missing")));
    assert!(message(&body).contains("a similar object exists in live mode, but a test mode key was used"));
    assert_eq!(with_key(&mut sandbox, "Bearer sk_live_1", &path).1["livemode"], true);
    assert_eq!(count(&mut sandbox), 0);
}

#[test]
fn only_secret_keys_are_let_in() {
    let mut sandbox = Sandbox::new();
    for bad in ["Bearer pk_test_51HiddenHidden", "Bearer sk_test_", "Bearer nonsense", "Digest x", "Bearer sk_test_a b"]
    {
        let (status, body) = with_key(&mut sandbox, bad, "/v1/account");
        assert_eq!((status, &body["error"]["type"]), (401, &json!("invalid_request_error")), "{bad}");
        assert!(!message(&body).contains("Hidden"));
    }
    let answer = sandbox.send(Call { method: "GET".into(), path: "/v1/account".into(), ..Call::default() });
    assert!(answer.body.contains("You did not provide an API key."));
    assert_eq!(with_key(&mut sandbox, "bearer rk_test_1", "/v1/account").0, 200);
}

#[test]
fn unknown_routes_and_ids_are_404() {
    let mut sandbox = Sandbox::new();
    let (status, body) = sandbox.get("/v1/foo", "");
    assert_eq!(status, 404);
    assert!(message(&body).starts_with("Unrecognized request URL (GET: /v1/foo)."));
    let (status, body) = sandbox.get(&format!("{CREATE}/cs_test_none"), "");
    assert_eq!((status, message(&body)), (404, "No such checkout.session: 'cs_test_none'"));
    assert_eq!(body["error"]["param"], "session");
}

#[test]
fn answers_carry_stripes_headers() {
    let mut sandbox = Sandbox::new();
    sandbox.control(json!({"command": "advance", "seconds": 3600}));
    let answer = create(&mut sandbox, FORM, "k");
    assert_eq!(answer.header("Date"), Some("Mon, 13 Apr 2026 13:00:00 GMT"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("Stripe-Version"), Some("2026-09-30.endive"));
    assert_eq!(answer.header("Idempotency-Key"), Some("k"));
    assert_eq!(answer.header("Stripe-Should-Retry"), Some("false"));
    let id = answer.header("Request-Id").unwrap();
    assert!(id.starts_with("req_"));
    assert_eq!(answer.header("Original-Request"), Some(id));
    let mut old = call("GET", CREATE, "", "", None);
    old.headers.push(("stripe-version".to_owned(), "2023-08-16".to_owned()));
    assert_eq!(sandbox.send(old.clone()).header("Stripe-Version"), Some("2023-08-16"));
    old.headers[1].1 = "yesterday".to_owned();
    assert_eq!(sandbox.send(old).status, 400);
}

#[test]
fn a_key_replays_the_original_answer() {
    let mut sandbox = Sandbox::new();
    let first = create(&mut sandbox, FORM, "k");
    let (_, session) = parsed(&first);
    sandbox.post(&format!("{CREATE}/{}/expire", session["id"].as_str().unwrap()), "");
    sandbox.reload();
    let again = create(&mut sandbox, FORM, "k");
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
    assert_eq!(again.header("Original-Request"), first.header("Request-Id"));
    assert_ne!(again.header("Request-Id"), first.header("Request-Id"));
    assert_eq!(first.header("Idempotent-Replayed"), None);
    assert_eq!(count(&mut sandbox), 1);
}

#[test]
fn a_key_belongs_to_one_request() {
    let mut sandbox = Sandbox::new();
    create(&mut sandbox, FORM, "k");
    for (path, form) in [(CREATE, format!("{FORM}&locale=en")), ("/v1/refunds", FORM.to_owned())] {
        let (status, body) = parsed(&sandbox.send(call("POST", path, "", &form, Some("k"))));
        assert_eq!((status, &body["error"]["type"]), (400, &json!("idempotency_error")), "{path}");
    }
    let mut live = call("POST", CREATE, "", FORM, Some("k"));
    live.headers[0].1 = "Bearer sk_live_1".to_owned();
    assert_eq!(sandbox.send(live).header("Idempotent-Replayed"), None);
    assert_eq!(create(&mut sandbox, FORM, &"k".repeat(256)).status, 400);
    assert_eq!(count(&mut sandbox), 1);
}

#[test]
fn a_key_in_flight_conflicts() {
    let mut core = Core::new(1);
    let Begun::Working(ticket) = core.begin(NOON, call("POST", CREATE, "", FORM, Some("k"))) else { panic!() };
    let Begun::Answered(answer, _) = core.begin(NOON, call("POST", CREATE, "", FORM, Some("k"))) else { panic!() };
    assert_eq!(answer.status, 409);
    assert_eq!(answer.header("Stripe-Should-Retry"), Some("true"));
    let (done, _) = core.finish(NOON, ticket);
    let Begun::Answered(again, _) = core.begin(NOON, call("POST", CREATE, "", FORM, Some("k"))) else { panic!() };
    assert_eq!(again.body, done.body);
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let mut sandbox = Sandbox::new();
    create(&mut sandbox, FORM, "k");
    sandbox.now += 24 * 3600 - 1;
    assert_eq!(create(&mut sandbox, FORM, "k").header("Idempotent-Replayed"), Some("true"));
    sandbox.now += 1;
    assert_eq!(create(&mut sandbox, FORM, "k").header("Idempotent-Replayed"), None);
}

#[test]
fn what_was_never_executed_is_not_remembered() {
    let mut sandbox = Sandbox::new();
    assert_eq!(create(&mut sandbox, &format!("{FORM}&foo=1"), "k").status, 400);
    sandbox.control(json!({"command": "rate", "per_second": 0}));
    assert_eq!(create(&mut sandbox, FORM, "k").status, 429);
    sandbox.control(json!({"command": "rate"}));
    assert_eq!(create(&mut sandbox, &FORM.replace("=5500", "=1"), "k").status, 400);
    let answer = create(&mut sandbox, FORM, "k");
    assert_eq!((answer.status, answer.header("Idempotent-Replayed")), (200, None));
}

#[test]
fn a_fault_before_leaves_nothing_and_a_fault_after_loses_the_answer() {
    let mut sandbox = Sandbox::new();
    sandbox
        .control(json!({"command": "fault", "method": "POST", "path_prefix": CREATE, "when": "before", "what": "cut"}));
    assert!(create(&mut sandbox, FORM, "a").cut);
    assert_eq!(count(&mut sandbox), 0);
    sandbox.control(json!({"command": "fault", "method": "POST", "when": "after", "what": "cut", "skip": 1}));
    assert!(!create(&mut sandbox, FORM, "a").cut);
    assert!(create(&mut sandbox, FORM, "b").cut);
    assert_eq!(count(&mut sandbox), 2);
    assert_eq!(create(&mut sandbox, FORM, "b").header("Idempotent-Replayed"), Some("true"));

    sandbox.control(json!({"command": "fault", "when": "after", "what": {"status": 500}}));
    assert_eq!(sandbox.post(CREATE, "foo=1").0, 400, "a refused request does not use the fault up");
    let failed = create(&mut sandbox, FORM, "c");
    assert_eq!((failed.status, failed.header("Stripe-Should-Retry")), (500, Some("true")));
    let again = create(&mut sandbox, FORM, "c");
    assert_eq!((again.status, again.body == failed.body), (500, true));
    assert_eq!(count(&mut sandbox), 3);

    sandbox.control(json!({"command": "fault", "when": "before", "what": {"status": 503}, "times": 2}));
    sandbox.reload();
    assert_eq!([0; 3].map(|_| sandbox.get(CREATE, "").0), [503, 503, 200]);
    sandbox.control(json!({"command": "fault", "when": "before", "what": "cut", "times": 9}));
    sandbox.control(json!({"command": "clear_faults"}));
    assert_eq!(count(&mut sandbox), 3);
}

#[test]
fn the_rate_is_limited_where_asked() {
    let mut sandbox = Sandbox::new();
    sandbox.control(json!({"command": "rate", "per_second": 2}));
    assert_eq!([0; 3].map(|_| sandbox.get("/v1/account", "").0), [200, 200, 429]);
    sandbox.now += 1;
    assert_eq!(sandbox.get("/v1/account", "").0, 200);
    sandbox.control(json!({"command": "latency", "ms": 250}));
    assert_eq!(sandbox.core.latency_ms(), 250);
}

#[test]
fn requests_are_counted_and_logged() {
    let mut sandbox = Sandbox::new();
    let id = sandbox.session("");
    sandbox.read(&id);
    sandbox.read(&id);
    create(&mut sandbox, FORM, "k");
    let counts = sandbox.control(json!({"command": "stats"}));
    assert_eq!(counts["counts"], json!({format!("GET {CREATE}/{{session}}"): 2, format!("POST {CREATE}"): 2}));
    let log = sandbox.control(json!({"command": "request_log"}));
    let last = &log["requests"][3];
    assert_eq!(
        (&last["method"], &last["status"], &last["idempotency_key"]),
        (&json!("POST"), &json!(200), &json!("k"))
    );
    sandbox.control(json!({"command": "reset_stats"}));
    assert_eq!(sandbox.control(json!({"command": "stats"}))["counts"], json!({}));
}

#[test]
fn reads_leave_nothing_to_remember() {
    let mut core = Core::new(1);
    core.birth();
    for path in [CREATE, "/v1/account", "/v1/balance", "/v1/events"] {
        let Begun::Working(ticket) = core.begin(NOON, call("GET", path, "", "", None)) else { panic!() };
        assert!(core.finish(NOON, ticket).1.is_empty(), "{path}");
    }
}

#[test]
fn the_same_seed_and_requests_give_the_same_bytes() {
    let run = || {
        let mut sandbox = Sandbox::new();
        let id = sandbox.session("");
        sandbox.pay(&id, "success");
        (sandbox.read(&id), sandbox.store)
    };
    assert_eq!(run(), run());
    assert!(Core::load(Vec::new()).is_none());
}
