//! What happened, line by line, for people.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tourney::observe::Observation;

/// The lines. Nothing is told where nobody listens: then a schedule runs faster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story(Option<Arc<Mutex<Vec<String>>>>);

impl Story {
    pub(crate) fn new(told: bool) -> Self {
        Self(told.then(Arc::default))
    }

    pub(crate) fn is_told(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn tell(&self, line: impl FnOnce() -> String) {
        if let Some(lines) = &self.0 {
            lines.lock().unwrap().push(line());
        }
    }

    pub(crate) fn tell_if(&self, worth: bool, line: impl FnOnce() -> String) {
        if worth {
            self.tell(line);
        }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.as_ref().map(|lines| lines.lock().unwrap().clone()).unwrap_or_default()
    }

    /// What has become of orders, attempts and payables between two moments.
    pub(crate) fn tell_change(&self, before: &Observation, now: &Observation) {
        if !self.is_told() {
            return;
        }
        let (was, is) = (pictured(before), pictured(now));
        for (id, said) in &is {
            if was.get(id) != Some(said) {
                self.tell(|| format!("    {id}: {said}"));
            }
        }
        for id in was.keys().filter(|id| !is.contains_key(*id)) {
            self.tell(|| format!("    {id} is gone"));
        }
    }
}

/// Each order, attempt and payable in a few words, by its id.
fn pictured(observed: &Observation) -> BTreeMap<String, String> {
    let orders = observed.facts.orders.iter().map(|order| {
        let session = order.session.as_ref().map_or("no link".to_owned(), ToString::to_string);
        (order.id.to_string(), format!("{} for {}, {}, {session}", order.status, order.registration, order.amount))
    });
    let attempts = observed
        .facts
        .attempts
        .iter()
        .map(|attempt| (format!("the attempt {}", attempt.id), format!("is open, for {}", attempt.order)));
    let payables = observed.payables.iter().map(|payable| {
        let paid = if payable.is_paid() { ", paid" } else { "" };
        let order = payable.metadata.get("order_id").map(|order| format!(" for {order}")).unwrap_or_default();
        (payable.id.to_string(), format!("a {} {}{paid}{order}", payable.state.word(), payable.kind.noun()))
    });
    orders.chain(attempts).chain(payables).collect()
}

/// Long ids by short names, in the order in which they come.
pub(crate) fn readable(lines: &[String]) -> String {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut told = String::new();
    for (number, line) in lines.iter().enumerate() {
        let mut words = Vec::new();
        for word in line.split(' ') {
            let parts: Vec<String> = word.split('/').map(|part| renamed(part, &mut names, &mut counts)).collect();
            words.push(parts.join("/"));
        }
        told.push_str(&format!("{:>4}  {}\n", number + 1, words.join(" ")));
    }
    told
}

fn renamed(part: &str, names: &mut BTreeMap<String, String>, counts: &mut BTreeMap<&str, usize>) -> String {
    let core = part.trim_end_matches([',', ':', ';', '.', ')']);
    let kind = match core {
        _ if core.len() < 16 => return part.to_owned(),
        _ if core.starts_with("ord_") => "order",
        _ if core.starts_with("evt_") => "event",
        _ if core.starts_with("cs_") => "session",
        _ if core.starts_with("plink_") => "link",
        _ if core.starts_with("pi_") => "payment",
        _ if core.len() == 36 && core.split('-').count() == 5 => "id",
        _ => return part.to_owned(),
    };
    let name = names.entry(core.to_owned()).or_insert_with(|| {
        let count = counts.entry(kind).or_default();
        *count += 1;
        format!("{kind}#{count}")
    });
    format!("{name}{}", &part[core.len()..])
}
