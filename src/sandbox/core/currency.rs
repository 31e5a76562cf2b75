//! Currencies: which there are, how many decimals, and Stripe's smallest charge
//! (<https://docs.stripe.com/currencies>).

/// Currencies Stripe presents prices in.
const SUPPORTED: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp \
    byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd \
    hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk \
    mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar \
    sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof \
    xpf yer zar zmw";

const ZERO_DECIMAL: [&str; 16] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"];

/// Whether Stripe knows the currency (in lower case).
pub(super) fn known(currency: &str) -> bool {
    SUPPORTED.split_ascii_whitespace().any(|known| known == currency)
}

/// The supported currencies, as an error lists them.
pub(super) fn listed() -> String {
    SUPPORTED.split_ascii_whitespace().collect::<Vec<_>>().join(", ")
}

/// The smallest charge in minor units. Where Stripe names none, half a unit stands for the equivalent of 0.50 USD.
pub(super) fn minimum(currency: &str) -> i64 {
    match currency {
        "gbp" => 30,
        "czk" => 1500,
        "dkk" => 250,
        "hkd" => 400,
        "huf" => 17500,
        "mxn" => 1000,
        "aed" | "myr" | "pln" | "ron" => 200,
        "nok" | "sek" => 300,
        "thb" => 1000,
        "bgn" => 100,
        _ => 50,
    }
}

/// An amount of minor units for people, for example `$12.50` or `1250 jpy`.
pub(in crate::sandbox) fn show(amount: i64, currency: &str) -> String {
    if ZERO_DECIMAL.contains(&currency) {
        return format!("{amount} {currency}");
    }
    let plain = format!("{}.{:02}", amount / 100, amount % 100);
    if currency == "usd" { format!("${plain}") } else { format!("{plain} {currency}") }
}
