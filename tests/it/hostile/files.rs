//! What stands where a manifest should: no text, no file, no end.

use std::fmt::Write as _;

use super::{BASE, applied, assert_untouched, contents, refused};
use crate::support::Folder;

/// Bytes that are no manifest.
fn bytes() -> Vec<(&'static str, Vec<u8>)> {
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(BASE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let latin = BASE.replace("Jordan", "J\u{f6}rdan").chars().map(|c| u8::try_from(c).unwrap()).collect();
    let mut nul = BASE.as_bytes().to_vec();
    nul[100] = 0;
    vec![
        ("empty", Vec::new()),
        ("blank", b"  \n\t\n".to_vec()),
        ("only a byte order mark", "\u{feff}".into()),
        ("UTF-16", utf16),
        ("Latin-1", latin),
        ("half a character at the end", [BASE.as_bytes(), b"# \xe2\x82"].concat()),
        ("an overlong sign", [BASE.as_bytes(), b"# \xc0\xaf"].concat()),
        ("a surrogate", [BASE.as_bytes(), b"# \xed\xa0\x80"].concat()),
        ("a NUL", nul),
        ("nothing but NULs", vec![0; 4096]),
        ("a bell in a key", BASE.replace("name:", "na\u{7}me:").into()),
        ("an escape in a key", BASE.replace("name:", "\u{1b}[31mname:").into()),
        ("turned writing", BASE.replace("Jordan", "\"\u{202e}nadroJ\"").into()),
        ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        ("a database", b"SQLite format 3\0\x10\0\x01\x01".to_vec()),
        ("a program", b"\x7fELF\x02\x01\x01\0\0\0".to_vec()),
        ("an archive", b"PK\x03\x04\x14\0\0\0\x08\0".to_vec()),
        ("JSON of something else", b"{\"players\": {}}".to_vec()),
        ("a JSON list", b"[1, 2, 3]".to_vec()),
        ("XML", b"<?xml version=\"1.0\"?><players/>".to_vec()),
        ("HTML", b"<!doctype html><p>404</p>".to_vec()),
        ("TOML", b"[tournament]\nid = 5\n".to_vec()),
        ("CSV", b"id,name,email\n1,Jordan Example,parent17@example.com\n".to_vec()),
        ("a script", b"#!/bin/sh\nexit 0\n".to_vec()),
        ("Markdown", b"# Utah\n\n* a\n* b\n".to_vec()),
        ("a letter", b"Dear parents,\n\nplease pay.\n".to_vec()),
        ("a merge conflict", BASE.replace("players:", "<<<<<<< HEAD\nplayers:\n=======\n>>>>>>> x").into()),
        ("a template", BASE.replace("utah-2026", "{{ id }}").into()),
        ("brackets", "[".repeat(60_000).into()),
        ("brackets of both kinds", "[{a: ".repeat(30_000).into()),
        ("dashes", "- ".repeat(60_000).into()),
        ("a bomb", bomb().into()),
        (
            "a bomb of merges",
            "a: &a {x: 1}\n".chars().chain("b: {<<: [*a, *a, *a]}\n".repeat(5000).chars()).collect::<String>().into(),
        ),
        ("a chain of aliases to itself", b"a: &a [*a, *a]\n".to_vec()),
        ("a key without end", ("x".repeat(3_000_000) + ": 1\n").into()),
        ("ten million signs", "x".repeat(10_000_000).into()),
        ("a million documents", "---\n".repeat(200_000).into()),
        ("fifty thousand problems", many_problems().into()),
        ("tags", "!!python/object/apply:os.system [\"touch owned\"]\n".into()),
        ("an include", BASE.replace("fees:", "fees: !include /etc/passwd\nx:").into()),
        ("a directive", format!("%YAML 9.9\n---\n{BASE}").into()),
    ]
}

fn bomb() -> String {
    (0..40).fold("a0: &a0 [x, x]\n".to_owned(), |mut text, n| {
        writeln!(text, "a{}: &a{} [*a{n}, *a{n}, *a{n}, *a{n}]", n + 1, n + 1).unwrap();
        text
    })
}

fn many_problems() -> String {
    let players: String = (0..10_000).map(|n| format!("  - {{id: {n}, name: A, email: none, fee: 9}}\n")).collect();
    BASE.split("players:").next().unwrap().to_owned() + "players:\n" + &players
}

/// What the file system can hold in the place of a file: name, and the shell's words that make it.
const PLACES: &[(&str, &str)] = &[
    ("a folder", "mkdir odd"),
    ("a pipe", "mkfifo odd"),
    ("a link to nowhere", "ln -s nothing odd"),
    ("a link to itself", "ln -s odd odd"),
    ("a link to a link to itself", "ln -s odd other; ln -s other odd"),
    ("a link to a folder", "ln -s / odd"),
    ("a link to a pipe", "mkfifo pipe; ln -s pipe odd"),
    ("a link to what never ends", "ln -s /dev/zero odd"),
    ("a link to random bytes", "ln -s /dev/urandom odd"),
    ("a link to nothing at all", "ln -s /dev/null odd"),
    ("a link to the process's own memory", "ln -s /proc/self/mem odd"),
    ("no file", ":"),
];

/// Names under which there is no manifest.
const NAMES: &[&str] =
    &["/", ".", "..", "/dev/zero", "/dev/stdin", "/dev/tty", "/proc/self/environ", "tournament.yaml/x", "-", "~", "*"];

#[test]
fn bytes_that_are_no_manifest_are_refused() {
    let folder = applied();
    let cases = bytes();
    for (n, (_, bytes)) in cases.iter().enumerate() {
        folder.write(&format!("odd-{n}.yaml"), "");
        std::fs::write(folder.path(&format!("odd-{n}.yaml")), bytes).unwrap();
    }
    let before = contents(&folder);
    for (n, (name, _)) in cases.iter().enumerate() {
        let file = format!("odd-{n}.yaml");
        let plan = refused(name, folder.tourney(["plan", &file]));
        assert!(plan.stderr.contains(&file), "{name} names no file:\n{}", plan.stderr);
        assert!(plan.stderr.len() < 100_000, "{name} floods the terminal");
        let apply = refused(name, folder.tourney(["apply", "--yes", "--json", &file]));
        assert_eq!(apply.code(), Some(1), "{name}");
    }
    assert_untouched(&before, &contents(&folder), "what is no manifest");
}

#[test]
fn what_is_no_file_is_refused_and_never_waited_for() {
    for (name, make) in PLACES {
        let folder = applied();
        folder.sh(make).run().expect(0);
        let before = contents(&folder);
        for args in
            [&["validate", "odd"][..], &["plan", "odd"], &["apply", "--yes", "odd"], &["status", "--json", "odd"]]
        {
            let outcome = refused(&format!("{args:?}, {name}"), folder.tourney(args));
            assert_eq!(outcome.code(), Some(1), "{args:?}, {name}");
        }
        assert_untouched(&before, &contents(&folder), name);
    }
}

#[test]
fn names_that_lead_nowhere_are_refused() {
    let folder = applied();
    let long = "x".repeat(5_000);
    let before = contents(&folder);
    for name in NAMES.iter().copied().chain([long.as_str(), "odd\u{1b}[31m\nname.yaml"]) {
        refused(name, folder.tourney(["validate", "--", name]));
        refused(name, folder.tourney(["plan", "--json", "--", name]));
    }
    assert_untouched(&before, &contents(&folder), "a name that leads nowhere");
}

/// As root every file can be read, so that this holds only for everybody else.
#[test]
fn a_file_that_may_not_be_read_is_refused() {
    let folder = applied();
    folder.sh("cp tournament.yaml odd; chmod 000 odd").run().expect(0);
    if std::fs::read(folder.path("odd")).is_err() {
        let outcome = refused("unreadable", folder.tourney(["plan", "odd"]));
        assert!(outcome.stderr.contains("cannot be read"), "{}", outcome.stderr);
    }
}

/// What bad input leaves in a folder in which tourney never ran.
#[test]
fn a_bad_manifest_makes_no_state_folder() {
    let folder = Folder::new().with("tournament.yaml", "version: 2\n");
    for args in
        [&["plan"][..], &["apply", "--yes"], &["verify"], &["status"], &["links"], &["sandbox", "seed", "incident"]]
    {
        refused(&format!("{args:?}"), folder.tourney(args));
    }
    assert_eq!(contents(&folder).len(), 1, "{:?}", contents(&folder).keys());
}
