//! Payment links under any sequence of visits, payments, updates and passing time.

use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::strategy::{Just, Strategy};
use proptest::{collection, prop_oneof};
use serde_json::{Value, json};

use super::{CREATE, LINKS, Sandbox};

#[derive(Clone, Copy, Debug)]
enum Step {
    Create(Option<u8>),
    Visit(usize),
    Pay(usize, &'static str),
    Expire(usize),
    Activate(usize, bool),
    Describe(usize, u8),
    Limit(usize, u8),
    Wait(i64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0usize..3;
    let card = prop_oneof![Just("success"), Just("decline"), Just("delayed_failure")];
    prop_oneof![
        proptest::option::of(1u8..3).prop_map(Step::Create),
        which.clone().prop_map(Step::Visit),
        which.clone().prop_map(Step::Visit),
        (0usize..6, card).prop_map(|(n, card)| Step::Pay(n, card)),
        (0usize..6).prop_map(Step::Expire),
        (which.clone(), any::<bool>()).prop_map(|(n, active)| Step::Activate(n, active)),
        (which.clone(), any::<u8>()).prop_map(|(n, order)| Step::Describe(n, order)),
        (which, 1u8..4).prop_map(|(n, limit)| Step::Limit(n, limit)),
        (0i64..40 * 3600).prop_map(Step::Wait),
        Just(Step::Restart),
    ]
}

/// What is known of a session: its link, and the order its link had when it was made.
struct Made {
    id: String,
    link: String,
    order: Value,
}

#[derive(Default)]
struct Known {
    links: Vec<(String, Value)>,
    sessions: Vec<Made>,
}

fn take(sandbox: &mut Sandbox, known: &mut Known, step: Step) {
    let link = |n: usize| known.links.get(n % known.links.len().max(1)).map_or("plink_none", |(id, _)| id).to_owned();
    let session =
        |n: usize| known.sessions.get(n % known.sessions.len().max(1)).map_or("cs_none", |made| &made.id).to_owned();
    match step {
        Step::Create(limit) => {
            let limit = limit.map(|n| format!("&restrictions[completed_sessions][limit]={n}")).unwrap_or_default();
            let id = sandbox.link(&format!("metadata[order_id]=1{limit}"));
            let url = sandbox.read_link(&id)["url"].clone();
            known.links.push((id, url));
        }
        Step::Visit(n) => {
            let link = link(n);
            let before = sandbox.get(&format!("{LINKS}/{link}"), "").1;
            let made = sandbox.try_control(json!({"command": "visit", "link": link}));
            assert_eq!(made.is_ok(), before["active"] == true, "{made:?}");
            if let Ok(session) = made {
                let id = session["id"].as_str().unwrap().to_owned();
                known.sessions.push(Made { id, link, order: before["metadata"]["order_id"].clone() });
            }
        }
        Step::Pay(n, card) => {
            let _ = sandbox.try_control(json!({"command": "pay", "session": session(n), "card": card}));
        }
        Step::Expire(n) => {
            sandbox.post(&format!("{CREATE}/{}/expire", session(n)), "");
        }
        Step::Activate(n, active) => {
            sandbox.post(&format!("{LINKS}/{}", link(n)), &format!("active={active}"));
        }
        Step::Describe(n, order) => {
            sandbox.post(&format!("{LINKS}/{}", link(n)), &format!("metadata[order_id]={order}"));
        }
        Step::Limit(n, limit) => {
            sandbox.post(&format!("{LINKS}/{}", link(n)), &format!("restrictions[completed_sessions][limit]={limit}"));
        }
        Step::Wait(seconds) => {
            sandbox.control(json!({"command": "advance", "seconds": seconds}));
        }
        Step::Restart => sandbox.reload(),
    }
}

/// What the events of a link say of it: the last of them shows it as it is, but for its count.
fn told(sandbox: &mut Sandbox, link: &Value) {
    let (_, events) = sandbox.get("/v1/events", "limit=100&type=payment_link.*");
    let last = events["data"].as_array().unwrap().iter().find(|event| event["data"]["object"]["id"] == link["id"]);
    let last = &last.unwrap()["data"]["object"];
    assert_eq!((&last["active"], &last["metadata"]), (&link["active"], &link["metadata"]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn links_keep_their_word(steps in collection::vec(step(), 1..40)) {
        let (mut sandbox, mut known) = (Sandbox::new(), Known::default());
        for step in steps {
            take(&mut sandbox, &mut known, step);
            for made in &known.sessions {
                let session = sandbox.read(&made.id);
                assert_eq!(session["payment_link"], made.link.as_str());
                assert_eq!(session["metadata"]["order_id"], made.order, "what was copied stays");
            }
            for (id, url) in &known.links {
                let link = sandbox.read_link(id);
                assert_eq!(&link["url"], url, "an address never changes");
                told(&mut sandbox, &link);
                let (_, mine) = sandbox.get(CREATE, &format!("payment_link={id}&limit=100&status=complete"));
                let complete = mine["data"].as_array().unwrap().len();
                let restriction = &link["restrictions"]["completed_sessions"];
                assert!(restriction["count"].as_u64().is_none_or(|count| count <= complete as u64));
            }
        }
    }
}
