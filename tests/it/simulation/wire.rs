//! Stripe, at which a request begins at one turn and is answered at another.

use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use tourney::sandbox::SECRET_KEY;
use tourney::world::faulty::{Faults, Mode, Side, Site};
use tourney::world::sim::{SimStripe, SimWire, UnderWay};
use tourney::world::{Method, Wire, WireAnswer, WireError, WireRequest};

use super::story::Story;

/// Requests that are still under way at Stripe, though whoever sent them waits no more.
pub(crate) type Late = Arc<Mutex<Vec<(String, UnderWay)>>>;

/// A client's wire.
pub(crate) struct TurnWire {
    stripe: SimStripe,
    wire: SimWire,
    faults: Faults,
    story: Story,
    who: String,
    late: Late,
}

/// The word for the second moment of a request.
pub(crate) const ANSWER: &str = "the answer to ";

impl TurnWire {
    pub(crate) fn new(stripe: &SimStripe, faults: &Faults, story: &Story, who: &str, late: &Late) -> Self {
        Self {
            wire: stripe.wire(SecretString::from(SECRET_KEY)),
            stripe: stripe.clone(),
            faults: faults.clone(),
            story: story.clone(),
            who: who.to_owned(),
            late: Arc::clone(late),
        }
    }
}

/// A request that begun. Whoever sent it may go away: then it goes on.
struct Sent<'a> {
    wire: &'a TurnWire,
    what: String,
    under_way: Option<UnderWay>,
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        if let Some(under_way) = self.under_way.take() {
            let what = format!("{}'s {}", self.wire.who, self.what);
            self.wire.late.lock().unwrap().push((what, under_way));
        }
    }
}

impl Wire for TurnWire {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, WireError> {
        let what = format!("{} {}", request.method.as_str(), request.path);
        self.story.tell(|| {
            let body = request.body.as_deref().filter(|_| request.path.ends_with("sessions"));
            let order = body.and_then(|body| {
                form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "metadata[order_id]")
            });
            let order = order.map(|(_, order)| format!(" for {order}")).unwrap_or_default();
            format!("{}: {what}{order}", self.who)
        });
        let read = request.method == Method::Get;
        let begun = self.stripe.begin(self.wire.call(request));
        let mut sent = Sent { wire: self, what, under_way: Some(begun) };
        if !read {
            let site = Site { side: Side::Wire, operation: format!("{ANSWER}{}", sent.what), nth: 0 };
            if self.faults.turn(site).await == Some(Mode::LoseAnswer) {
                self.story.tell(|| format!("{}: waits no longer for {}", self.who, sent.what));
                return Err(WireError::Lost("the time is over".to_owned()));
            }
        }
        let Some(under_way) = sent.under_way.take() else { return Err(WireError::Lost("it is gone".to_owned())) };
        let answer = under_way.finish();
        self.story.tell_if(!read || !matches!(&answer, Ok(answer) if answer.status < 300), || match &answer {
            Ok(answer) if answer.status < 300 => format!("{}: {} is answered", self.who, sent.what),
            Ok(answer) => format!("{}: {} is answered {}", self.who, sent.what, answer.status),
            Err(_) => format!("{}: the answer to {} is lost", self.who, sent.what),
        });
        answer
    }
}
