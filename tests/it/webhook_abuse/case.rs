//! The cases on files: what is sent, and what must come of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::dump::Refused;

/// Cases that abuse the same thing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    /// What they abuse, in the words.
    pub(crate) theme: String,
    /// The state of their order and session, where a case does not say another.
    #[serde(default = "paid")]
    pub(crate) subject: String,
    pub(crate) cases: Vec<Case>,
}

/// One request and what must come of it; further ones may follow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What is abused; none for a request that follows another.
    #[serde(default)]
    pub(crate) name: String,
    /// The state of the order and the session it is about: one of the scene's words.
    pub(crate) subject: Option<String>,
    /// What happens at Stripe before: commands of its sandbox.
    #[serde(default)]
    pub(crate) stripe: Vec<Value>,
    /// What the database refuses from now on.
    pub(crate) database: Option<Refused>,
    /// Its body is the event of this type about the session as Stripe made it; where it made none, as it would.
    pub(crate) event: Option<String>,
    /// Changes of that event: what stands at these places.
    #[serde(default)]
    pub(crate) set: BTreeMap<String, Value>,
    /// What is taken out of it.
    #[serde(default)]
    pub(crate) remove: Vec<String>,
    /// What is replaced in its text; each must be there.
    #[serde(default)]
    pub(crate) swap: BTreeMap<String, String>,
    /// A body of its own in the place of an event.
    pub(crate) text: Option<String>,
    /// What is sent in the place of the body that was signed.
    pub(crate) sent: Option<String>,
    /// Blanks behind the body until it has this length.
    pub(crate) pad: Option<usize>,
    /// The signature's header; by default a good one.
    pub(crate) signature: Option<String>,
    /// No signature at all.
    #[serde(default)]
    pub(crate) unsigned: bool,
    /// The request line and the headers, in the place of good ones.
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) version: Option<String>,
    /// Further headers.
    #[serde(default)]
    pub(crate) headers: Vec<String>,
    /// Without `Host`.
    #[serde(default)]
    pub(crate) hostless: bool,
    /// In chunks of this size, without a length.
    pub(crate) chunks: Option<usize>,
    /// Another length than the body's, or none.
    pub(crate) length: Option<String>,
    /// Only so many bytes of the body are sent.
    pub(crate) stop: Option<usize>,
    /// How the sending ends: `hangs-up` or `stalls`; else whole.
    pub(crate) ends: Option<String>,
    /// In pieces of this size, one after the other.
    pub(crate) drip: Option<usize>,
    /// What must come of it.
    pub(crate) expect: Expect,
    /// The status, where that is not what the word says; 0 for a connection that is cut.
    #[serde(default)]
    pub(crate) status: Vec<u16>,
    /// What is sent afterwards, about the same.
    #[serde(default)]
    pub(crate) then: Vec<Case>,
}

/// What must come of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Expect {
    /// 400: no byte of the database changes, and Stripe is asked nothing.
    Refused,
    /// 200, and that is all: it was there before.
    Known,
    /// 200: the event is stored, and its outcome is that it has no effect.
    Stored,
    /// 200: the event is stored for a person to look at; no order changes.
    Unmatched,
    /// 200: the event is stored, and its order is paid with the session's payment intent.
    Paid,
    /// 500: nothing is stored, so Stripe sends it again.
    Lost,
    /// 500: the event is stored without an outcome, so Stripe sends it again; no order changes.
    Kept,
    /// 500: the order is paid, and the event is stored without an outcome.
    KeptPaid,
    /// 200: what was kept gets the outcome that it has no effect.
    KeptThenIdle,
    /// 200: what was kept has its effect now.
    KeptThenPaid,
}

impl Expect {
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Refused => 400,
            Self::Lost | Self::Kept | Self::KeptPaid => 500,
            _ => 200,
        }
    }
}

fn paid() -> String {
    "paid".to_owned()
}

/// The cases of a file in `tests/webhook-abuse`.
pub(crate) fn read(file: &str) -> Vec<Group> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webhook-abuse").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}
