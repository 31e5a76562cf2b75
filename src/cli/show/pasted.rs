//! What a pasted address leads to: people have the link of a mail, and not its id.

use crate::domain::{Payable, SessionId};
use crate::render::Failure;

use super::Site;

/// The name behind a word: itself, or where it is the address of a link, the session, Payment Link or order that it is of.
/// Never the address's query, which may hold the payer's e-mail address.
///
/// # Errors
/// Where Stripe does not answer.
pub(super) async fn name_of(site: &Site, what: &str) -> Result<String, Failure> {
    let Some(pasted) = Pasted::read(what) else { return Ok(what.to_owned()) };
    if let Some(session) = pasted.session {
        return Ok(session.as_str().to_owned());
    }
    let links = site.stripe.list_active_payment_links().await?;
    let is_it = |link: &&Payable| link.url.as_deref() == Some(pasted.address);
    let link = links.iter().find(is_it).map(|link| link.id.as_str().to_owned());
    Ok(link.or(pasted.reference).unwrap_or_else(|| pasted.address.to_owned()))
}

/// The parts of an address that say what it is of.
#[derive(Debug, PartialEq, Eq)]
struct Pasted<'a> {
    /// Without query and fragment.
    address: &'a str,
    /// The session whose page it is.
    session: Option<SessionId>,
    /// The order that a Payment Link was handed out for.
    reference: Option<String>,
}

impl<'a> Pasted<'a> {
    /// None for what is no address.
    fn read(what: &'a str) -> Option<Self> {
        let is_address = ["https://", "http://"].iter().any(|scheme| what.starts_with(scheme));
        let whole = is_address.then_some(what)?.split('#').next()?;
        let (address, query) = whole.split_once('?').unwrap_or((whole, ""));
        let session = address.split('/').find(|part| part.starts_with("cs_")).map(SessionId::from);
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let reference = pairs.find(|(name, _)| name == "client_reference_id").map(|(_, id)| id.into_owned());
        Some(Self { address, session, reference: reference.filter(|id| !id.is_empty() && !id.contains('@')) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let read = |what| Pasted::read(what).map(|it| (it.address, it.session, it.reference));
        let link = "https://buy.stripe.com/4gw";
        assert_eq!(read(link), Some((link, None, None)));
        let mailed = format!("{link}?client_reference_id=ord_1&prefilled_email=kim%40example.com");
        assert_eq!(Pasted::read(&mailed).unwrap().reference.as_deref(), Some("ord_1"));
        assert_eq!(Pasted::read(&mailed).unwrap().address, link);
        let session = "https://checkout.stripe.com/c/pay/cs_test_a1#fidkdWxOYHwnPyd1";
        assert_eq!(Pasted::read(session).unwrap().session, Some(SessionId::from("cs_test_a1")));
        for word in ["1017", "parent17@example.com", "cs_test_a1", "plink_1"] {
            assert_eq!(read(word), None, "{word}");
        }
        assert_eq!(Pasted::read("https://buy.stripe.com/1?client_reference_id=a%40b.example").unwrap().reference, None);
    }
}
