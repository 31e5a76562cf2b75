//! The same event very often at once, and from senders who do not wait for the answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tourney::domain::OrderStatus;

use super::scene::{Scene, Subject};
use crate::support::figures;

const TIMES: usize = 1_000;

/// How many connections may be open at once: half of the files that a process may have, as both ends are ours, and less
/// for all the other tests.
fn at_once() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok());
    (open.unwrap_or(1024_usize).saturating_sub(500) / 2).clamp(100, TIMES)
}

fn request(scene: &Scene, event: &Value) -> Vec<u8> {
    let body = event.to_string();
    let head = format!(
        "POST /webhooks/stripe HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Stripe-Signature: {}\r\nContent-Length: {}\r\n\r\n",
        scene.authority(),
        scene.club.sign(body.as_bytes()),
        body.len()
    );
    format!("{head}{body}").into_bytes()
}

/// Sends all but the last byte, waits until everybody is as far, and goes on.
async fn together(mut stream: TcpStream, request: Arc<Vec<u8>>, ready: Arc<Barrier>) -> u16 {
    let (last, rest) = request.split_last().unwrap();
    stream.write_all(rest).await.unwrap();
    ready.wait().await;
    stream.write_all(&[*last]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// A paid session's event, under an id of its own.
async fn event(scene: &mut Scene) -> (Subject, Value) {
    let subject = scene.subject("paid").await;
    let mut event = scene.event("checkout.session.completed", &subject);
    event["id"] = json!(scene.event_id());
    (subject, event)
}

/// The order is paid, once, and the one row of the event says so. What differs from before is these two rows.
async fn one_effect(scene: &mut Scene, before: &super::dump::Dump, subject: &Subject, event: &Value) {
    let order = scene.club.order(&subject.order).await;
    assert_eq!((order.status, &order.payment_intent), (OrderStatus::Paid, &subject.intent));
    for (table, rows) in scene.dump().await {
        let new: Vec<_> = rows.difference(&before[&table]).collect();
        match table.as_str() {
            "orders" => assert_eq!((new.len(), new[0]["id"].as_str()), (1, subject.order.to_string().as_str())),
            "tourney_events" => {
                assert_eq!((new.len(), new[0]["id"].as_str()), (1, event["id"].as_str().unwrap()));
                // Of duplicates at once the one that found it paid may have been the first to say so.
                assert!(["recorded", "no-effect"].contains(&new[0]["outcome"].as_str()), "{new:?}");
            }
            _ => assert!(new.is_empty() && rows.len() == before[&table].len(), "{table}: {new:?}"),
        }
    }
    assert_eq!(scene.asked().1, 0, "nothing is written at Stripe");
}

async fn a_thousand_times_at_once(database: &str, mut scene: Scene) {
    let (subject, event) = event(&mut scene).await;
    let before = scene.dump().await;
    let request = Arc::new(request(&scene, &event));
    let (mut sent, mut answers) = (0, BTreeMap::<u16, usize>::new());
    while sent < TIMES {
        let wave = at_once().min(TIMES - sent);
        let ready = Arc::new(Barrier::new(wave));
        let mut all = Vec::new();
        for _ in 0..wave {
            // One after the other: the queue of those who want to connect is short.
            let stream = TcpStream::connect(scene.authority()).await.unwrap();
            all.push(tokio::spawn(together(stream, Arc::clone(&request), Arc::clone(&ready))));
        }
        for status in join_all(all).await {
            *answers.entry(status.unwrap()).or_default() += 1;
        }
        sent += wave;
    }
    eprintln!(
        "{}",
        json!({"webhook_abuse": "the same event at once", "database": database, "cases": sent, "answers": answers,
            "violations": 0})
    );
    // On a machine that is very busy some may be told to come again, as Stripe does.
    assert!(answers.keys().all(|status| [200, 500].contains(status)) && answers[&200] > 0, "{answers:?}");
    one_effect(&mut scene, &before, &subject, &event).await;
    assert_eq!(scene.club.send(&event.to_string()).await, (200, "known".to_owned()));
    one_effect(&mut scene, &before, &subject, &event).await;
    let told = json!({"cases": sent, "violations": 0});
    figures::write(&format!("abuse of the webhook: the same event at once on {database}"), &told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_event_a_thousand_times_at_once_on_sqlite() {
    a_thousand_times_at_once("sqlite", Scene::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_event_a_thousand_times_at_once_on_postgres() {
    let Some(scene) = Scene::on_postgres().await else { return };
    a_thousand_times_at_once("postgres", scene).await;
}

/// Who hangs up before the answer has not seen whether it was done: sent again, it is done, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_who_hangs_up_before_the_answer_sends_again() {
    let mut scene = Scene::on_sqlite().await;
    for _ in 0..20 {
        scene.spent("paid");
        let (subject, event) = event(&mut scene).await;
        scene.asked();
        let before = scene.dump().await;
        let mut stream = TcpStream::connect(scene.authority()).await.unwrap();
        stream.write_all(&request(&scene, &event)).await.unwrap();
        drop(stream);
        let (status, said) = scene.club.send(&event.to_string()).await;
        assert_eq!(status, 200, "{said}");
        one_effect(&mut scene, &before, &subject, &event).await;
    }
}
