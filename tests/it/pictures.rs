//! What payers see, as pictures of real pages in a real browser: `docs/pictures/`, shown in `docs/LINKS.md`.
//!
//! They are made again with `TOURNEY_WRITE_PICTURES=1 cargo test --test it -- pictures`; look at them before they are
//! committed. Without that, the pages are visited all the same, and the pictures must be there.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::sandbox_browser::Browser;
use crate::story::club::{Club, text};
use crate::support::{Answer, Listener};

/// A picture may weigh so much.
const HEAVIEST: usize = 60_000;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The club's own page, to which Stripe leads whoever has paid.
const THANKS: &str = "<!DOCTYPE html><meta charset=utf-8><title>Thank you</title><body style='margin:0;padding:2rem;\
    background:#f4f6fa;font:16px/1.5 sans-serif'><main style='max-width:28rem;margin:auto;padding:1.75rem;background:#fff;\
    border:1px solid #d5d9e2;border-radius:12px'><h1 style='margin:0 0 .5rem;font-size:1.3rem'>Thank you!</h1>\
    <p style='margin:0'>Your payment for the Spring Cup has arrived. See you on the court.</p></main>";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures")
}

/// Takes a picture of the page's main part, where pictures are asked for.
async fn picture(browser: &Browser, name: &str) {
    let shot = browser.ask(&format!("{}/screenshot", browser.element("main").await), None).await;
    let png = from_base64(text(&shot));
    assert!(png.starts_with(PNG) && png.len() < HEAVIEST, "{name} has {} bytes", png.len());
    let path = folder().join(name);
    if std::env::var_os("TOURNEY_WRITE_PICTURES").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(path, png).unwrap();
    }
}

/// RFC 4648, as WebDriver sends it.
fn from_base64(text: &str) -> Vec<u8> {
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let values = text.bytes().filter_map(|sign| SIGNS.iter().position(|one| *one == sign));
    let values: Vec<u32> = values.map(|value| u32::try_from(value).unwrap()).collect();
    let whole = |four: &[u32]| {
        let bits = (0..4).fold(0, |bits, at| bits << 6 | four.get(at).copied().unwrap_or(0));
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    values.chunks(4).flat_map(whole).collect()
}

/// The link of a player that may be sent.
fn url(club: &Club, player: i64) -> String {
    let links: Value = club.tourney(["links", "--json"]).run().expect(0).json();
    let of = links["links"].as_array().unwrap().iter().find(|one| one["player"] == player).unwrap().clone();
    text(&of["url"]).to_owned()
}

#[test]
fn payers_see_what_the_pictures_show() {
    let club = Club::on_sqlite();
    let thanks = Listener::start(|_| Answer::new(200, THANKS).header("content-type", "text/html"));
    let bill = || club.tourney(["apply", "--yes"]).env("TOURNEY_SUCCESS_URL", thanks.url("/thanks")).run().expect(0);
    bill();
    let (session, expired) = (club.order("1002").session().to_owned(), url(&club, 1002));
    club.expire(&session);
    club.append("policy: {link: payment_link}");
    bill();
    let link = url(&club, 1001);
    club.block_on(async {
        let Some(browser) = Browser::if_there_is_one().await else { return };
        let goes_to = |url: &str| json!({"url": url});
        browser.ask("/window/rect", Some(json!({"width": 560, "height": 900}))).await;

        browser.ask("/url", Some(goes_to(&link))).await;
        assert_eq!(browser.text(".amount").await, "$55.00");
        picture(&browser, "link.png").await;
        browser.click("button").await;
        let email = browser.element("#email").await;
        assert_eq!(browser.ask(&format!("{email}/property/value"), None).await, "parent01@example.com");
        browser.type_into("#card", "4242 4242 4242 4242").await;
        picture(&browser, "checkout.png").await;
        browser.click("button").await;
        browser.arrives_at(&thanks.url("/thanks")).await;
        picture(&browser, "paid.png").await;

        browser.ask("/url", Some(goes_to(&link))).await;
        assert!(
            browser.text("[role=status]").await.starts_with("Spring Cup: this link is closed, nothing can be paid")
        );
        picture(&browser, "closed-link.png").await;
        browser.ask("/url", Some(goes_to(&expired))).await;
        assert!(browser.text("[role=status]").await.contains("expired"));
        picture(&browser, "expired-session.png").await;
        browser.stop().await;
    });
}

#[test]
fn the_pictures_are_there_small_and_shown() {
    let shown = include_str!("../../docs/LINKS.md");
    let mut pictures: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    pictures.sort();
    assert_eq!(pictures.len(), 5);
    for path in pictures {
        let (bytes, name) = (std::fs::read(&path).unwrap(), path.file_name().unwrap().to_str().unwrap().to_owned());
        assert!(bytes.starts_with(PNG) && bytes.len() < HEAVIEST, "{name} has {} bytes", bytes.len());
        assert!(shown.contains(&format!("(pictures/{name})")), "{name} is not shown");
    }
}

#[test]
fn base64_is_read() {
    for (text, read) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")] {
        assert_eq!(from_base64(text), read.as_bytes());
    }
}
