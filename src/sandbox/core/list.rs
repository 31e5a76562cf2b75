//! Lists: newest first, cursors, filters by time (<https://docs.stripe.com/api/pagination>).

use serde_json::{Value, json};

use super::error::ApiError;
use super::route::Request;
use super::shelf::{Kind, Record};
use super::{Core, expand};

/// One page of the records of `kind` that `keep` keeps, rendered and expanded.
///
/// # Errors
/// 400 for a limit out of bounds, both cursors, a cursor that is not known, or a property that cannot be expanded.
pub(super) fn page(
    core: &Core,
    request: &Request,
    kind: Kind,
    keep: impl Fn(&Record) -> bool,
) -> Result<Value, ApiError> {
    let cursor_known = |id: &str| core.shelf.get(kind, id).is_some_and(|record| record.live == request.live);
    let window = Window::of(request, kind.spoken(), cursor_known)?;
    let all = core.shelf.newest(kind, request.live).filter(|(_, record)| keep(record) && created(request, record));
    let (chosen, has_more) = window.cut(all.map(|(id, record)| (id.to_owned(), core.render(kind, record))));
    finish(core, request, chosen, has_more)
}

/// One page of values that carry their own ids, in the order given.
///
/// # Errors
/// As [`page`].
pub(super) fn page_of(core: &Core, request: &Request, word: &str, values: &[Value]) -> Result<Value, ApiError> {
    let window = Window::of(request, word, |id| values.iter().any(|value| value["id"] == id))?;
    let items = values.iter().map(|value| (value["id"].as_str().unwrap_or_default().to_owned(), value.clone()));
    let (chosen, has_more) = window.cut(items);
    finish(core, request, chosen, has_more)
}

fn finish(core: &Core, request: &Request, data: Vec<Value>, has_more: bool) -> Result<Value, ApiError> {
    let mut list = json!({"object": "list", "url": request.path, "has_more": has_more, "data": null});
    // Moved: the macro would copy every object.
    list["data"] = Value::Array(data);
    expand::expand(core, request, list)
}

struct Window {
    limit: usize,
    after: Option<String>,
    before: Option<String>,
}

impl Window {
    fn of(request: &Request, word: &str, known: impl Fn(&str) -> bool) -> Result<Self, ApiError> {
        let limit = request.integer("limit").unwrap_or(10);
        if limit < 1 {
            let message = "This value must be greater than or equal to 1.";
            return Err(ApiError::invalid(message).code("parameter_invalid_integer").param("limit"));
        }
        if limit > 100 {
            let message = "This value must be less than or equal to 100 (including 100).";
            return Err(ApiError::invalid(message).code("parameter_invalid_integer").param("limit"));
        }
        let cursor = |name: &str| match request.text(name) {
            Some(id) if !known(id) => Err(ApiError::no_such(word, id, name).status(400)),
            id => Ok(id.map(str::to_owned)),
        };
        let window = Self {
            limit: usize::try_from(limit).unwrap_or(10),
            after: cursor("starting_after")?,
            before: cursor("ending_before")?,
        };
        if window.after.is_some() && window.before.is_some() {
            let message = "You may only specify one of these parameters: starting_after, ending_before.";
            return Err(ApiError::invalid(message).param("starting_after"));
        }
        Ok(window)
    }

    /// The page, and whether more stands beyond it in the direction of travel.
    fn cut(&self, items: impl Iterator<Item = (String, Value)>) -> (Vec<Value>, bool) {
        if let Some(before) = &self.before {
            let newer: Vec<Value> = items.take_while(|(id, _)| id != before).map(|(_, value)| value).collect();
            let skipped = newer.len().saturating_sub(self.limit);
            return (newer.into_iter().skip(skipped).collect(), skipped > 0);
        }
        let mut items: Box<dyn Iterator<Item = (String, Value)>> = match &self.after {
            Some(after) => Box::new(items.skip_while(move |(id, _)| id != after).skip(1)),
            None => Box::new(items),
        };
        let page: Vec<Value> = items.by_ref().take(self.limit).map(|(_, value)| value).collect();
        (page, items.next().is_some())
    }
}

/// The filter on `created`: exact, or any of gt, gte, lt, lte.
fn created(request: &Request, record: &Record) -> bool {
    let (filter, at) = (&request.params["created"], record.number("created"));
    if let Some(exact) = filter.as_i64() {
        return at == exact;
    }
    let bound = |name: &str, holds: fn(i64, i64) -> bool| filter[name].as_i64().is_none_or(|limit| holds(at, limit));
    bound("gt", |a, b| a > b) && bound("gte", |a, b| a >= b) && bound("lt", |a, b| a < b) && bound("lte", |a, b| a <= b)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};
    use serde_json::{Value, json};

    use super::Window;

    fn items(count: usize) -> Vec<(String, Value)> {
        (0..count).map(|n| (format!("id{n}"), json!({"id": format!("id{n}")}))).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn walking_in_either_direction_sees_everything_once(count in 0usize..40, limit in 1usize..12) {
            let all: Vec<Value> = items(count).into_iter().map(|(_, value)| value).collect();
            let mut seen: Vec<Value> = Vec::new();
            loop {
                let after = seen.last().map(|v| v["id"].as_str().unwrap().to_owned());
                let (page, more) = Window { limit, after, before: None }.cut(items(count).into_iter());
                seen.extend(page);
                if !more { break; }
            }
            prop_assert_eq!(&seen, &all);
            if count == 0 { return Ok(()); }
            let mut back: Vec<Value> = vec![all[count - 1].clone()];
            loop {
                let before = back.first().map(|v| v["id"].as_str().unwrap().to_owned());
                let (mut page, more) = Window { limit, after: None, before }.cut(items(count).into_iter());
                page.append(&mut back);
                back = page;
                if !more { break; }
            }
            prop_assert_eq!(&back, &all);
        }
    }
}
