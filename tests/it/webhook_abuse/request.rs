//! A case as bytes on the wire.

use serde_json::{Value, json};

use super::case::Case;
use super::fill::{Signing, Words, fill};
use super::http::{Ends, Sent};
use super::scene::{Scene, Subject};

/// What is known of a subject.
pub(crate) struct About<'a> {
    pub(crate) subject: &'a Subject,
    /// A fresh event id, the case's own.
    pub(crate) id: &'a str,
    /// The session of an order that nobody may touch.
    pub(crate) other: &'a Subject,
}

impl Words for About<'_> {
    fn word(&self, word: &str) -> Option<Vec<u8>> {
        let intent = |subject: &Subject| subject.intent.as_ref().map(ToString::to_string).unwrap_or_default();
        let text = match word {
            "id" => self.id.to_owned(),
            "session" => self.subject.session.to_string(),
            "order" => self.subject.order.to_string(),
            "intent" => intent(self.subject),
            "other session" => self.other.session.to_string(),
            "other order" => self.other.order.to_string(),
            "other intent" => intent(self.other),
            _ => return None,
        };
        Some(text.into_bytes())
    }
}

impl<A: Words, B: Words> Words for (&A, &B) {
    fn word(&self, word: &str) -> Option<Vec<u8>> {
        self.0.word(word).or_else(|| self.1.word(word))
    }
}

/// The body that a case signs.
pub(crate) fn body(scene: &Scene, case: &Case, about: &About<'_>, id: &str) -> Vec<u8> {
    let mut bytes = match &case.text {
        Some(text) => fill(text, about),
        None => event(scene, case, about, id).into_bytes(),
    };
    if let Some(length) = case.pad {
        assert!(bytes.len() <= length, "{}: {} bytes before it is padded", case.name, bytes.len());
        bytes.resize(length, b' ');
    }
    bytes
}

fn event(scene: &Scene, case: &Case, about: &About<'_>, id: &str) -> String {
    let kind = case.event.as_deref().unwrap_or("checkout.session.completed");
    let mut event = scene.event(kind, about.subject);
    event["id"] = json!(id);
    for (place, value) in &case.set {
        let (parent, name) = place.rsplit_once('/').unwrap();
        let parent = event.pointer_mut(parent).unwrap_or_else(|| panic!("{}: no {parent}", case.name));
        let value = match value {
            Value::String(text) => json!(String::from_utf8(fill(text, about)).unwrap()),
            value => serde_json::from_slice(&fill(&value.to_string(), about)).unwrap(),
        };
        parent[name] = value;
    }
    for place in &case.remove {
        let (parent, name) = place.rsplit_once('/').unwrap();
        let parent = event.pointer_mut(parent).and_then(Value::as_object_mut);
        let removed = parent.and_then(|parent| parent.remove(name));
        assert!(removed.is_some(), "{}: there is no {place}", case.name);
    }
    // As Stripe sends it.
    let mut text = serde_json::to_string_pretty(&event).unwrap();
    for (from, to) in &case.swap {
        let (from, to) = (fill(from, about), fill(to, about));
        let (from, to) = (String::from_utf8(from).unwrap(), String::from_utf8(to).unwrap());
        assert!(text.contains(&from), "{}: no {from} in {text}", case.name);
        text = text.replacen(&from, &to, 1);
    }
    text
}

/// The whole request for a body, signed now.
pub(crate) fn request(scene: &Scene, case: &Case, about: &About<'_>, signed: &[u8]) -> Sent {
    let other = json!({"id": "evt_other", "type": "checkout.session.completed"}).to_string();
    let signing = Signing { now: scene.club.hands.second(), body: signed, other: other.as_bytes() };
    let words = (&signing, about);
    let body = match &case.sent {
        Some(sent) => fill(sent, &(&words, &Body(signed))),
        None => signed.to_vec(),
    };
    let mut head = Vec::new();
    let line = |head: &mut Vec<u8>, bytes: &[u8]| {
        head.extend_from_slice(bytes);
        head.extend_from_slice(b"\r\n");
    };
    let said = |text: &Option<String>, usual: &str| fill(text.as_deref().unwrap_or(usual), &words);
    let first = [said(&case.method, "POST"), said(&case.path, "/webhooks/stripe"), said(&case.version, "HTTP/1.1")];
    line(&mut head, &first.join(&b' '));
    if !case.hostless {
        line(&mut head, format!("Host: {}", scene.authority()).as_bytes());
    }
    line(&mut head, b"Connection: close");
    if !case.headers.iter().any(|header| header.to_lowercase().starts_with("content-type")) {
        line(&mut head, b"Content-Type: application/json; charset=utf-8");
    }
    if !case.unsigned {
        let signature = said(&case.signature, "t=<<now>>,v1=<<v1>>");
        line(&mut head, &[b"Stripe-Signature: ", signature.as_slice()].concat());
    }
    for header in &case.headers {
        line(&mut head, &fill(header, &words));
    }
    match (&case.length, case.chunks) {
        (Some(length), _) if length == "none" => {}
        (Some(length), _) => line(&mut head, format!("Content-Length: {length}").as_bytes()),
        (None, Some(_)) => line(&mut head, b"Transfer-Encoding: chunked"),
        (None, None) => line(&mut head, format!("Content-Length: {}", body.len()).as_bytes()),
    }
    line(&mut head, b"");
    let body = match case.chunks {
        Some(size) => chunked(&body, size),
        None => body,
    };
    Sent { pieces: pieces(case, head, &body), ends: ends(case) }
}

fn pieces(case: &Case, head: Vec<u8>, body: &[u8]) -> Vec<Vec<u8>> {
    let body = &body[..case.stop.unwrap_or(body.len()).min(body.len())];
    match case.drip {
        Some(size) => std::iter::once(head).chain(body.chunks(size).map(<[u8]>::to_vec)).collect(),
        None => vec![[head.as_slice(), body].concat()],
    }
}

fn ends(case: &Case) -> Ends {
    match case.ends.as_deref() {
        None => Ends::Whole,
        Some("hangs-up") => Ends::HangsUp,
        Some("stalls") => Ends::Stalls,
        Some(other) => panic!("{}: nobody knows how it {other}", case.name),
    }
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// `<<body>>`: what was signed.
struct Body<'a>(&'a [u8]);

impl Words for Body<'_> {
    fn word(&self, word: &str) -> Option<Vec<u8>> {
        (word == "body").then(|| self.0.to_vec())
    }
}
