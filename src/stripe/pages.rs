//! Lists: page after page while Stripe says that there is more.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Answer;
use super::request::get;
use super::{Stripe, StripeError};
use crate::world::{Clock, Wire, WireRequest};

/// Stripe's largest page.
pub(super) const PAGE: i64 = 100;

/// A page: its objects, and whether there is more.
fn page(answer: &Answer) -> Result<(Vec<Value>, bool), StripeError> {
    let mut page = answer.json()?;
    match page.get_mut("data").map(Value::take) {
        Some(Value::Array(data)) => Ok((data, page["has_more"].as_bool().unwrap_or_default())),
        _ => Err(answer.unreadable("a list without its data")),
    }
}

impl<W: Wire, C: Clock> Stripe<W, C> {
    /// Every object of a list, newest first, each once; `page` makes the request for what comes after an id.
    ///
    /// # Errors
    /// As any request; [`StripeError::Unreadable`] where the list says that there is more and never goes on: half a list
    /// would read as "nothing there".
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        page: impl Fn(Option<&str>) -> WireRequest,
    ) -> Result<Vec<T>, StripeError> {
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let answer = self.call(page(cursor.as_deref())).await?;
            let (data, has_more) = self::page(&answer)?;
            let mut news = false;
            for object in data {
                let id = object.get("id").and_then(Value::as_str).map(str::to_owned);
                let id = id.ok_or_else(|| answer.unreadable("an object without an id in a list"))?;
                if seen.insert(id.clone()) {
                    news = true;
                    all.push(
                        serde_json::from_value(object)
                            .map_err(|_| answer.unreadable(&format!("{id} has another form")))?,
                    );
                }
                cursor = Some(id);
            }
            if !has_more {
                return Ok(all);
            }
            if !news {
                return Err(answer.unreadable("the list says that there is more, and its cursor does not move"));
            }
        }
    }

    /// Every object at a plain path.
    pub(super) async fn all_at<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Vec<T>, StripeError> {
        let limit = PAGE.to_string();
        self.all(|after| {
            let mut parameters = parameters.to_vec();
            parameters.push(("limit", &limit));
            parameters.extend(after.map(|id| ("starting_after", id)));
            get(path, &parameters)
        })
        .await
    }
}
