//! HTTP/1.1 by hand, so that a request can be as wrong as somebody wants it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How the sending ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// All has been sent.
    Whole,
    /// The sender hangs up.
    HangsUp,
    /// Nothing more comes; then the receiver's time is up.
    Stalls,
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Its pieces, each written by itself.
    pub(crate) pieces: Vec<Vec<u8>>,
    pub(crate) ends: Ends,
}

/// What came back: a status, or none where the connection was cut; and the text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// The status that stands for a connection without an answer.
pub(crate) const CUT: u16 = 0;

/// How long an answer is waited for; nothing takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends it to this host and port; `time_is_up` is called once all is sent that comes.
pub(crate) async fn send(authority: &str, sent: &Sent, time_is_up: impl FnOnce()) -> Answer {
    let (mut read, mut write) = TcpStream::connect(authority).await.unwrap().into_split();
    let writing = async {
        for piece in &sent.pieces {
            // A receiver that has heard enough may close the connection.
            if write.write_all(piece).await.is_err() || write.flush().await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        match sent.ends {
            Ends::Whole => {}
            Ends::HangsUp => drop(write.shutdown().await),
            Ends::Stalls => time_is_up(),
        }
    };
    let mut bytes = Vec::new();
    let reading = async { drop(read.read_to_end(&mut bytes).await) };
    let both = futures_util::future::join(writing, reading);
    tokio::time::timeout(PATIENCE, both).await.expect("the receiver answers or hangs up");
    answer(&bytes)
}

fn answer(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.get(..3)?.parse().ok());
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    Answer { status: status.unwrap_or(CUT), text: body.unwrap_or_default() }
}
