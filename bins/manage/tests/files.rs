//! Files that spreadsheets, editors and Windows have saved, as `manage` reads and writes them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod program;

use std::fs;

use program::run;
use rollcall_testkit::ThrowAwayDatabase;

const HEADER: &str = "telegram_id,first_name,last_name,username,language_code,is_bot,created_at,\
                      updated_at,last_seen,has_private_chat,obstacle,blocked_at,unblocked_at,source";

/// A line of a user with this id and name.
fn row(id: u32, name: &str) -> String {
    let time = "2026-11-01T10:00:00.000000Z";
    format!("{id},{name},,,en,false,{time},{time},{time},true,,,,")
}

/// A file of these lines.
fn file(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn utf_16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A database of its own with `manage` on it, in a folder of its own.
struct Owner {
    database: ThrowAwayDatabase,
    folder: tempfile::TempDir,
}

impl Owner {
    fn of_each_kind() -> Vec<Self> {
        let databases = ThrowAwayDatabase::of_each_kind().into_iter();
        let owners =
            databases.map(|database| Self { database, folder: tempfile::tempdir().unwrap() });
        owners.inspect(|owner| assert_eq!(owner.run(&["migrate"]).0, 0)).collect()
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run_with(arguments, b"")
    }

    fn run_with(&self, arguments: &[&str], input: &[u8]) -> (i32, String, String) {
        run(self.folder.path(), arguments, input, &[("DATABASE_URL", self.database.url())])
    }

    /// Imports a file; answers the exit code and what was printed, without how long it took.
    fn import(&self, name: &str, bytes: impl AsRef<[u8]>) -> (i32, String) {
        self.import_with(&[], name, bytes)
    }

    fn import_with(&self, flags: &[&str], name: &str, bytes: impl AsRef<[u8]>) -> (i32, String) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
        let (code, printed, error) = self.run(&[&["import", name], flags].concat());
        let printed = printed.split(", in ").next().unwrap();
        (code, format!("{printed}{error}"))
    }

    fn export(&self, arguments: &[&str]) -> String {
        let (code, file, error) = self.run(&[&["export"], arguments].concat());
        assert_eq!((code, error.as_str()), (0, ""));
        file
    }
}

#[test]
fn what_spreadsheets_and_editors_have_saved_is_the_same_file() {
    for owner in Owner::of_each_kind() {
        let plain = file(&[HEADER, &row(1, "Ада 😀"), &row(2, "Bob"), &row(3, "C")]);
        let created = (0, "Done: 3 created, 0 updated, 0 unchanged, 0 refused".to_owned());
        assert_eq!(owner.import("plain.csv", &plain), created);
        let exported = owner.export(&[]);
        let flags = plain.replace("false", "FALSE").replace("true", "TRUE");
        let times = plain.replace("2026-11-01T10:00:00.000000Z", "01.11.2026 10:00");
        let lines = exported.replace('\n', "\r\n");
        for (name, bytes) in [
            ("mark", format!("\u{feff}{plain}").into_bytes()),
            ("utf_16", utf_16(&lines)),
            ("crlf", lines.clone().into_bytes()),
            ("cr", plain.replace('\n', "\r").into_bytes()),
            ("flags", flags.replace('\n', "\r\n").into_bytes()),
            ("times", times.into_bytes()),
            ("around", format!("\n,,\n{}", plain.replace('\n', ",,\n,,,,\n\n")).into_bytes()),
            ("named", format!("sep=,\r\n{plain}").into_bytes()),
            ("semicolons", format!("sep=;\r\n{plain}").replace(',', ";").into_bytes()),
            ("tabs", utf_16(&lines.replace(',', "\t"))),
        ] {
            let report = owner.import(&format!("{name}.csv"), bytes);
            let known = (0, "Done: 0 created, 0 updated, 3 unchanged, 0 refused".to_owned());
            assert_eq!(report, known, "{name}");
        }
        let objects = owner.export(&["--format", "jsonl"]);
        for bytes in [objects.replace('\n', "\r\n\r\n").into_bytes(), utf_16(&objects)] {
            let report = owner.import("users.jsonl", bytes);
            assert!(
                report.1.contains("0 created, 0 updated, 3 unchanged, 0 refused"),
                "{report:?}"
            );
        }
        assert_eq!(owner.export(&[]), exported);
    }
}

