//! Stripe, at which a request begins at one turn and is answered at another.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use tourney::domain::SessionId;
use tourney::sandbox::SECRET_KEY;
use tourney::sandbox::core::{Call, Control, What, When};
use tourney::world::faulty::{Faults, Mode, Side, Site};
use tourney::world::sim::{SimStripe, SimWire, UnderWay};
use tourney::world::{Method, Wire, WireAnswer, WireError, WireRequest};

use super::story::Story;

/// What everybody who speaks to Stripe shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) stripe: SimStripe,
    pub(crate) story: Story,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Requests that are still under way at Stripe, though whoever sent them waits no more.
    late: Vec<Late>,
    /// What Stripe does to the next requests.
    armed: Vec<Armed>,
    touched: Touched,
}

struct Late {
    what: String,
    path: String,
    under_way: UnderWay,
}

/// A failure of Stripe's.
#[derive(Clone, Copy)]
pub(crate) struct Armed {
    pub(crate) what: What,
    pub(crate) when: When,
    pub(crate) times: u32,
    /// Whether it strikes what is only read, too.
    pub(crate) reads: bool,
}

/// The payables that may have changed at Stripe.
#[derive(Default)]
pub(crate) struct Touched {
    pub(crate) payables: BTreeSet<SessionId>,
    /// More than these.
    pub(crate) others: bool,
}

impl Shared {
    pub(crate) fn new(stripe: SimStripe, story: Story) -> Self {
        Self { stripe, story, state: Arc::default() }
    }

    pub(crate) fn arm(&self, armed: Armed) {
        self.state.lock().unwrap().armed.push(armed);
    }

    pub(crate) fn disarm(&self) {
        self.state.lock().unwrap().armed.clear();
    }

    pub(crate) fn touched(&self) -> Touched {
        std::mem::take(&mut self.state.lock().unwrap().touched)
    }

    pub(crate) fn touch(&self, payable: &SessionId) {
        self.state.lock().unwrap().touched.payables.insert(payable.clone());
    }

    pub(crate) fn touch_others(&self) {
        self.state.lock().unwrap().touched.others = true;
    }

    /// What nobody waits for any more is done at Stripe.
    pub(crate) fn finish_late(&self) -> bool {
        let late = std::mem::take(&mut self.state.lock().unwrap().late);
        let any = !late.is_empty();
        for Late { what, path, under_way } in late {
            self.story.tell(|| format!("Stripe does {what} at last"));
            self.note(&path, &under_way.finish());
        }
        any
    }

    /// A request arrives, and meets what Stripe does to it.
    fn begin(&self, call: Call, read: bool) -> UnderWay {
        let armed = {
            let armed = &mut self.state.lock().unwrap().armed;
            let first = armed.iter().position(|armed| armed.reads || !read);
            first.map(|first| {
                let now = armed[first];
                armed[first].times -= 1;
                armed.retain(|armed| armed.times > 0);
                now
            })
        };
        let Some(Armed { what, when, .. }) = armed else { return self.stripe.begin(call) };
        let fault = Control::Fault { method: None, path_prefix: String::new(), when, what, times: 1, skip: 0 };
        self.stripe.control(fault).unwrap();
        let begun = self.stripe.begin(call);
        self.stripe.control(Control::ClearFaults).unwrap();
        begun
    }

    /// Which payable a request has made or changed.
    fn note(&self, path: &str, answer: &Result<WireAnswer, WireError>) {
        if !["/checkout/sessions", "/payment_links"].iter().any(|one| path.contains(one)) {
            return;
        }
        let of_path = path.split('/').find(|part| part.starts_with("cs_") || part.starts_with("plink_"));
        let made = || {
            let body = answer.as_ref().ok().filter(|answer| answer.status < 300)?;
            let (_, id) = std::str::from_utf8(&body.body).ok()?.split_once("\"id\": \"")?;
            id.split('"').next().map(str::to_owned)
        };
        match of_path.map(str::to_owned).or_else(made) {
            Some(id) => self.touch(&SessionId::from(id.as_str())),
            None => self.touch_others(),
        }
    }
}

/// A client's wire.
pub(crate) struct TurnWire {
    shared: Shared,
    wire: SimWire,
    faults: Faults,
    who: String,
}

/// The word for the second moment of a request.
pub(crate) const ANSWER: &str = "the answer to ";

impl TurnWire {
    pub(crate) fn new(shared: &Shared, faults: &Faults, who: &str) -> Self {
        let wire = shared.stripe.wire(SecretString::from(SECRET_KEY));
        Self { wire, shared: shared.clone(), faults: faults.clone(), who: who.to_owned() }
    }
}

/// A request that begun. Whoever sent it may go away: then it goes on.
struct Sent<'a> {
    wire: &'a TurnWire,
    what: String,
    path: String,
    under_way: Option<UnderWay>,
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        if let Some(under_way) = self.under_way.take() {
            let what = format!("{}'s {}", self.wire.who, self.what);
            let late = Late { what, path: std::mem::take(&mut self.path), under_way };
            self.wire.shared.state.lock().unwrap().late.push(late);
        }
    }
}

impl Wire for TurnWire {
    async fn send(&self, request: WireRequest) -> Result<WireAnswer, WireError> {
        let what = format!("{} {}", request.method.as_str(), request.path);
        self.shared.story.tell(|| {
            let body = request.body.as_deref().filter(|_| request.path.ends_with("sessions"));
            let order = body.and_then(|body| {
                form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "metadata[order_id]")
            });
            let order = order.map(|(_, order)| format!(" for {order}")).unwrap_or_default();
            format!("{}: {what}{order}", self.who)
        });
        let read = request.method == Method::Get;
        let path = request.path.clone();
        let begun = self.shared.begin(self.wire.call(request), read);
        let mut sent = Sent { wire: self, what, path, under_way: Some(begun) };
        if !read {
            let site = Site { side: Side::Wire, operation: format!("{ANSWER}{}", sent.what), nth: 0 };
            if self.faults.turn(site).await == Some(Mode::LoseAnswer) {
                self.shared.story.tell(|| format!("{}: waits no longer for {}", self.who, sent.what));
                return Err(WireError::Lost("the time is over".to_owned()));
            }
        }
        let Some(under_way) = sent.under_way.take() else { return Err(WireError::Lost("it is gone".to_owned())) };
        let answer = under_way.finish();
        if !read {
            self.shared.note(&sent.path, &answer);
        }
        self.shared.story.tell_if(!read || !matches!(&answer, Ok(answer) if answer.status < 300), || match &answer {
            Ok(answer) if answer.status < 300 => format!("{}: {} is answered", self.who, sent.what),
            Ok(answer) => format!("{}: {} is answered {}", self.who, sent.what, answer.status),
            Err(_) => format!("{}: the answer to {} is lost", self.who, sent.what),
        });
        answer
    }
}
