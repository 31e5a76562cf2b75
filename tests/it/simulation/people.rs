//! What people do: parents at the links that they got, an administrator in the application.

use tourney::domain::{OrderStatus, PayableKind, SessionId};
use tourney::sandbox::core::{Control, Prefill, TestCard};

use super::moves::Draw;
use super::world::{Paid, World};

impl World {
    /// A parent pays at any link there ever was.
    pub(super) fn pay(&mut self, rest: &mut Draw) -> bool {
        let card = match rest.below(8) {
            0 => TestCard::Decline,
            1 => TestCard::DelayedSuccess,
            2 => TestCard::DelayedFailure,
            _ => TestCard::Success,
        };
        let open = self.seen.payables.iter().filter(|payable| payable.is_open()).map(|payable| payable.id.clone());
        let mut links: Vec<SessionId> = open.collect();
        if rest.below(3) == 0 || links.is_empty() {
            links.clone_from(&self.known);
        }
        if links.is_empty() {
            return false;
        }
        let payable = links[links.len() - 1 - rest.below(links.len())].clone();
        let session = match PayableKind::of(&payable) {
            PayableKind::Session => Some(payable.clone()),
            PayableKind::PaymentLink => self.visited(&payable),
        };
        let Some(session) = session else { return true };
        let email = Some("parent@example.com".to_owned());
        let paid = self.control(Control::Pay { session: session.to_string(), card, email });
        self.shared.story.tell(|| match &paid {
            Ok(_) => format!("a parent pays at {payable} ({card:?})"),
            Err(error) => format!("a parent would pay at {payable}: {error}"),
        });
        self.shared.touch(&payable);
        self.shared.touch(&session);
        if paid.is_ok() && card != TestCard::Decline {
            self.figures.payments += 1;
            self.paid.push(Paid { session, delayed: card != TestCard::Success });
        }
        self.look();
        true
    }

    fn visited(&mut self, link: &SessionId) -> Option<SessionId> {
        let visit = self.control(Control::Visit { link: link.to_string(), prefill: Prefill::default() });
        self.shared.story.tell(|| match &visit {
            Ok(_) => format!("a parent opens {link}"),
            Err(error) => format!("a parent would open {link}: {error}"),
        });
        let session = visit.ok().and_then(|visit| visit["id"].as_str().map(SessionId::from));
        session.iter().for_each(|session| self.shared.touch(session));
        session
    }

    pub(super) fn visit(&mut self, rest: &mut Draw) -> bool {
        let links: Vec<_> = self.known.iter().filter(|id| PayableKind::of(id) == PayableKind::PaymentLink).collect();
        if links.is_empty() {
            return false;
        }
        let link = links[rest.below(links.len())].clone();
        self.visited(&link);
        self.look();
        true
    }

    pub(super) fn settle_delayed(&mut self, rest: &mut Draw) -> bool {
        let delayed: Vec<_> = self.paid.iter().filter(|paid| paid.delayed).map(|paid| paid.session.clone()).collect();
        if delayed.is_empty() {
            return false;
        }
        let (succeed, session) = (rest.below(2) == 0, delayed[rest.below(delayed.len())].clone());
        let settled = self.control(Control::SettleDelayed { session: session.to_string(), succeed });
        if settled.is_ok() {
            self.shared.touch(&session);
            let word = if succeed { "arrives" } else { "fails" };
            self.shared.story.tell(|| format!("the payment on its way at {session} {word}"));
            self.look();
        }
        settled.is_ok()
    }

    /// An administrator cancels an order in the application.
    pub(super) fn admin_cancels(&mut self, rest: &mut Draw) -> bool {
        let orders: Vec<_> =
            self.seen.facts.orders.iter().filter(|order| order.status == OrderStatus::Pending).collect();
        if orders.is_empty() {
            return false;
        }
        let id = orders[rest.below(orders.len())].id.clone();
        let canceled = self.ledger.another_program(|rows| {
            rows.get_mut(&id)
                .filter(|row| row.order.status == OrderStatus::Pending)
                .map(|row| row.order.status = OrderStatus::Canceled)
        });
        if canceled.is_some() {
            self.shared.story.tell(|| format!("an administrator cancels {id}"));
            self.look();
        }
        canceled.is_some()
    }
}
