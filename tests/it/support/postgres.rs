//! One throw-away PostgreSQL cluster for the whole test run, started by the first test that asks for a database.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Makes the cluster, says where it is, and lives exactly as long as the test process: `cat` ends when the pipe from
/// us does, however we end (also by a panic or `kill -9`). Then the server is stopped and its folder removed. The folder is
/// under `/tmp` whatever `TMPDIR` says: a socket's path is short by law, and another user may have to enter it. Its data may
/// stand on a file system of its own, of so many bytes, which only the server's own processes see.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM PIPE
bin=$1
small=$2
dir=$(mktemp -d /tmp/tourney-pg.XXXXXX 2>&1) || { echo failed; echo "$dir"; exit 1; }
serve() {
    if [ -n "$small" ]; then
        mkdir "$dir/data" && mount -t tmpfs -o "size=$small,mode=700" tourney "$dir/data" || return
    fi
    "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale --no-sync &&
    "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 120 -o "-k $dir -c listen_addresses= -c fsync=off \
        -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 -c timezone=UTC" start
}
if serve >"$dir/setup" 2>&1; then
    echo "$dir"
    cat >/dev/null
    "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1
else
    echo failed
    cat "$dir/setup" "$dir/log" 2>/dev/null
fi
[ -z "$small" ] || umount "$dir/data"
rm -rf "$dir"
"#;

/// A running server. Dropping it, or the end of the process, ends it.
pub(crate) struct Cluster {
    /// Where its data, its log and its socket are.
    pub(crate) folder: String,
    /// Held for its standard input: the pipe whose end ends the watchdog.
    _watchdog: Child,
}

static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();

/// A fresh, empty database of its own, as a URL over a Unix socket (no port, so no two runs can collide).
///
/// `None` where PostgreSQL is not installed: the test says so and returns. Where `CI` is set that is a failure, so
/// that a half-equipped machine never passes for a tested one.
pub(crate) fn database() -> Option<String> {
    Some(create(shared()?, &next(), EMPTY, ""))
}

/// The same, and it sorts texts as people do: small and capital letters together, punctuation last of all that counts.
pub(crate) fn database_sorted_by_people() -> Option<String> {
    Some(create(shared()?, &next(), EMPTY, "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"))
}

/// A copy of a database that nobody is connected to.
pub(crate) fn copy_of(database: &str) -> String {
    let template = url::Url::parse(database).unwrap().path().trim_start_matches('/').to_owned();
    create(shared().unwrap(), &next(), &template, "")
}

fn next() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What an empty database is made of.
const EMPTY: &str = "template0";

fn create(folder: &str, name: &str, template: &str, sorted: &str) -> String {
    let create = format!("CREATE DATABASE {name} TEMPLATE {template} {sorted}");
    let postgres = url(folder, "postgres");
    // A thread of its own, because the calling test may already be inside a runtime.
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut connection = PgConnection::connect(&postgres).await.unwrap();
            sqlx::query(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    })
    .join()
    .unwrap();
    url(folder, name)
}

fn shared() -> Option<&'static str> {
    CLUSTER.get_or_init(cluster).as_ref().map(|cluster| cluster.folder.as_str())
}

impl Cluster {
    /// A fresh, empty database in this cluster.
    pub(crate) fn database(&self, name: &str) -> String {
        create(&self.folder, name, EMPTY, "")
    }

    /// A database that stands in this cluster.
    pub(crate) fn url(&self, name: &str) -> String {
        url(&self.folder, name)
    }

    /// Restarts the server and waits until it is up: `fast` ends what is under way, `immediate` is a crash.
    pub(crate) fn restart(&self, mode: &str) {
        let mut command = as_server(Command::new(binaries().unwrap().join("pg_ctl")));
        let folder = Path::new(&self.folder);
        command.arg("-D").arg(folder.join("data")).arg("-l").arg(folder.join("log"));
        let status = command.args(["-w", "-t", "120", "-m", mode, "restart"]).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "pg_ctl restart -m {mode}");
    }
}

/// Starts another cluster, for a test that does to the server what no other test may suffer; all others share that of
/// [`database`].
pub(crate) fn cluster() -> Option<Cluster> {
    Some(start(&installed()?))
}

fn installed() -> Option<PathBuf> {
    let binaries = binaries();
    if binaries.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI is set, and there is no PostgreSQL server to test against");
        eprintln!("\nPOSTGRESQL IS NOT INSTALLED: its tests are skipped. Debian: apt-get install postgresql\n");
    }
    binaries
}

/// The same on a file system of so many bytes that is its own. None, too, where the machine gives nobody such a one.
pub(crate) fn small_cluster(bytes: u64) -> Option<Cluster> {
    let binaries = installed()?;
    let mut command = as_server(Command::new("unshare"));
    command.args(["--user", "--map-current-user", "--keep-caps", "--mount", "sh", "-c", WATCHDOG, "watchdog"]);
    match begin(command.arg(binaries).arg(bytes.to_string())) {
        Ok(cluster) => Some(cluster),
        Err(said) => {
            eprintln!("\nNO FILE SYSTEM OF ITS OWN CAN BE MOUNTED: PostgreSQL on a full disk is skipped.\n{said}");
            None
        }
    }
}

fn url(folder: &str, database: &str) -> String {
    let mut host = String::new();
    for byte in folder.bytes() {
        match byte {
            b'/' => host.push_str("%2F"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => host.push(char::from(byte)),
            _ => write!(host, "%{byte:02X}").unwrap(),
        }
    }
    format!("postgres://postgres@localhost/{database}?host={host}")
}

/// The folder with the server's programs: Debian keeps them out of `PATH`, one folder for each version.
fn binaries() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin"));
    let mut debian: Vec<PathBuf> = debian.collect();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .into_iter()
        .rev()
        .chain(std::env::split_paths(&path))
        .chain([PathBuf::from("/usr/local/bin")])
        .find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file()))
}

fn start(binaries: &Path) -> Cluster {
    let mut command = as_server(Command::new("sh"));
    command.arg("-c").arg(WATCHDOG).arg("watchdog").arg(binaries).arg("");
    begin(&mut command).unwrap_or_else(|said| panic!("PostgreSQL did not start: {said}"))
}

/// The cluster, or what was said when it did not start.
fn begin(command: &mut Command) -> Result<Cluster, String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut watchdog = command.spawn().map_err(|error| error.to_string())?;
    let mut answer = BufReader::new(watchdog.stdout.take().unwrap());
    let mut first = String::new();
    answer.read_line(&mut first).unwrap();
    if !first.starts_with('/') {
        let mut log = String::new();
        answer.read_to_string(&mut log).unwrap();
        return Err(format!("{first}{log}"));
    }
    Ok(Cluster { folder: first.trim_end().to_owned(), _watchdog: watchdog })
}

/// A command as the server's user, whom no signal to the tests reaches.
fn as_server(mut command: Command) -> Command {
    command.current_dir("/").env("LC_ALL", "C").process_group(0);
    if let Some((user, group)) = unprivileged_user() {
        command.uid(user).gid(group);
    }
    command
}

/// The server refuses to run as root: then it runs as `postgres`, else as `nobody`.
fn unprivileged_user() -> Option<(u32, u32)> {
    let probe = tempfile::tempfile().unwrap();
    if probe.metadata().unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(ids("postgres").or_else(|| ids("nobody")).expect("root needs a user postgres or nobody to run the server"))
}
