//! Where an order stands in a table: our own schema, or one that is adopted.

use jiff::Timestamp;

use crate::domain::OrderStatus;

use super::times::TimeForm;

/// How a column's values travel. Every column is read as text (`CAST("c" AS TEXT)`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// A text column: the parameter as it is.
    Text,
    /// An integer column.
    Integer,
    /// Any other type that has a text form (an enum, a UUID, a numeric): the parameter is cast to this type.
    Typed(TypeName),
    /// A moment, in seconds since 1970 UTC on our side.
    Time(TimeForm),
}

/// A type of the database, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    /// Its name in its parts: schema and type, or the type alone.
    pub parts: Vec<String>,
    /// What its values must look like, so that no other text is ever cast to it.
    pub holds: Holds,
}

/// What a type's values look like as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// One of these words: an enum's labels.
    Words(Vec<String>),
    /// A UUID.
    Uuid,
    /// An exact decimal.
    Number,
    /// What the database makes of it.
    Anything,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, unquoted.
    pub name: String,
    /// How its values travel.
    pub codec: Codec,
    /// Whether it takes no NULL: none is written as an empty text.
    pub blank: bool,
    /// How many characters it takes, where a longer text is to be left out.
    pub longest: Option<usize>,
}

impl Column {
    /// A column that takes NULL and a text of any length.
    #[must_use]
    pub fn new(name: &str, codec: Codec) -> Self {
        Self { name: name.to_owned(), codec, blank: false, longest: None }
    }

    /// A text column.
    #[must_use]
    pub fn text(name: &str) -> Self {
        Self::new(name, Codec::Text)
    }

    /// An integer column.
    #[must_use]
    pub fn integer(name: &str) -> Self {
        Self::new(name, Codec::Integer)
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
    /// The link's end.
    pub expires_at: Option<Column>,
    /// When the row was made.
    pub created_at: Option<Column>,
    /// When it was last written.
    pub updated_at: Option<Column>,
}

/// Who gives a new order its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdSource {
    /// We do: `ord_` and 26 characters of 128 bits.
    Ours,
    /// We do: a UUID with its dashes.
    OursUuid,
    /// We do: a UUID as 32 hexadecimal digits.
    OursHex,
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

/// The table's words for the four statuses: the first of them is written, all are read. Without a word a status is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusWords {
    /// The words for pending.
    pub pending: Vec<String>,
    /// The words for paid.
    pub paid: Vec<String>,
    /// The words for canceled.
    pub canceled: Vec<String>,
    /// The words for refunded.
    pub refunded: Vec<String>,
}

impl StatusWords {
    /// Every word that means it.
    #[must_use]
    pub fn words(&self, status: OrderStatus) -> &[String] {
        match status {
            OrderStatus::Pending => &self.pending,
            OrderStatus::Paid => &self.paid,
            OrderStatus::Canceled => &self.canceled,
            OrderStatus::Refunded => &self.refunded,
        }
    }

    /// The word that is written.
    #[must_use]
    pub fn word(&self, status: OrderStatus) -> Option<&str> {
        self.words(status).first().map(String::as_str)
    }

    /// What a word of the table means.
    #[must_use]
    pub fn status(&self, word: &str) -> Option<OrderStatus> {
        OrderStatus::ALL.into_iter().find(|status| self.words(*status).iter().any(|its| its == word))
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
    /// Rows made before this moment are out of scope.
    pub since: Option<Timestamp>,
    /// Whether a row may be deleted: not where its id could be given again, or where we lack the privilege.
    pub removable: bool,
    /// Whether currencies are written in capitals.
    pub capital_currency: bool,
}

impl Mapping {
    /// Our own schema: the table `orders`, made by tourney.
    #[must_use]
    pub fn own() -> Self {
        let words = |status: OrderStatus| vec![status.word().to_owned()];
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
                pending: words(OrderStatus::Pending),
                paid: words(OrderStatus::Paid),
                canceled: words(OrderStatus::Canceled),
                refunded: words(OrderStatus::Refunded),
            },
            amount: AmountUnit::Minor,
            currency: None,
            insert: Vec::new(),
            make_table: true,
            since: None,
            removable: true,
            capital_currency: false,
        }
    }
}
