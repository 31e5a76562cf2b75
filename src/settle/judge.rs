//! Whether a session pays an order: pure.

use crate::domain::{Order, OrderStatus, Owner, Payable, PaymentStatus, Seen, key};
use crate::ledger::Identity;

use super::Settled;

/// The orders that a session may pay.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The order that its metadata names, where that order exists.
    pub named: Option<&'a Order>,
    /// The orders on which it is recorded.
    pub recorded: &'a [&'a Order],
    /// The order that `plan` has found it to pay, from more facts than stand here.
    pub planned: Option<&'a Order>,
}

/// What is to be done about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its payment is to be recorded on this pending order, as it was judged.
    Record(Seen),
    /// Nothing is to be written.
    Settled(Settled),
}

/// Judges a session that was fetched just now against the orders it may pay and the database's identity (none before
/// the first apply).
#[must_use]
pub fn judge(payable: &Payable, candidate: &Candidate<'_>, identity: Option<&Identity>) -> Verdict {
    if payable.payment_status == PaymentStatus::Unpaid {
        return not_paid(format!("the session is {:?} and unpaid", payable.state).to_lowercase());
    }
    if let Some(other) =
        other_ledger(payable, identity).filter(|_| candidate.recorded.is_empty() && candidate.planned.is_none())
    {
        return not_paid(format!("the session belongs to another orders database, {other}"));
    }
    if let Some(mode) = identity.and_then(|identity| identity.mode).filter(|mode| *mode != payable.mode) {
        return unmatched(format!("the session is of {} mode, the orders database of {mode} mode", payable.mode));
    }
    match the_order(payable, candidate) {
        Ok(order) => judge_order(payable, order),
        Err(why) => unmatched(why),
    }
}

/// The order that the plan has found; else the one on which it is recorded, else the one that its metadata names, which must
/// not contradict each other.
fn the_order<'a>(payable: &Payable, candidate: &Candidate<'a>) -> Result<&'a Order, String> {
    let text = payable.metadata.get(key::ORDER).filter(|text| !text.is_empty());
    let named = candidate.named;
    if let Some(planned) = candidate.planned {
        return match named {
            // The plan knows renamed players; it never plans where another fee's live order is named.
            Some(named) if named.status.is_live() && named.registration.fee != planned.registration.fee => {
                Err(format!("the session names order {} and would be recorded on order {}", named.id, planned.id))
            }
            _ => Ok(planned),
        };
    }
    let owner = Owner::among(candidate.recorded, Some(payable), named, |order| order.registration.clone());
    match (owner, named, text) {
        (Owner::Contested, ..) => Err("the session is recorded on orders of several registrations".to_owned()),
        (Owner::Order(owner), Some(named), _) if owner.id == named.id || succeeds(owner, named) => Ok(owner),
        (Owner::Order(owner), Some(named), _) => {
            Err(format!("the session names order {} and is recorded on order {}", named.id, owner.id))
        }
        (Owner::Nobody, Some(named), _) => Ok(named),
        (_, None, Some(text)) => Err(format!("the session names order {text:?}, which does not exist")),
        (Owner::Order(owner), None, None) => Ok(owner),
        (Owner::Nobody, None, None) => Err("the session carries no order_id and is recorded on no order".to_owned()),
    }
}

/// Whether the order on which a session is recorded takes the place of the one that it names: a predecessor of the same
/// registration.
fn succeeds(owner: &Order, named: &Order) -> bool {
    named.registration == owner.registration && !named.status.is_live()
}

fn judge_order(payable: &Payable, order: &Order) -> Verdict {
    let id = &order.id;
    match order.status {
        OrderStatus::Pending if payable.money() == Some(order.amount) => Verdict::Record(order.seen()),
        OrderStatus::Pending => {
            let paid =
                payable.money().map_or_else(|| "an amount Stripe does not say".to_owned(), |money| money.to_string());
            unmatched(format!("order {id} owes {}, the session was paid with {paid}", order.amount))
        }
        OrderStatus::Canceled => unmatched(format!("order {id} is canceled")),
        OrderStatus::Paid | OrderStatus::Refunded if is_its_payment(payable, order) => {
            Verdict::Settled(Settled::AlreadyRecorded { order: id.clone() })
        }
        OrderStatus::Paid | OrderStatus::Refunded => {
            unmatched(format!("order {id} is {} by another payment: this is a second one", order.status))
        }
    }
}

