//! `tourney links`: only what may be sent, in a form that a spreadsheet cannot misread.

use serde_json::{Value, json};
use tourney::sandbox::core::{Control, Prefill, TestCard};

use crate::support::{Folder, applied_camp, assert_valid, camp, control, linked_camp};

const COLUMNS: [&str; 12] = [
    "player",
    "name",
    "email",
    "fee",
    "fee_name",
    "amount",
    "currency",
    "order_id",
    "session_id",
    "url",
    "expires_at",
    "kind",
];

fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap(), &COLUMNS[..]);
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn links(folder: &Folder) -> Vec<Value> {
    let document = folder.tourney(["links", "--json"]).run().expect(0).json();
    assert_valid("links", &document);
    document["links"].as_array().unwrap().clone()
}

#[test]
fn each_open_link_is_a_line_with_the_whole_address() {
    let folder = applied_camp();
    let outcome = folder.tourney(["links"]).run().expect(0);
    let rows = rows(&outcome.stdout);
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1][..7], ["1", "Robin Sample", "sample.family@example.com", "7", "Shirt", "18.00", "usd"]);
    assert!(
        rows.iter().all(|row| row[9].contains(&row[8]) && row[10].ends_with('Z') && row[11] == "session"),
        "{rows:?}"
    );
    assert!(!outcome.stderr.contains("warning"), "{}", outcome.stderr);
    // A name that a spreadsheet would compute.
    assert_eq!(rows[2][1], "'=SUM(A1)");
    let json = links(&folder);
    assert_eq!((&json[2]["name"], &json[1]["amount"]), (&json!("=SUM(A1)"), &json!(1800)));
}

#[test]
fn both_ways_to_ask_for_json_print_the_same() {
    let folder = applied_camp();
    let format = folder.tourney(["links", "--format", "json", "--player", "kim"]).run().expect(0).json();
    assert_valid("links", &format);
    assert_eq!(format["links"].as_array().unwrap().len(), 1);
    assert_eq!(format["links"][0], links(&folder)[2]);
    assert_eq!(rows(&folder.tourney(["links", "--format", "csv", "--player", "1"]).run().expect(0).stdout).len(), 2);
    folder.tourney(["links", "--format", "csv", "--json"]).run().expect(64);
    folder.tourney(["links", "--format", "xml"]).run().expect(64);
    folder.tourney(["links", "--player", "nobody"]).run().expect(64);
}

#[test]
fn links_that_die_soon_are_warned_about() {
    let folder = applied_camp();
    control(&folder, Control::Advance { seconds: 19 * 3600 });
    let outcome = folder.tourney(["links"]).run().expect(0);
    assert_eq!(rows(&outcome.stdout).len(), 3);
    assert!(outcome.stderr.contains("warning: 3 links die within 6 hours, the first in 4 h "), "{}", outcome.stderr);
}

#[test]
fn what_must_not_be_sent_is_left_out_and_counted() {
    let folder = applied_camp();
    let all = links(&folder);
    let session = |at: usize| all[at]["session_id"].as_str().unwrap().to_owned();
    control(&folder, Control::Pay { session: session(0), card: TestCard::Success, email: None });
    control(&folder, Control::Expire { session: session(1) });
    let outcome = folder.tourney(["links"]).run().expect(0);
    assert_eq!(rows(&outcome.stdout).len(), 1);
    assert!(outcome.stderr.contains("warning: 1 registration has no link to send: tourney plan"), "{}", outcome.stderr);

    // An open link at which the wrong amount would be paid.
    folder.write("tournament.yaml", &folder.read("tournament.yaml").replace("amount: 240.00", "amount: 250.00"));
    let outcome = folder.tourney(["links", "--json"]).run().expect(0);
    assert_eq!((&outcome.json()["links"], &outcome.json()["missing"]), (&json!([]), &json!(2)));
}

