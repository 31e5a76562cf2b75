//! Webhook deliveries: signed, retried, and made to misbehave where a test asks for it
//! (<https://docs.stripe.com/webhooks>).

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::call::{Delivery, Put};
use super::control::DeliveryMode;
use super::shelf::{Kind, Record};
use super::{Core, pretty};

/// Seconds until the next attempt after each failed one: a few times over hours in test mode.
const TEST_RETRIES: [i64; 4] = [60, 600, 3600, 3 * 3600];
/// Up to three days in live mode.
const LIVE_RETRIES: [i64; 8] = [60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 24 * 3600, 24 * 3600];
/// How long a delivery is held back in [`DeliveryMode::Reorder`], so that a later one overtakes it.
const HELD_SECONDS: i64 = 3;

/// The endpoints of a mode that asked for an event.
pub(super) fn listeners(core: &Core, live: bool, event: &str) -> Vec<String> {
    let wants = |record: &Record| {
        let events = record.object["enabled_events"].as_array();
        record.text("status") == "enabled" && events.is_some_and(|all| all.iter().any(|e| e == "*" || e == event))
    };
    core.shelf.newest(Kind::Endpoint, live).filter(|(_, record)| wants(record)).map(|(id, _)| id.to_owned()).collect()
}

/// Plans the deliveries of an event.
pub(super) fn schedule(core: &mut Core, now: i64, live: bool, event: &str, endpoints: &[String]) {
    let reorder = core.settings.deliveries == DeliveryMode::Reorder;
    for endpoint in endpoints {
        let serial = core.next_number();
        let (copies, wait) = match core.settings.deliveries {
            DeliveryMode::Normal => (1, 0),
            DeliveryMode::Drop => (0, 0),
            DeliveryMode::Delay(seconds) => (1, seconds),
            DeliveryMode::Duplicate => (2, 0),
            DeliveryMode::Reorder => (1, if held_last(core) { 0 } else { HELD_SECONDS }),
        };
        for copy in 1..=copies {
            let id = format!("whd_{serial}_{copy}");
            let object = json!({"id": id, "created": now, "event": event, "endpoint": endpoint, "attempt": 1,
                "next_at": now + wait, "held": reorder && wait > 0, "state": "pending", "last_status": null});
            core.shelf.put(Kind::Delivery, &id, Record { serial, live, object, hidden: Value::Null });
        }
    }
}

/// Whether the newest delivery was held back: then the next one goes at once and overtakes it.
fn held_last(core: &Core) -> bool {
    let newest = [false, true].into_iter().filter_map(|live| core.shelf.newest(Kind::Delivery, live).next());
    newest.max_by_key(|(_, record)| record.serial).is_some_and(|(_, record)| record.object["held"] == true)
}

/// Forgets what an endpoint has not got yet: it was deleted.
pub(super) fn forget(core: &mut Core, endpoint: &str) {
    for id in core.shelf.due(Kind::Delivery, i64::MAX) {
        if core.shelf.get(Kind::Delivery, &id).is_some_and(|record| record.text("endpoint") == endpoint) {
            core.shelf.remove(Kind::Delivery, &id);
        }
    }
}

impl Core {
    /// The deliveries to make now. Each is handed out once, until [`Core::delivered`] reports it; one that was never
    /// reported is handed out again after a restart.
    pub fn due(&mut self, now: i64) -> Vec<Delivery> {
        let now = self.clock(now);
        let ids = self.shelf.due(Kind::Delivery, now);
        let fresh: Vec<String> = ids.into_iter().filter(|id| !self.handed_out.contains(id)).collect();
        let deliveries: Vec<Delivery> = fresh.iter().filter_map(|id| self.delivery(now, id)).collect();
        self.handed_out.extend(deliveries.iter().map(|delivery| delivery.id.clone()));
        deliveries
    }

    fn delivery(&self, now: i64, id: &str) -> Option<Delivery> {
        let record = self.shelf.get(Kind::Delivery, id)?;
        let endpoint = self.shelf.get(Kind::Endpoint, record.text("endpoint"))?;
        if endpoint.text("status") != "enabled" {
            return None;
        }
        let event = self.shelf.get(Kind::Event, record.text("event"))?;
        let body = pretty(&event.object);
        let secret = endpoint.hidden["secret"].as_str().unwrap_or_default();
        Some(Delivery {
            id: id.to_owned(),
            url: endpoint.text("url").to_owned(),
            signature: signature(secret, now, &body),
            body,
            attempt: u32::try_from(record.number("attempt")).unwrap_or(u32::MAX),
        })
    }

    /// Reports a delivery: `status` is the endpoint's answer, `None` where there was none. Anything but 2xx is tried
    /// again later.
    pub fn delivered(&mut self, now: i64, id: &str, status: Option<u16>) -> Vec<Put> {
        let now = self.clock(now);
        self.handed_out.remove(id);
        let Some(record) = self.shelf.get(Kind::Delivery, id).filter(|r| r.text("state") == "pending").cloned() else {
            return self.drain();
        };
        let taken = status.is_some_and(|status| (200..300).contains(&status));
        let retries: &[i64] = if record.live { &LIVE_RETRIES } else { &TEST_RETRIES };
        let attempt = record.number("attempt");
        let wait = usize::try_from(attempt - 1).ok().and_then(|failed| retries.get(failed));
        self.shelf.update(Kind::Delivery, id, |record| {
            record.object["last_status"] = json!(status);
            let (state, next_at) = match wait {
                _ if taken => ("delivered", None),
                Some(wait) => ("pending", Some(now + wait)),
                None => ("failed", None),
            };
            record.object["state"] = json!(state);
            record.object["next_at"] = json!(next_at);
            record.object["attempt"] = json!(attempt + i64::from(next_at.is_some()));
        });
        if taken {
            self.count_down(record.text("event"), record.text("endpoint"));
        }
        self.drain()
    }

    /// One endpoint has the event: `pending_webhooks` counts endpoints, so a duplicate's second copy does not count.
    fn count_down(&mut self, event: &str, endpoint: &str) {
        self.shelf.update(Kind::Event, event, |record| {
            if record.hidden[endpoint] == true {
                return;
            }
            record.object["pending_webhooks"] = json!((record.number("pending_webhooks") - 1).max(0));
            if record.hidden.is_null() {
                record.hidden = json!({});
            }
            record.hidden[endpoint] = json!(true);
        });
    }
}

/// The `Stripe-Signature` header: HMAC-SHA256 of `{t}.{body}` keyed with the whole secret.
fn signature(secret: &str, now: i64, body: &str) -> String {
    // HMAC takes a key of any length, so there is always a tag.
    let tag = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(format!("{now}.{body}").as_bytes());
        hex::encode(mac.finalize().into_bytes())
    });
    format!("t={now},v1={}", tag.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_signature_is_the_hmac_of_time_and_body() {
        // printf '1.{}' | openssl dgst -sha256 -hmac whsec_test
        let want = "7500d5d4be4b3ef07af1fe56f7d522d135cdaa7530de557e67cc1049c52de094";
        assert_eq!(super::signature("whsec_test", 1, "{}"), format!("t=1,v1={want}"));
    }
}
