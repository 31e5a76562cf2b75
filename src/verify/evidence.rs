//! What can be told of the webhook without sending anything: the account's endpoints, and what became of its events.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{agreeing, counted};
use crate::stripe::{StripeEvent, WebhookEndpoint};

use super::Check;

/// The event by which an order learns that it was paid.
const COMPLETED: &str = "checkout.session.completed";
/// Younger than this, an event may well be under way.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(5);

/// Judges what Stripe says of the account's endpoints and of its `checkout.session.completed` events (kept 30 days).
/// `wanted` is the endpoint that the environment names. Pure.
#[must_use]
pub fn evidence(
    wanted: Option<&str>,
    endpoints: &[WebhookEndpoint],
    events: &[StripeEvent],
    now: Timestamp,
) -> Vec<Check> {
    let ours: Vec<_> = endpoints.iter().filter(|one| wanted.is_none_or(|url| one.url == url)).collect();
    let enabled: Vec<_> = ours.iter().filter(|endpoint| endpoint.is_enabled()).collect();
    let subject = wanted.map_or_else(|| "of the account's endpoints".to_owned(), |url| format!("endpoint at {url}"));
    let detail = format!("{} registered, {} enabled: {subject}", ours.len(), enabled.len());
    let listens = enabled.iter().any(|endpoint| endpoint.gets(COMPLETED));
    let heard = if listens { "an enabled endpoint gets" } else { "no enabled endpoint gets" };
    vec![
        Check::new("endpoint-enabled", !enabled.is_empty(), detail),
        Check::new("endpoint-events", listens, format!("{heard} {COMPLETED}")),
        deliveries(events, now),
    ]
}

/// The same checks where Stripe did not tell; why.
#[must_use]
pub fn evidence_missing(why: &str) -> Vec<Check> {
    let unknown = |name| Check::none(name, "not made: Stripe did not tell");
    vec![
        Check::new("endpoint-enabled", false, format!("Stripe did not tell: {why}")),
        unknown("endpoint-events"),
        unknown("deliveries"),
    ]
}

/// Stripe counts for each event the endpoints of the account, whosever they are, that have not answered with 2xx.
fn deliveries(events: &[StripeEvent], now: Timestamp) -> Check {
    if events.is_empty() {
        return Check::none(
            "deliveries",
            format!("no {COMPLETED} in the last 30 days: nothing is known of deliveries"),
        );
    }
    let waits = |event: &&StripeEvent| event.pending_webhooks > 0;
    let is_late = |event: &&StripeEvent| now.duration_since(event.created) > UNDER_WAY;
    let late = events.iter().filter(waits).filter(is_late).count();
    let under_way = events.iter().filter(waits).count() - late;
    let all = events.len();
    let mut detail = match late {
        0 => {
            let (n, were) = (all - under_way, agreeing(all - under_way, "was", "were"));
            format!("{} of the last 30 days {were} delivered", counted(n, &format!("{COMPLETED} event")))
        }
        late => {
            let (of, were) = (counted(all, &format!("{COMPLETED} event")), agreeing(late, "was", "were"));
            format!("{late} of {of} of the last 30 days {were} not delivered to every endpoint")
        }
    };
    if under_way > 0 {
        let are = agreeing(under_way, "is", "are");
        detail.push_str(&format!("; {under_way} {are} less than five minutes old and may be under way"));
    }
    Check::new("deliveries", late == 0, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, status: &str, kind: &str) -> WebhookEndpoint {
        serde_json::from_value(serde_json::json!({"id": "we_1", "url": url, "status": status, "livemode": true,
            "enabled_events": [kind]}))
        .unwrap()
    }

    fn event(minutes_ago: i64, pending_webhooks: u32) -> StripeEvent {
        let created = Timestamp::UNIX_EPOCH - SignedDuration::from_mins(minutes_ago);
        StripeEvent { id: "evt_1".to_owned(), kind: COMPLETED.to_owned(), created, pending_webhooks, session: None }
    }

    fn passed(wanted: Option<&str>, endpoints: &[WebhookEndpoint], events: &[StripeEvent]) -> Vec<Option<bool>> {
        evidence(wanted, endpoints, events, Timestamp::UNIX_EPOCH).into_iter().map(|check| check.passed).collect()
    }

    #[test]
    fn an_endpoint_counts_where_it_is_enabled_and_gets_the_event() {
        let good = [endpoint("https://a", "enabled", COMPLETED)];
        assert_eq!(passed(Some("https://a"), &good, &[event(9, 0)]), [Some(true); 3]);
        assert_eq!(passed(None, &good, &[]), [Some(true), Some(true), None]);
        assert_eq!(passed(Some("https://b"), &good, &[]), [Some(false), Some(false), None]);
        let bad = [endpoint("https://a", "disabled", COMPLETED), endpoint("https://a", "enabled", "charge.succeeded")];
        assert_eq!(passed(None, &bad, &[]), [Some(true), Some(false), None]);
    }

    #[test]
    fn what_may_be_under_way_is_not_lost() {
        let of = |events: &[StripeEvent]| deliveries(events, Timestamp::UNIX_EPOCH);
        let young = of(&[event(9, 0), event(1, 1)]);
        assert_eq!(young.passed, Some(true));
        assert!(young.detail.starts_with("1 checkout.session.completed") && young.detail.contains("; 1 "), "{young:?}");
        let late = of(&[event(9, 1), event(1, 1)]);
        assert_eq!(late.passed, Some(false));
        assert!(late.detail.starts_with("1 of 2 "), "{late:?}");
    }
}