/// An application's own handler may have marked the order paid without noting the payment intent.
fn is_its_payment(payable: &Payable, order: &Order) -> bool {
    match (&order.payment_intent, &payable.payment_intent) {
        (Some(recorded), Some(intent)) => recorded == intent,
        (Some(_), None) => false,
        (None, _) => {
            order.session.is_some() && [Some(&payable.id), payable.link.as_ref()].contains(&order.session.as_ref())
        }
    }
}

fn other_ledger<'a>(payable: &'a Payable, identity: Option<&Identity>) -> Option<&'a str> {
    let named = payable.metadata.get(key::LEDGER)?;
    (identity?.ledger.as_str() != named).then_some(named.as_str())
}

fn not_paid(why: String) -> Verdict {
    Verdict::Settled(Settled::NotPaid(why))
}

fn unmatched(why: String) -> Verdict {
    Verdict::Settled(Settled::Unmatched(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Currency, FeeId, LedgerId, LinkTerms, Metadata, Mode, Money, OrderId, PayableKind, PayableState,
        PaymentIntentId, PlayerId, Registration, SessionId,
    };

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::parse("usd").unwrap())
    }

    fn order(id: i64, status: OrderStatus) -> Order {
        Order {
            id: OrderId(id.into()),
            registration: Registration { player: PlayerId(1017.into()), fee: FeeId(5.into()) },
            amount: usd(5500),
            status,
            session: Some(SessionId::from("cs_test_1")),
            payment_intent: None,
            url: None,
            created_at: None,
        }
    }

    fn paid(metadata: &[(&str, &str)]) -> Payable {
        Payable {
            id: SessionId::from("cs_test_1"),
            kind: PayableKind::Session,
            state: PayableState::Complete,
            payment_status: PaymentStatus::Paid,
            amount: Some(5500),
            currency: Some(usd(0).currency),
            mode: Mode::Test,
            metadata: metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Metadata>(),
            terms: LinkTerms::default(),
            client_reference_id: None,
            customer_email: None,
            payment_intent: Some(PaymentIntentId::from("pi_1")),
            payment: None,
            url: None,
            created: None,
            link: None,
            expires_at: None,
        }
    }

    fn identity() -> Identity {
        Identity { ledger: LedgerId::from("led"), account: Some("acct_1".to_owned()), mode: Some(Mode::Test) }
    }

    fn verdict(payable: &Payable, named: Option<&Order>, recorded: &[Order]) -> Verdict {
        planned(payable, named, recorded, None)
    }

    fn planned(payable: &Payable, named: Option<&Order>, recorded: &[Order], planned: Option<&Order>) -> Verdict {
        let recorded: Vec<&Order> = recorded.iter().collect();
        judge(payable, &Candidate { named, recorded: &recorded, planned }, Some(&identity()))
    }

    fn is_unmatched(verdict: &Verdict, why: &str) -> bool {
        matches!(verdict, Verdict::Settled(Settled::Unmatched(said)) if said.contains(why))
    }

    #[test]
    fn a_paid_session_settles_the_pending_order_it_names_or_is_recorded_on() {
        let pending = order(7, OrderStatus::Pending);
        let record = Verdict::Record(pending.seen());
        assert_eq!(verdict(&paid(&[("order_id", "7")]), Some(&pending), &[]), record);
        assert_eq!(verdict(&paid(&[("order_id", "7")]), Some(&pending), std::slice::from_ref(&pending)), record);
        assert_eq!(verdict(&paid(&[]), None, std::slice::from_ref(&pending)), record);
        assert_eq!(verdict(&paid(&[("order_id", "7"), ("tourney_ledger", "led")]), Some(&pending), &[]), record);
    }

    #[test]
    fn what_is_not_paid_is_never_recorded() {
        let pending = order(7, OrderStatus::Pending);
        for state in [PayableState::Open, PayableState::Complete, PayableState::Expired] {
            let mut unpaid = paid(&[("order_id", "7")]);
            unpaid.state = state;
            unpaid.payment_status = PaymentStatus::Unpaid;
            let verdict = verdict(&unpaid, Some(&pending), &[]);
            assert!(matches!(verdict, Verdict::Settled(Settled::NotPaid(_))), "{verdict:?}");
        }
    }

    #[test]
    fn amount_currency_and_mode_must_be_the_orders() {
        let pending = order(7, OrderStatus::Pending);
        let judged = |change: &dyn Fn(&mut Payable)| {
            let mut payable = paid(&[("order_id", "7")]);
            change(&mut payable);
            verdict(&payable, Some(&pending), &[])
        };
        assert!(is_unmatched(&judged(&|p| p.amount = Some(5499)), "owes"));
        assert!(is_unmatched(&judged(&|p| p.amount = None), "does not say"));
        assert!(is_unmatched(&judged(&|p| p.currency = Currency::parse("eur").ok()), "owes"));
        assert!(is_unmatched(&judged(&|p| p.currency = None), "does not say"));
        assert!(is_unmatched(&judged(&|p| p.mode = Mode::Live), "live mode"));
    }

    #[test]
    fn another_databases_session_is_not_ours_even_where_the_order_id_exists() {
        let pending = order(7, OrderStatus::Pending);
        let foreign = paid(&[("order_id", "7"), ("tourney_ledger", "other")]);
        assert!(matches!(verdict(&foreign, Some(&pending), &[]), Verdict::Settled(Settled::NotPaid(_))));
    }

    #[test]
    fn contradictions_go_to_a_person() {
        let (seven, eight) = (order(7, OrderStatus::Pending), order(8, OrderStatus::Pending));
        let named = paid(&[("order_id", "7")]);
        let record = Verdict::Record(seven.seen());
        assert_eq!(verdict(&named, Some(&seven), std::slice::from_ref(&eight)), record, "as a handler would");
        let mut stranger = eight.clone();
        stranger.registration.player = PlayerId(1018.into());
        assert!(is_unmatched(&verdict(&named, Some(&seven), std::slice::from_ref(&stranger)), "recorded on order 8"));
        assert!(is_unmatched(&verdict(&named, None, std::slice::from_ref(&eight)), "does not exist"));
        let mut sibling = eight.clone();
        sibling.registration.player = PlayerId(1018.into());
        assert!(is_unmatched(&verdict(&paid(&[]), None, &[seven.clone(), sibling.clone()]), "several"));
        assert_eq!(verdict(&named, Some(&seven), &[seven.clone(), sibling]), record);
        assert_eq!(verdict(&paid(&[]), None, &[seven, eight]), record, "one registration");
        assert!(is_unmatched(&verdict(&paid(&[]), None, &[]), "no order_id"));
    }

    #[test]
    fn a_session_that_names_a_predecessor_pays_the_order_it_is_recorded_on() {
        let (mut before, after) = (order(7, OrderStatus::Canceled), order(8, OrderStatus::Pending));
        let names_before = paid(&[("order_id", "7")]);
        let record = Verdict::Record(after.seen());
        let recorded = std::slice::from_ref(&after);
        assert_eq!(verdict(&names_before, Some(&before), recorded), record);
        // The predecessor's row is gone, or stands under a former player id: only the plan knows.
        assert!(is_unmatched(&verdict(&names_before, None, recorded), "does not exist"));
        assert_eq!(planned(&names_before, None, recorded, Some(&after)), record);
        before.registration.player = PlayerId(917.into());
        assert!(is_unmatched(&verdict(&names_before, Some(&before), recorded), "recorded on order 8"));
        assert_eq!(planned(&names_before, Some(&before), recorded, Some(&after)), record);
        // A handler would pay a stranger's live order: no plan overrules that.
        before.status = OrderStatus::Pending;
        before.registration.fee = FeeId(6.into());
        assert!(is_unmatched(&planned(&names_before, Some(&before), recorded, Some(&after)), "recorded on order 8"));
    }

    #[test]
    fn a_session_without_order_id_pays_the_order_that_the_plan_has_found() {
        let pending = order(7, OrderStatus::Pending);
        assert!(is_unmatched(&verdict(&paid(&[]), None, &[]), "no order_id"));
        assert_eq!(planned(&paid(&[]), None, &[], Some(&pending)), Verdict::Record(pending.seen()));
    }

    #[test]
    fn a_payment_is_recorded_once_and_a_second_is_told() {
        let already = Verdict::Settled(Settled::AlreadyRecorded { order: OrderId(7.into()) });
        for status in [OrderStatus::Paid, OrderStatus::Refunded] {
            let mut done = order(7, status);
            assert_eq!(verdict(&paid(&[("order_id", "7")]), Some(&done), &[]), already, "no intent noted");
            done.payment_intent = Some(PaymentIntentId::from("pi_1"));
            done.session = None;
            assert_eq!(verdict(&paid(&[("order_id", "7")]), Some(&done), &[]), already);
            done.payment_intent = Some(PaymentIntentId::from("pi_2"));
            assert!(is_unmatched(&verdict(&paid(&[("order_id", "7")]), Some(&done), &[]), "second"));
            done.payment_intent = None;
            assert!(is_unmatched(&verdict(&paid(&[("order_id", "7")]), Some(&done), &[]), "second"), "paid in cash");
        }
        let canceled = order(7, OrderStatus::Canceled);
        assert!(is_unmatched(&verdict(&paid(&[("order_id", "7")]), Some(&canceled), &[]), "canceled"));
    }
}
