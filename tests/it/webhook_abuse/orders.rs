//! Every order of five events: whichever comes first, the order ends as Stripe says, and is never anything else on its way.

use serde_json::{Value, json};
use tourney::domain::OrderStatus;

use super::scene::{Scene, Subject};
use crate::support::figures;

/// Five events, and which of them may make the order paid.
struct Story {
    name: &'static str,
    /// What has come of the session at Stripe.
    state: &'static str,
    events: [&'static str; 5],
    paying: &'static [&'static str],
}

const COMPLETED: &str = "checkout.session.completed";
const ARRIVED: &str = "checkout.session.async_payment_succeeded";
const FAILED: &str = "checkout.session.async_payment_failed";
const EXPIRED: &str = "checkout.session.expired";

const STORIES: [Story; 3] = [
    Story {
        name: "a delayed payment arrives",
        state: "arrived",
        events: [COMPLETED, "payment_intent.processing", "payment_intent.succeeded", "charge.succeeded", ARRIVED],
        paying: &[COMPLETED, ARRIVED],
    },
    Story {
        name: "a delayed payment fails",
        state: "failed",
        events: [COMPLETED, "payment_intent.processing", "payment_intent.payment_failed", FAILED, EXPIRED],
        paying: &[],
    },
    Story {
        name: "what contradicts itself",
        state: "refunded-first",
        events: [COMPLETED, ARRIVED, FAILED, EXPIRED, "charge.refunded"],
        paying: &[COMPLETED, ARRIVED],
    },
];

/// All orders of five things, by their places.
fn permutations() -> Vec<[usize; 5]> {
    let digits = |mut number: usize| {
        std::array::from_fn(|_| {
            let digit = number % 5;
            number /= 5;
            digit
        })
    };
    let all = (0..5_usize.pow(5)).map(digits);
    all.filter(|order: &[usize; 5]| (0..5).all(|place| order.contains(&place))).collect()
}

async fn every_order(database: &str, stories: &[Story], mut scene: Scene) {
    let orders = permutations();
    assert_eq!(orders.len(), 120);
    let (mut run, mut wrong) = (0, Vec::new());
    for story in stories {
        let mut events: Option<[Value; 5]> = None;
        for order in &orders {
            scene.spent(story.state);
            let subject = scene.subject(story.state).await;
            // Stripe's own events of the first; the others' differ in whom they are about alone.
            let (model, first) = match &events {
                Some(events) => (events.clone(), false),
                None => (story.events.map(|kind| scene.event(kind, &subject)), true),
            };
            let about = |event: Value| if first { event } else { renamed(event, &subject) };
            let about = model.map(about);
            run += 1;
            wrong.extend(in_order(&mut scene, story, order, &about, &subject, run).await.err());
            events = events.or(Some(about));
        }
    }
    let figures = json!({"webhook_abuse": "every order of five events", "database": database, "cases": run,
        "violations": wrong.len()});
    eprintln!("{figures}");
    let told = json!({"cases": run, "violations": wrong.len()});
    figures::write(&format!("abuse of the webhook: every order of five events on {database}"), &told);
    wrong.truncate(10);
    assert!(wrong.is_empty(), "on {database}:\n{}", wrong.join("\n"));
}

/// The same event of another payment.
fn renamed(mut event: Value, subject: &Subject) -> Value {
    let object = &mut event["data"]["object"];
    let intent = json!(subject.intent.as_ref().map(|intent| intent.as_str()));
    match object["object"].as_str() {
        Some("checkout.session") => {
            object["id"] = json!(subject.session.as_str());
            object["payment_intent"] = intent;
            object["metadata"]["order_id"] = json!(subject.order.to_string());
        }
        Some("payment_intent") => object["id"] = intent,
        _ => object["payment_intent"] = intent,
    }
    event
}

async fn in_order(
    scene: &mut Scene,
    story: &Story,
    order: &[usize; 5],
    events: &[Value; 5],
    subject: &Subject,
    run: usize,
) -> Result<(), String> {
    let mut paid = false;
    let what = || format!("{}, in the order {order:?}", story.name);
    for &place in order {
        let mut event = events[place].clone();
        event["id"] = json!(format!("evt_run{run}x{place}"));
        let (status, said) = scene.club.send(&event.to_string()).await;
        paid |= story.paying.contains(&story.events[place]);
        let found = scene.club.order(&subject.order).await;
        let wanted = if paid { (OrderStatus::Paid, subject.intent.clone()) } else { (OrderStatus::Pending, None) };
        if (status, (found.status, found.payment_intent.clone())) != (200, wanted) {
            return Err(format!("{}: {} gives {status} {said}, {found:?}", what(), story.events[place]));
        }
    }
    let sql = format!("SELECT outcome FROM tourney_events WHERE id LIKE 'evt_run{run}x%'");
    let outcomes: Vec<String> = scene.beside.rows(&sql).await.into_iter().filter_map(|row| row[0].clone()).collect();
    let recorded = outcomes.iter().filter(|outcome| *outcome == "recorded").count();
    let idle = outcomes.iter().filter(|outcome| *outcome == "no-effect").count();
    let effects = usize::from(paid);
    if (recorded, idle) != (effects, 5 - effects) {
        return Err(format!("{}: {outcomes:?}", what()));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_of_five_events_on_sqlite() {
    every_order("sqlite", &STORIES, Scene::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_of_five_events_on_postgres() {
    let Some(scene) = Scene::on_postgres().await else { return };
    every_order("postgres", &STORIES[..1], scene).await;
}
