//! The incident put right with links: they do not go stale, are paid once each, and any handler that goes by `order_id`
//! marks the order paid.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::json;
use tourney::domain::Mode;
use tourney::ledger::{Mapping, SqlLedger};
use tourney::stripe::{HttpWire, Limits, Stripe};
use tourney::webhook::{DEFAULT_PATH, Receiver, router};
use tourney::world::{Clock, LiveClock};

use super::LINKS;
use crate::adopt::app::{incident, installed, live};
use crate::story::application::{Application, Handler};
use crate::story::club::{Club, Order, text};
use crate::story::incident::{UTAH, pending, scripts_bill, verifies};
use crate::story::on_both;
use crate::support::wait_until;

on_both!(
    the_incident_is_put_right_with_links_that_never_go_stale,
    an_application_s_own_handler_marks_the_orders_of_its_own_table_paid,
);

const MONTH: i64 = 30 * 24 * 3_600;

fn the_incident_is_put_right_with_links_that_never_go_stale(club: &Club) {
    // Another tournament of the same club was billed before, with sessions.
    club.bill();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/utah-invitational.yaml");
    club.folder.write("tournament.yaml", &std::fs::read_to_string(manifest).unwrap());
    club.append(LINKS);
    let players = scripts_bill(club);
    let expected: Vec<String> = players
        .iter()
        .map(|(player, fee)| format!("{player}/{fee} replace expired-session missing-metadata"))
        .collect();
    let applied = club.converges(&expected.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    assert_eq!(applied["proof"], json!({"live": 21, "without_order_id": []}), "{applied:#}");

    let links: Vec<(Order, String)> = players
        .iter()
        .map(|(player, _)| {
            let order = pending(club, player);
            let link = club.link_of(&order);
            (order, link)
        })
        .collect();
    for (order, id) in &links {
        let link = club.link(id);
        assert_eq!((&link["active"], &link["metadata"]["order_id"]), (&json!(true), &json!(order.id)), "{link:#}");
        assert_eq!(link["metadata"], link["payment_intent_data"]["metadata"], "{link:#}");
        assert_eq!(link["restrictions"]["completed_sessions"], json!({"count": 0, "limit": 1}), "{link:#}");
    }
    verifies(club);

    club.control(json!({"command": "advance", "seconds": MONTH}));
    club.plans(&[]);
    let (by_apply, rest) = links.split_at(7);
    let (by_receiver, by_application) = rest.split_at(7);

    by_apply.iter().for_each(|link| pays_once(club, link));
    let recorded: Vec<String> = by_apply
        .iter()
        .map(|(order, _)| format!("{}/{} record_payment unrecorded-payment", order.player, order.fee))
        .collect();
    club.converges(&recorded.iter().map(String::as_str).collect::<Vec<_>>(), &[]);

    let receiver = own_receiver(club, MONTH);
    by_receiver.iter().for_each(|link| pays_once(club, link));
    are_marked_paid(club, by_receiver);
    receiver.abort();

    let application = Application::start(club, Handler { ignores_time: true, ..Handler::default() });
    application.register(club);
    by_application.iter().for_each(|link| pays_once(club, link));
    are_marked_paid(club, by_application);

    club.plans(&[]);
    let mut intents: Vec<_> = links.iter().map(|(order, _)| club.row(&order.id).unwrap().intent.unwrap()).collect();
    intents.sort();
    intents.dedup();
    assert_eq!(intents.len(), 21, "a payment each");
    assert!(links.iter().all(|(_, link)| !club.is_active(link)));
    let mut mine = club.orders().into_iter().filter(|order| order.tournament == UTAH);
    assert!(mine.all(|order| order.session.is_none() || order.status == "canceled"));
}

/// A parent who had the page open before comes again when the link has been paid: nobody is let in a second time.
#[track_caller]
fn pays_once(club: &Club, (order, link): &(Order, String)) {
    let visit = club.visit(link);
    let session = club.session(&visit);
    assert_eq!((&session["metadata"]["order_id"], &session["amount_total"]), (&json!(order.id), &json!(order.amount)));
    let intent = club.pay(&visit);
    let intent = club.stripe(&format!("payment_intents/{intent}"), None);
    assert_eq!(intent["metadata"]["order_id"], order.id.as_str(), "I10");
    let closed = club.turned_away(link);
    assert!(closed.contains("is not active"), "{closed}");
}

#[track_caller]
fn are_marked_paid(club: &Club, links: &[(Order, String)]) {
    wait_until("the orders are marked paid", || links.iter().all(|(order, _)| club.status(&order.id) == "paid"));
}

/// A clock that is so many seconds ahead, as the sandbox's is: signatures are as old as they seem to be there.
#[derive(Clone, Copy)]
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        LiveClock.now() + SignedDuration::from_secs(self.0)
    }

    fn random(&self) -> u128 {
        LiveClock.random()
    }

    async fn sleep(&self, duration: Duration) {
        LiveClock.sleep(duration).await;
    }
}

/// tourney's own receiver on the club's database, registered at Stripe.
pub(super) fn own_receiver(club: &Club, ahead: i64) -> tokio::task::JoinHandle<()> {
    let socket = club.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}{DEFAULT_PATH}", socket.local_addr().unwrap());
    let form = format!("url={url}&enabled_events[]=checkout.session.completed");
    let secret = text(&club.stripe("webhook_endpoints", Some(&form))["secret"]).to_owned();
    let wire = HttpWire::new(club.stripe_base(), &SecretString::from(tourney::sandbox::SECRET_KEY)).unwrap();
    let receiver = Receiver {
        sessions: Stripe::new(wire, LiveClock, Limits::local()),
        ledger: club.block_on(SqlLedger::open(club.database(), Mapping::own())).unwrap(),
        clock: Ahead(ahead),
        secrets: vec![SecretString::from(secret)],
        mode: Mode::Test,
        path: DEFAULT_PATH.to_owned(),
    };
    let app = router(Arc::new(receiver));
    club.spawn(async move { axum::serve(socket, app).await.unwrap() })
}

/// The column for sessions is emptied where it held a dead one, and no link is ever written there.
fn an_application_s_own_handler_marks_the_orders_of_its_own_table_paid(club: &Club) {
    installed(club);
    let players = incident(club);
    club.append("policy: {link: payment_link, retire: cancel}");
    let session = |player: &str, fee: &str| live(club, player, fee).2;
    assert!(session(&players[0].0, &players[0].1).is_some());
    club.tourney(["apply", "--yes"]).run().expect(0);
    club.plans(&[]);
    for (player, fee) in &players {
        assert_eq!(session(player, fee), None);
    }
    club.control(json!({"command": "advance", "seconds": MONTH}));
    let application = Application::start(club, Handler { ignores_time: true, ..Handler::default() });
    application.register(club);
    for link in club.links() {
        club.pay(&club.visit(text(&link["id"])));
    }
    wait_until("the handler marks every order paid", || {
        players.iter().all(|(player, fee)| live(club, player, fee).1 == "paid")
    });
    club.plans(&[]);
    let status = club.tourney(["status", "--json"]).run().expect(0).json();
    let registrations = status["registrations"].as_array().unwrap();
    assert_eq!(registrations.iter().filter(|one| one["payment_intent"].is_string()).count(), 21, "{status:#}");
}