#[test]
fn what_cannot_be_read_is_named_with_the_line_that_an_editor_shows() {
    for owner in Owner::of_each_kind() {
        let wrong = [
            HEADER,
            &row(1, "\"two\nlines\""),
            "",
            &row(2, "B").replace("false", "maybe"),
            ",,,,",
            &row(3, "\"C"),
            &row(4, "\"D\""),
            &row(5, "E").replacen("2026-11-01T10:00:00.000000Z", "01/11/2026 10:00", 1),
            &row(6, &"x".repeat(70_000)),
            &row(7, &"x".repeat(20_000)),
            &row(8, "Z\u{fc}rich"),
            &row(9, "I\u{1b}[2J").replace(",en,", ",en,\u{1b}[2J"),
        ];
        let ansi = |text: String| {
            let bytes = text.chars().map(|it| u8::try_from(u32::from(it)).unwrap());
            bytes.collect::<Vec<_>>()
        };
        let ended_by = |end: &str| ansi(file(&wrong).replace('\n', end));
        for end in ["\n", "\r\n", "\r"] {
            let (code, report) = owner.import_with(&["--dry-run"], "wrong.csv", ended_by(end));
            insta::assert_snapshot!("wrong_lines", format!("{report}\n[exit code {code}]"));
        }
        owner.import("wrong.csv", ended_by("\r\n"));
        assert!(owner.export(&[]).contains("\n1,\"two\r\nlines\","));
        assert!(owner.run(&["stats"]).1.starts_with("Users        2, "));
    }
}

#[test]
fn a_file_without_the_columns_is_refused_in_a_line() {
    for owner in Owner::of_each_kind() {
        let unmarked: Vec<u8> = HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let story = [
            ("empty.csv", Vec::new()),
            ("separators.csv", b";;;\r\n".to_vec()),
            ("rows.csv", row(1, "A").into_bytes()),
            ("after.csv", b"sep=;\r\n\r\nid;name\r\n".to_vec()),
            ("open.csv", format!("\"{HEADER}\n{}", row(1, "A")).into_bytes()),
            ("unmarked.csv", unmarked),
        ]
        .map(|(name, bytes)| {
            let (code, report) = owner.import(name, bytes);
            format!("$ manage import {name}\n{report}[exit code {code}]\n")
        });
        insta::assert_snapshot!("wrong_columns", story.join("\n"));
    }
}

#[test]
fn a_file_for_excel_begins_with_a_byte_order_mark() {
    for owner in Owner::of_each_kind() {
        owner.import("users.csv", file(&[HEADER, &row(1, "Ада"), &row(2, "\"B;'=1+2\"")]));
        let plain = owner.export(&[]);
        let marked = owner.export(&["--bom"]);
        assert_eq!(marked, format!("\u{feff}{plain}"));
        assert!(plain.contains("\n2,\"B;'=1+2\","), "{plain}");
        let (_, users, _) = owner.run(&["users", "show", "2"]);
        assert!(users.contains("B;=1+2"), "{users}");
        assert!(owner.import("marked.csv", marked).1.contains("2 unchanged, 0 refused"));

        let path = owner.folder.path().join("excel.csv");
        let (code, ..) = owner.run(&["export", "--bom", "--output", "excel.csv"]);
        assert_eq!((code, fs::read_to_string(path).unwrap()), (0, format!("\u{feff}{plain}")));
        let (code, _, error) = owner.run(&["export", "--bom", "--format", "jsonl"]);
        assert_eq!((code, error.as_str()), (1, "error: --bom works only with CSV\n"));
    }
}

/// What a bot's folder has: `.env`, and what `manage` says there.
fn with_settings(settings: impl AsRef<[u8]>, arguments: &[&str]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), settings).unwrap();
    let (code, printed, error) = run(folder.path(), arguments, b"", &[]);
    let report = format!("{printed}{error}[exit code {code}]");
    let report = report.replace(folder.path().to_str().unwrap(), "FOLDER");
    (folder, report)
}

#[test]
fn settings_of_any_editor_are_taken_literally() {
    let settings =
        "# Settings\r\nexport DATABASE_URL=sqlite://pa$ss\\new.db # here\r\nRUST_LOG=\r\n";
    for bytes in
        [settings.as_bytes().to_vec(), utf_16(settings), settings.replace("\r\n", "\r").into()]
    {
        let (folder, report) = with_settings(bytes, &["migrate"]);
        assert!(
            report.contains("sqlite://pa$ss\\new.db is up to date: ")
                && report.ends_with("[exit code 0]"),
            "{report}"
        );
        assert!(folder.path().join("pa$ss\\new.db").is_file());
    }
    // The environment comes first, and an empty variable is none.
    let (folder, _) = with_settings("DATABASE_URL=sqlite://file.db", &["migrate"]);
    fs::remove_file(folder.path().join("file.db")).unwrap();
    for (url, made) in [("sqlite://own.db", "own.db"), ("", "file.db")] {
        let (code, ..) = run(folder.path(), &["migrate"], b"", &[("DATABASE_URL", url)]);
        assert_eq!(code, 0);
        assert!(folder.path().join(made).is_file(), "{made}");
    }
}

#[test]
fn a_wrong_line_of_settings_is_named_without_its_text() {
    for (settings, line, reason) in [
        ("\r\nTELEGRAM_BOT_TOKEN hunter2", 2, "expected NAME=value"),
        (
            "A=1\n\nTOKEN=\"hunter2\nB=2\nC=\"3\"",
            3,
            "a quotation mark is not closed, or text follows it",
        ),
    ] {
        let (_folder, report) = with_settings(settings, &["stats"]);
        let expected =
            format!("error: the file FOLDER/.env cannot be read: line {line}: {reason}\n");
        assert_eq!(report, format!("{expected}[exit code 1]"));
    }
}
