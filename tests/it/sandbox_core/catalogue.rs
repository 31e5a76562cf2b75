//! Products and prices, as strict as reuse by content needs them.

use serde_json::{Value, json};

use super::{CREATE, FORM, LINE, LINKS, Sandbox, message};

const PRICES: &str = "/v1/prices";
const PRODUCTS: &str = "/v1/products";

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

fn made(sandbox: &mut Sandbox, path: &str, form: &str) -> String {
    let (status, object) = sandbox.post(path, form);
    assert_eq!(status, 200, "{form}: {object}");
    object["id"].as_str().unwrap().to_owned()
}

fn price(sandbox: &mut Sandbox, product: &str, more: &str) -> String {
    made(sandbox, PRICES, &format!("product={product}&currency=usd&unit_amount=5500&{more}"))
}

#[test]
fn a_lookup_key_belongs_to_one_price() {
    let mut sandbox = Sandbox::new();
    let product = made(&mut sandbox, PRODUCTS, "name=17U");
    let first = price(&mut sandbox, &product, "lookup_key=17u-5500");
    let form = format!("product={product}&currency=usd&unit_amount=5500&lookup_key=17u-5500");
    let (status, body) = sandbox.post(PRICES, &form);
    assert_eq!((status, &body["error"]["param"]), (400, &json!("lookup_key")));
    assert_eq!(message(&body), format!("A price (`{first}`) already uses that lookup key."));
    sandbox.post(&format!("{PRICES}/{first}"), "active=false");
    assert_eq!(sandbox.get(PRICES, "lookup_keys[]=17u-5500").1["data"], json!([]), "archived prices are not listed");
    assert_eq!(sandbox.post(PRICES, &form).0, 400, "an archived price keeps its key");
    let second = made(&mut sandbox, PRICES, &format!("{form}&transfer_lookup_key=true"));
    let (_, old) = sandbox.get(&format!("{PRICES}/{first}"), "");
    assert_eq!((&old["lookup_key"], &old["active"]), (&json!(null), &json!(false)));
    assert_eq!(ids(&sandbox.get(PRICES, "lookup_keys[]=17u-5500&lookup_keys[]=none").1), [second.as_str()]);
    let (_, events) = sandbox.get("/v1/events", "type=price.updated");
    assert_eq!(events["data"][0]["data"]["previous_attributes"], json!({"lookup_key": "17u-5500"}));
    assert_eq!(sandbox.post(&format!("{PRICES}/{second}"), "lookup_key=17u-5500").0, 200, "its own key is no conflict");
    assert_eq!(sandbox.post(&format!("{PRICES}/{first}"), "lookup_key=17u-5500").0, 400);
    assert_eq!(sandbox.post(&format!("{PRICES}/{first}"), "lookup_key=17u-5500&transfer_lookup_key=true").0, 200);
    assert_eq!(sandbox.get(&format!("{PRICES}/{second}"), "").1["lookup_key"], json!(null));
    let long = format!("{form}&lookup_key={}", "k".repeat(201));
    assert_eq!(sandbox.post(PRICES, &long).1["error"]["param"], "lookup_key");
    let keys: Vec<String> = (0..11).map(|n| format!("lookup_keys[]=k{n}")).collect();
    assert_eq!(sandbox.get(PRICES, &keys.join("&")).0, 400);
}

#[test]
fn prices_are_found_by_what_they_are() {
    let mut sandbox = Sandbox::new();
    let (one, other) = (made(&mut sandbox, PRODUCTS, "name=17U"), made(&mut sandbox, PRODUCTS, "name=16U"));
    let (a, b) = (price(&mut sandbox, &one, ""), price(&mut sandbox, &other, ""));
    let yen = made(&mut sandbox, PRICES, &format!("product={one}&currency=jpy&unit_amount=900"));
    let archived = price(&mut sandbox, &one, "active=false");
    for (query, want) in [
        (String::new(), vec![&yen, &b, &a]),
        ("active=true".to_owned(), vec![&yen, &b, &a]),
        ("active=false".to_owned(), vec![&archived]),
        (format!("product={one}"), vec![&yen, &a]),
        (format!("product={one}&currency=USD"), vec![&a]),
        ("type=one_time&currency=jpy".to_owned(), vec![&yen]),
        ("type=recurring".to_owned(), vec![]),
        ("recurring[interval]=month".to_owned(), vec![]),
        (format!("limit=1&starting_after={b}"), vec![&a]),
    ] {
        assert_eq!(ids(&sandbox.get(PRICES, &query).1), want, "{query}");
    }
    let (status, body) = sandbox.get(PRICES, "product=prod_none");
    assert_eq!((status, message(&body)), (400, "No such product: 'prod_none'"));
    assert_eq!(sandbox.get(PRICES, "unit_amount=5500").1["error"]["code"], "parameter_unknown");
    let (status, body) = sandbox.get(&format!("{PRICES}/price_none"), "");
    assert_eq!((status, &body["error"]["param"]), (404, &json!("price")));
}

