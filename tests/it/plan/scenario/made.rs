//! Parts of a scenario made by code: random worlds are built of them.

use tourney::domain::{FeeId, Metadata, OrderId, OrderStatus, PlayerId, SessionId};

use super::{ADecision, APlayer, APolicy, ARetired, ASession, AnOrder, fee_5};

impl ASession {
    pub(crate) fn new(id: &str, is: &str, order: Option<i64>, amount: i64, age: i64) -> Self {
        Self {
            id: SessionId(id.to_owned()),
            is: is.to_owned(),
            link: None,
            order: order.map(|id| OrderId(id.into())),
            metadata: Metadata::new(),
            amount,
            currency: None,
            email: None,
            payments_for: None,
            unlimited: false,
            intent: None,
            refunded: 0,
            disputed: false,
            age,
        }
    }
}

impl AnOrder {
    pub(crate) fn new(
        id: i64,
        player: i64,
        fee: i64,
        amount: i64,
        status: OrderStatus,
        session: Option<String>,
        age: Option<i64>,
    ) -> Self {
        let intent = session.as_ref().filter(|_| !status.is_live() || status == OrderStatus::Paid);
        Self {
            id: OrderId(id.into()),
            player: PlayerId(player.into()),
            fee: FeeId(fee.into()),
            amount,
            currency: None,
            status,
            intent: intent.map(|session| format!("pi_{session}")),
            session: session.map(SessionId),
            age,
        }
    }
}

impl APlayer {
    pub(crate) fn new(id: i64, fees: &[i64], amount: i64, cash: bool) -> Self {
        Self {
            id: PlayerId(id.into()),
            owes: fees.iter().map(|fee| (FeeId((*fee).into()), amount)).collect(),
            paid: cash.then(|| "cash".to_owned()),
            renamed_from: None,
            email: None,
        }
    }
}

impl ARetired {
    pub(crate) fn new(order: i64, player: i64) -> Self {
        Self { order: OrderId(order.into()), player: PlayerId(player.into()), fee: fee_5(), session: None }
    }
}

impl APolicy {
    pub(crate) fn new(replace: bool, delete: bool) -> Self {
        Self {
            stale: replace.then(|| "replace".to_owned()),
            retire: delete.then(|| "delete".to_owned()),
            withdrawn: None,
            max_retired: None,
            link: None,
        }
    }
}

impl ADecision {
    pub(crate) fn bill_again(player: i64, fee: i64) -> Self {
        Self {
            player: PlayerId(player.into()),
            fee: FeeId(fee.into()),
            finding: "settled-before".to_owned(),
            amount: None,
            order: None,
            session: None,
            bill: true,
        }
    }
}
