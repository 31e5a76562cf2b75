//! Where an order stands in a table: our own schema, or one that is adopted.

use crate::domain::OrderStatus;

/// How a column's values travel. Every column is read as text (`CAST("c" AS TEXT)`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// A text column: the parameter as it is.
    Text,
    /// An integer column.
    Integer,
    /// Any other type that has a text form (an enum, a UUID, a numeric): the parameter is cast to this type.
    Typed(String),
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, unquoted.
    pub name: String,
    /// How its values travel.
    pub codec: Codec,
}

impl Column {
    /// A text column.
    #[must_use]
    pub fn text(name: &str) -> Self {
        Self { name: name.to_owned(), codec: Codec::Text }
    }

    /// An integer column.
    #[must_use]
    pub fn integer(name: &str) -> Self {
        Self { name: name.to_owned(), codec: Codec::Integer }
    }
}

/// The columns of an order. What is none is not mapped: it is neither read, nor compared, nor written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The primary key.
    pub id: Column,
    /// The player.
    pub player: Column,
    /// The fee; in an adopted table the product.
    pub fee: Column,
    /// What is owed.
    pub amount: Column,
    /// Where it stands.
    pub status: Column,
    /// The recorded session.
    pub session: Column,
    /// The recorded payment intent.
    pub payment_intent: Column,
    /// The tournament; without it the scope is the manifest's fees.
    pub tournament: Option<Column>,
    /// The currency; without it [`Mapping::currency`] is taken for granted.
    pub currency: Option<Column>,
    /// The recorded link.
    pub url: Option<Column>,
    /// The link's end, in seconds since 1970 UTC.
    pub expires_at: Option<Column>,
    /// When the row was made, in seconds since 1970 UTC.
    pub created_at: Option<Column>,
    /// When it was last written, in seconds since 1970 UTC.
    pub updated_at: Option<Column>,
}

/// Who gives a new order its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdSource {
    /// We do: `ord_` and 26 characters of 128 bits.
    Ours,
    /// The database does, and says which (`RETURNING`).
    Database,
}

/// The unit of the amount column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountUnit {
    /// The currency's minor unit, an integer.
    Minor,
    /// The currency's major unit, an exact decimal.
    Major,
}

/// The table's words for the four statuses; none is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusWords {
    /// The word for pending.
    pub pending: String,
    /// The word for paid.
    pub paid: String,
    /// The word for canceled.
    pub canceled: Option<String>,
    /// The word for refunded.
    pub refunded: Option<String>,
}

impl StatusWords {
    /// The table's word.
    #[must_use]
    pub fn word(&self, status: OrderStatus) -> Option<&str> {
        match status {
            OrderStatus::Pending => Some(&self.pending),
            OrderStatus::Paid => Some(&self.paid),
            OrderStatus::Canceled => self.canceled.as_deref(),
            OrderStatus::Refunded => self.refunded.as_deref(),
        }
    }

    /// What a word of the table means.
    #[must_use]
    pub fn status(&self, word: &str) -> Option<OrderStatus> {
        OrderStatus::ALL.into_iter().find(|status| self.word(*status) == Some(word))
    }
}

/// Where orders stand. Our own schema is one value of it, an adopted table another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The table's name in its parts: `orders`, or schema and table.
    pub table: Vec<String>,
    /// Its columns.
    pub columns: Columns,
    /// Who gives ids.
    pub ids: IdSource,
    /// Its words for the statuses.
    pub statuses: StatusWords,
    /// The unit of its amounts.
    pub amount: AmountUnit,
    /// The currency of every row where no column says it.
    pub currency: Option<crate::domain::Currency>,
    /// Constants for other columns of a new row.
    pub insert: Vec<(Column, String)>,
    /// Whether tourney makes the table.
    pub make_table: bool,
}

impl Mapping {
    /// Our own schema: the table `orders`, made by tourney.
    #[must_use]
    pub fn own() -> Self {
        let word = |status: OrderStatus| status.word().to_owned();
        Self {
            table: vec!["orders".to_owned()],
            columns: Columns {
                id: Column::text("id"),
                player: Column::text("player_id"),
                fee: Column::text("fee_id"),
                amount: Column::integer("amount_cents"),
                status: Column::text("status"),
                session: Column::text("stripe_checkout_session_id"),
                payment_intent: Column::text("stripe_payment_intent_id"),
                tournament: Some(Column::text("tournament_id")),
                currency: Some(Column::text("currency")),
                url: Some(Column::text("checkout_url")),
                expires_at: Some(Column::integer("expires_at")),
                created_at: Some(Column::integer("created_at")),
                updated_at: Some(Column::integer("updated_at")),
            },
            ids: IdSource::Ours,
            statuses: StatusWords {
                pending: word(OrderStatus::Pending),
                paid: word(OrderStatus::Paid),
                canceled: Some(word(OrderStatus::Canceled)),
                refunded: Some(word(OrderStatus::Refunded)),
            },
            amount: AmountUnit::Minor,
            currency: None,
            insert: Vec::new(),
            make_table: true,
        }
    }
}