#[test]
fn inline_products_are_archived_and_inline_prices_not_listed() {
    let mut sandbox = Sandbox::new();
    sandbox.session("");
    sandbox.link("");
    assert_eq!(sandbox.get(PRICES, "").1["data"], json!([]));
    assert_eq!(sandbox.get(PRICES, "active=false").1["data"], json!([]));
    let (_, products) = sandbox.get(PRODUCTS, "");
    assert_eq!(ids(&products).len(), 2, "they pile up");
    assert!(products["data"].as_array().unwrap().iter().all(|product| product["active"] == false));
    assert_eq!(sandbox.get(PRODUCTS, "active=true").1["data"], json!([]));
    let line = sandbox.get(CREATE, "expand[]=data.line_items").1["data"][0]["line_items"]["data"][0].clone();
    let inline = line["price"]["id"].as_str().unwrap();
    let form = format!("line_items[0][price]={inline}&line_items[0][quantity]=1");
    let (status, body) = sandbox.post(LINKS, &form);
    assert_eq!((status, &body["error"]["param"]), (400, &json!("line_items[0][price]")));
    assert_eq!(message(&body), "The price specified is inactive. This field only accepts active prices.");
    let listed = made(&mut sandbox, PRICES, "currency=usd&unit_amount=5500&product_data[name]=17U");
    assert_eq!(ids(&sandbox.get(PRICES, "").1), [listed.as_str()]);
    assert_eq!(ids(&sandbox.get(PRODUCTS, "active=true").1).len(), 1, "through the prices' own endpoint both stand");
    let events = sandbox.events();
    assert_eq!(events[events.len() - 2..], ["product.created", "price.created"]);
}

#[test]
fn an_archived_product_cannot_be_bought_and_closes_its_links() {
    let mut sandbox = Sandbox::new();
    let product = made(&mut sandbox, PRODUCTS, "name=17U");
    let price = price(&mut sandbox, &product, "");
    let form = format!("line_items[0][price]={price}&line_items[0][quantity]=1");
    let link = made(&mut sandbox, LINKS, &form);
    let other = sandbox.link("");
    sandbox.post(&format!("{PRICES}/{price}"), "active=false");
    assert_eq!(sandbox.read_link(&link)["active"], true, "not known of prices: the more dangerous reading");
    sandbox.post(&format!("{PRICES}/{price}"), "active=true");
    let (_, archived) = sandbox.post(&format!("{PRODUCTS}/{product}"), "active=false");
    assert_eq!(archived["active"], false);
    assert_eq!(
        (&sandbox.read_link(&link)["active"], &sandbox.read_link(&other)["active"]),
        (&json!(false), &json!(true))
    );
    let events = sandbox.events();
    assert_eq!(events[events.len() - 2..], ["product.updated", "payment_link.updated"]);
    for (path, form) in [(LINKS, form.clone()), (CREATE, format!("mode=payment&success_url=https://x.example&{form}"))]
    {
        let (status, body) = sandbox.post(path, &form);
        assert_eq!((status, &body["error"]["param"]), (400, &json!("line_items[0][price]")), "{path}");
        let told = format!("Price `{price}` is not available to be purchased because its product is not active.");
        assert_eq!(message(&body), told);
    }
}

#[test]
fn a_renamed_product_shows_on_its_links_and_not_on_older_sessions() {
    let mut sandbox = Sandbox::new();
    let product = made(&mut sandbox, PRODUCTS, "name=17U");
    let price = price(&mut sandbox, &product, "");
    let link = made(&mut sandbox, LINKS, &format!("line_items[0][price]={price}&line_items[0][quantity]=1"));
    let session = sandbox.visit(&link);
    sandbox.post(&format!("{PRODUCTS}/{product}"), "name=17U%20Elite&metadata[a]=b");
    let shown = |sandbox: &mut Sandbox, path: String| sandbox.get(&path, "").1["data"][0]["description"].clone();
    assert_eq!(shown(&mut sandbox, format!("{LINKS}/{link}/line_items")), "17U Elite");
    assert_eq!(shown(&mut sandbox, format!("{CREATE}/{session}/line_items")), "17U");
    let (_, events) = sandbox.get("/v1/events", "type=product.updated");
    let previous = &events["data"][0]["data"]["previous_attributes"];
    assert_eq!(previous, &json!({"metadata": {"a": null}, "name": "17U"}));
}

#[test]
fn products_and_prices_refuse_as_stripe_does() {
    let mut sandbox = Sandbox::new();
    let product = made(&mut sandbox, PRODUCTS, "name=17U");
    let price = price(&mut sandbox, &product, "tax_behavior=inclusive");
    let base = format!("product={product}&currency=usd");
    for (path, form, told) in [
        (
            PRICES.to_owned(),
            base.clone(),
            "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
        ),
        (
            PRICES.to_owned(),
            format!("{base}&unit_amount=1&product_data[name]=x"),
            "You may only specify one of these parameters: product, product_data.",
        ),
        (
            PRICES.to_owned(),
            "currency=usd&unit_amount=1".to_owned(),
            "You must specify either `product` or `product_data` when creating a price.",
        ),
        (format!("{PRICES}/{price}"), "unit_amount=1".to_owned(), "Received unknown parameter: unit_amount"),
        (
            format!("{PRICES}/{price}"),
            "tax_behavior=exclusive".to_owned(),
            "Once `tax_behavior` is specified as either inclusive or exclusive, it cannot be changed.",
        ),
        (format!("{PRODUCTS}/{product}"), "default_price=price_none".to_owned(), "No such price: 'price_none'"),
        (PRODUCTS.to_owned(), String::new(), "Missing required param: name."),
    ] {
        let (status, body) = sandbox.post(&path, &form);
        assert_eq!((status, message(&body)), (400, told), "{path} {form}");
    }
    assert_eq!(sandbox.post(&format!("{PRODUCTS}/prod_none"), "name=x").0, 404);
    assert_eq!(sandbox.get(PRODUCTS, &format!("ids[]={product}&starting_after={product}")).0, 400);
    let form = format!("{LINE}&line_items[0][price_data][lookup_key]=x");
    assert_eq!(sandbox.post(LINKS, &form).1["error"]["code"], "parameter_unknown");
    assert_eq!(sandbox.post(CREATE, &FORM.replace("name]", "colour]")).1["error"]["code"], "parameter_unknown");
}