#[test]
fn a_payment_link_has_no_end_and_its_page_knows_the_payer() {
    let folder = linked_camp();
    let rows = rows(&folder.tourney(["links"]).run().expect(0).stdout);
    assert_eq!(rows.len(), 3);
    for row in &rows {
        assert!(row[8].starts_with("plink_") && row[10].is_empty() && row[11] == "payment_link", "{row:?}");
        let query = format!("?client_reference_id={}&prefilled_email={}", row[7], row[2].replace('@', "%40"));
        assert!(row[9].ends_with(&query), "{row:?}");
    }
    let json = links(&folder);
    assert_eq!((&json[0]["kind"], &json[0]["expires_at"]), (&json!("payment_link"), &Value::Null));
    assert_eq!(json[0]["url"], json!(rows[0][9]));

    // Days later it is as good as on the first day; the address is the manifest's of today.
    control(&folder, Control::Advance { seconds: 30 * 24 * 3600 });
    folder.write("tournament.yaml", &folder.read("tournament.yaml").replace("dune@", "dune+new@"));
    let outcome = folder.tourney(["links", "--json"]).run().expect(0);
    assert!(!outcome.stderr.contains("warning"), "{}", outcome.stderr);
    let url = outcome.json()["links"][2]["url"].as_str().unwrap().to_owned();
    assert!(url.ends_with("&prefilled_email=dune%2Bnew%40example.com"), "{url}");
    let visit = control(&folder, Control::Visit { link: url, prefill: Prefill::default() });
    assert_eq!(visit["client_reference_id"], json[2]["order_id"], "{visit:#}");
    let session = visit["id"].as_str().unwrap().to_owned();
    // No address is typed: the page has it.
    let paid = control(&folder, Control::Pay { session, card: TestCard::Success, email: None });
    assert_eq!(paid["customer_details"]["email"], "dune+new@example.com", "{paid:#}");
}

#[test]
fn where_output_is_shared_a_link_names_its_order_and_nobodys_address() {
    let folder = linked_camp();
    let order = links(&folder)[2]["order_id"].as_str().unwrap().to_owned();
    let reference = format!("?client_reference_id={order}");
    let status = folder.tourney(["status"]).run().expect(0).stdout;
    assert!(status.contains("open until it is paid or closed") && status.contains(&reference), "{status}");
    let status = folder.tourney(["status", "--json"]).run().expect(0).json();
    assert_valid("status", &status);
    let kim = &status["registrations"][2];
    assert_eq!((&kim["kind"], &kim["expires_at"]), (&json!("payment_link"), &Value::Null));
    let page = folder.tourney(["show", "kim"]).run().expect(0).stdout;
    assert!(page.contains(&reference) && page.contains("payment link plink_"), "{page}");

    let other = camp();
    other.write("tournament.yaml", &folder.read("tournament.yaml"));
    let applied = other.tourney(["apply", "--yes"]).run().expect(0).stdout;
    assert_eq!(applied.matches("?client_reference_id=").count(), 3, "{applied}");
    assert_eq!(applied.matches("until it is paid or closed").count(), 3, "{applied}");
    for text in [status.to_string(), page, applied] {
        assert!(
            !text.contains("prefilled_email") && !text.contains("40example.com") && !text.contains("dune@"),
            "{text}"
        );
    }
}

/// A parent writes that the link does not work, and sends it along: it may be old, and holds an address.
#[test]
fn a_pasted_link_leads_to_its_order_and_shows_nobodys_address() {
    let folder = linked_camp();
    let kim = links(&folder)[2].clone();
    let url = kim["url"].as_str().unwrap();
    let plain = url.split('?').next().unwrap();
    let page = |what: &str| folder.tourney(["show", what]).run().expect(0).stdout;
    for pasted in [url, plain, &format!("{plain}#top")] {
        assert!(page(pasted).contains(kim["order_id"].as_str().unwrap()), "{}", page(pasted));
        assert_eq!(page(pasted), page(kim["session_id"].as_str().unwrap()), "{pasted}");
    }

    // It was closed, and another has taken its place.
    let text = folder.read("tournament.yaml");
    folder.write("tournament.yaml", &text.replace("link: payment_link", "link: session"));
    folder.tourney(["apply", "--yes"]).run().expect(0);
    assert_eq!(page(url), page(kim["order_id"].as_str().unwrap()));
    let session = links(&folder)[2].clone();
    assert_eq!(page(session["url"].as_str().unwrap()), page(session["session_id"].as_str().unwrap()));

    let nobodys = "https://buy.stripe.com/1?prefilled_email=kim%40example.com";
    let outcome = folder.tourney(["show", nobodys]).run().expect(1);
    assert!(
        outcome.stderr.contains("buy.stripe.com/1") && !outcome.stderr.contains("example.com"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn before_the_first_apply_there_is_only_the_header() {
    let outcome = camp().tourney(["links"]).run().expect(0);
    assert!(rows(&outcome.stdout).is_empty());
    assert!(outcome.stderr.contains("3 registrations have no link"), "{}", outcome.stderr);
}
