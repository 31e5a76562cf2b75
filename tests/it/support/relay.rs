//! A relay between a command and PostgreSQL. It reads each statement that goes by, so that a test can act between two of
//! them, or cut the connection at one.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What becomes of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It is carried out and answered.
    Pass,
    /// The connection is cut; the server never hears of the statement.
    CutBefore,
    /// It is carried out; the connection is cut before the answer.
    CutAfter,
    /// It is carried out; of the answer come so many bytes, and the connection is cut.
    CutWithin(usize),
    /// It is carried out; instead of the answer comes the server's word that it has crashed.
    CrashAfter,
    /// The command's end is cut, and the server is told nothing of it, as where a network has gone: it waits for more.
    Vanish,
}

/// What is asked about before a connection is made: it is refused where this does not pass.
pub(crate) const CONNECT: &str = "CONNECT";

type Decide = dyn FnMut(&str) -> Then + Send;

/// Listens on a free port of 127.0.0.1 until it is dropped.
pub(crate) struct Relay {
    url: String,
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    /// Of the answers that were cut within.
    lengths: Arc<Mutex<Vec<usize>>>,
    listening: Option<JoinHandle<()>>,
}

impl Relay {
    /// Before the database of a URL as the harness makes them. `decide` is asked before each connection and each statement,
    /// one at a time: what it does is done exactly there.
    pub(crate) fn start(database: &str, decide: impl FnMut(&str) -> Then + Send + 'static) -> Self {
        let parsed = url::Url::parse(database).unwrap();
        let folder = parsed.query_pairs().find(|(key, _)| key == "host").unwrap().1.into_owned();
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let decide: Arc<Mutex<Decide>> = Arc::new(Mutex::new(decide));
        // Held open to the relay's end, as a server holds what it does not know to be gone.
        let vanished = Arc::new(Mutex::new(Vec::new()));
        let lengths = Arc::new(Mutex::new(Vec::new()));
        let listening = std::thread::spawn({
            let (stop, lengths) = (Arc::clone(&stop), Arc::clone(&lengths));
            move || {
                for client in socket.incoming() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let (client, decide, vanished) = (client.unwrap(), Arc::clone(&decide), Arc::clone(&vanished));
                    let lengths = Arc::clone(&lengths);
                    let path = format!("{folder}/.s.PGSQL.5432");
                    std::thread::spawn(move || {
                        if decide.lock().unwrap()(CONNECT) != Then::Pass {
                            return;
                        }
                        // Where there is no server, or an end goes away, the connection ends, and so does this.
                        let Ok(server) = UnixStream::connect(path) else { return };
                        if let Ok(Some(server)) = serve(client, server, &decide, &lengths) {
                            vanished.lock().unwrap().push(server);
                        }
                    });
                }
            }
        });
        let url = format!("postgres://postgres@{address}{}?sslmode=disable", parsed.path());
        Self { url, address, stop, lengths, listening: Some(listening) }
    }

    /// The database through the relay.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How many bytes each answer had that was cut within.
    pub(crate) fn lengths(&self) -> Vec<usize> {
        self.lengths.lock().unwrap().clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

/// Relays one connection: what the command asks up to a Sync, then what the server answers up to its readiness. Gives the
/// server's end where the command's has vanished.
fn serve(
    mut client: TcpStream,
    mut server: UnixStream,
    decide: &Mutex<Decide>,
    lengths: &Mutex<Vec<usize>>,
) -> io::Result<Option<UnixStream>> {
    client.set_nodelay(true)?;
    let hello = message(&mut client, Vec::new())?;
    server.write_all(&hello)?;
    client.write_all(&answer(&mut server)?)?;
    let mut statements = Statements::default();
    loop {
        let (asked, statement) = statements.next(&mut client)?;
        let then = statement.map_or(Then::Pass, |sql| decide.lock().unwrap()(&sql));
        match then {
            Then::CutBefore => return Ok(None),
            Then::Vanish => return Ok(Some(server)),
            Then::Pass | Then::CutAfter | Then::CutWithin(_) | Then::CrashAfter => server.write_all(&asked)?,
        }
        let answered = answer(&mut server)?;
        match then {
            Then::Pass => client.write_all(&answered)?,
            Then::CutWithin(bytes) => {
                lengths.lock().unwrap().push(answered.len());
                return client.write_all(&answered[..bytes.min(answered.len())]).map(|()| None);
            }
            Then::CrashAfter => return client.write_all(&crash()).map(|()| None),
            _ => return Ok(None),
        }
    }
}

/// The statements that a connection has prepared, by their names.
#[derive(Default)]
struct Statements(HashMap<Vec<u8>, String>);

impl Statements {
    /// What is asked next, whole, with the text of the statement that is carried out by it.
    fn next(&mut self, client: &mut TcpStream) -> io::Result<(Vec<u8>, Option<String>)> {
        let (mut asked, mut bound, mut carried_out) = (Vec::new(), None, None);
        loop {
            let mut kind = [0];
            client.read_exact(&mut kind)?;
            let message = message(client, kind.to_vec())?;
            let mut fields = message[5..].split(|byte| *byte == 0);
            let mut field = || fields.next().unwrap_or_default();
            match kind[0] {
                b'P' => drop(self.0.insert(field().to_vec(), text(field()))),
                b'B' => {
                    let (_portal, statement) = (field(), field());
                    bound = self.0.get(statement).cloned();
                }
                b'E' => carried_out = bound.take(),
                b'Q' => carried_out = Some(text(field())),
                _ => {}
            }
            asked.extend(message);
            if matches!(kind[0], b'S' | b'Q' | b'X') {
                return Ok((asked, carried_out));
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads a message behind its kind: its length, which counts itself, and the rest.
fn message(from: &mut impl Read, mut message: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    message.extend(length);
    let start = message.len();
    message.resize(start + u32::from_be_bytes(length) as usize - length.len(), 0);
    from.read_exact(&mut message[start..])?;
    Ok(message)
}

/// Everything that the server says until it is ready for more, or has gone.
fn answer(server: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut answered = Vec::new();
    loop {
        let mut kind = [0];
        match server.read_exact(&mut kind) {
            Err(_) if !answered.is_empty() => return Ok(answered),
            read => read?,
        }
        answered.extend(message(server, kind.to_vec())?);
        if kind[0] == b'Z' {
            return Ok(answered);
        }
    }
}

/// What every connection is told when one of the server's processes has crashed.
fn crash() -> Vec<u8> {
    let fields = "SFATAL\0VFATAL\0C57P02\0Mterminating connection because of crash of another server process\0\0";
    let length = u32::try_from(fields.len() + 4).unwrap();
    [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat()
}
