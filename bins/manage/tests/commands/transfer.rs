//! `manage export` and `import`.

use super::*;

/// What is written from one database and taken into another is written there alike, byte for byte,
/// names that are formulas and odd lines included.
#[tokio::test(flavor = "multi_thread")]
async fn users_travel_from_one_database_to_another() {
    let databases = ThrowAwayDatabase::of_each_kind();
    for from in &databases {
        fill_with_odd_names(from).await;
        for format in ["csv", "jsonl"] {
            let export = |database: &ThrowAwayDatabase| {
                let (code, file, error) = run(database, &["export", "--format", format], "", &[]);
                assert_eq!((code, error.as_str()), (0, ""));
                file
            };
            let file = export(from);
            assert!(file.lines().next().unwrap().contains("telegram_id"), "{file}");
            let import = ["import", "-", "--format", format];
            for to in ThrowAwayDatabase::of_each_kind() {
                manage(&to, &["migrate"], "");
                let (code, report, error) = run(&to, &import, &file, &[]);
                assert_eq!((code, error.as_str()), (0, ""), "{report}");
                assert!(
                    report.starts_with("Done: 1,011 created, 0 updated, 0 unchanged, 0 refused")
                );
                assert_eq!(export(&to), file);
                let (_, report, _) = run(&to, &import, &file, &[]);
                assert!(
                    report.starts_with("Done: 0 created, 0 updated, 1,011 unchanged"),
                    "{report}"
                );
                let check = manage(&to, &["stats", "rebuild", "--check"], "");
                assert!(check.contains("All figures match the recount."), "{check}");
            }
        }
    }
}

/// Tags are added and never removed; what is exported is imported alike on either database.
#[tokio::test(flavor = "multi_thread")]
async fn tags_travel_along() {
    let header = "telegram_id,first_name,last_name,username,language_code,is_bot,created_at,\
                  updated_at,last_seen,has_private_chat,obstacle,blocked_at,unblocked_at,source";
    let row = |id: i64, tags: &str| {
        let times = "2026-11-01T00:00:00Z,2026-11-01T00:00:00Z,2026-11-02T00:00:00Z";
        format!("{id},Ada,,,en,false,{times},true,,,,ad{tags}\n")
    };
    let import = |database: &ThrowAwayDatabase, file: &str| {
        let (code, report, error) = run(database, &["import", "-", "--format", "csv"], file, &[]);
        let end = report.find(", in ").unwrap_or(report.len());
        (code, report[..end].to_owned(), error)
    };
    for from in ThrowAwayDatabase::of_each_kind() {
        manage(&from, &["migrate"], "");
        let file = format!(
            "{header},tags\n{}{}{}{}",
            row(1, ",vip -new"),
            row(2, ","),
            row(3, ",vip new vip"),
            row(4, ",vip,new"),
        );
        let first = import(&from, &file);
        let done = "line 5: 16 fields, expected 15\n\
                    Done: 3 created, 0 updated, 0 unchanged, 4 tags added, 1 refused";
        assert_eq!((first.0, first.1.as_str()), (1, done));
        let exports = || {
            ["csv", "jsonl"].map(|format| {
                let (code, file, error) = run(&from, &["export", "--format", format], "", &[]);
                assert_eq!((code, error.as_str()), (0, ""));
                file
            })
        };
        let [csv, jsonl] = exports();
        let ends: Vec<_> = csv.lines().map(|line| line.rsplit(',').next().unwrap()).collect();
        // A ' keeps spreadsheets from taking the text for a formula.
        assert_eq!(ends, ["tags", "'-new vip", "", "new vip"]);
        let tags = jsonl.lines().map(|line| {
            let user: Value = serde_json::from_str(line).unwrap();
            user["tags"].to_string()
        });
        assert_eq!(tags.collect::<Vec<_>>(), [r#"["-new","vip"]"#, "[]", r#"["new","vip"]"#]);
        let by_filter = run(&from, &["export", "--filter", "tag:new"], "", &[]).1;
        assert_eq!(by_filter.lines().nth(1), csv.lines().nth(3));

        for to in ThrowAwayDatabase::of_each_kind() {
            for file in [&csv, &jsonl] {
                manage(&to, &["migrate"], "");
                let format = if file == &csv { "csv" } else { "jsonl" };
                let (code, report, _) = run(&to, &["import", "-", "--format", format], file, &[]);
                assert_eq!(code, 0, "{report}");
                let same = run(&to, &["export", "--format", format], "", &[]).1;
                assert_eq!(&same, file);
            }
        }
        // A file of an older version, and one with fewer tags: all stay.
        for file in
            [format!("{header}\n{}", row(1, "")), format!("{header},tags\n{}", row(1, ",vip"))]
        {
            let (code, report, error) = import(&from, &file);
            let unchanged = "Done: 0 created, 0 updated, 1 unchanged, 0 refused";
            assert_eq!((code, report.as_str()), (0, unchanged), "{error}");
        }
        assert_eq!(exports(), [csv.clone(), jsonl]);
        let log = admins(&from).await;
        let filter = AuditFilter::all().action(AuditAction::ImportedUsers);
        let entries = log.audit_log(&filter, None, 10).await.unwrap();
        let last = entries.last().unwrap().new.as_deref();
        assert_eq!(last, Some("3 created, 0 updated, 0 unchanged, 4 tags added"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_more_new_tags_than_there_is_room_for_changes_nothing() {
    for database in ThrowAwayDatabase::of_each_kind() {
        manage(&database, &["migrate"], "");
        let user = |id: i64, tags: String| {
            format!(
                "{{\"telegram_id\":{id},\"first_name\":\"Ada\",\"is_bot\":false,\
                 \"created_at\":\"2026-11-01T00:00:00Z\",\"updated_at\":\"2026-11-01T00:00:00Z\",\
                 \"last_seen\":\"2026-11-01T00:00:00Z\",\"has_private_chat\":true,\
                 \"tags\":\"{tags}\"}}\n"
            )
        };
        let import = |file: &str, more: &[&str]| {
            let all = [&["import", "-", "--format", "jsonl"], more].concat();
            let (code, report, error) = run(&database, &all, file, &[]);
            let end = report.find(", in ").unwrap_or(report.len());
            (code, report[..end].to_owned(), error)
        };
        let most: Vec<String> = (1..=200).map(|n| format!("tag-{n:03}")).collect();
        let file = user(1, most.join(" ")) + "\n" + &user(2, "tag-001 one-more".to_owned());
        let error = "error: nothing was imported from the standard input: line 3: the tag \
                     'one-more' does not exist and cannot be created: there are 200 tags already, \
                     which is the limit; `manage tag delete` makes room\n";
        for more in [&[][..], &["--dry-run"]] {
            assert_eq!(import(&file, more), (1, String::new(), error.to_owned()));
        }
        assert_eq!(run(&database, &["count"], "", &[]).1, "0\n");
        assert!(run(&database, &["tag", "list"], "", &[]).1.starts_with("There are no tags yet."));
        let fits = user(1, most.join(" ")) + &user(2, "tag-200".to_owned());
        let done = "Done: 2 created, 0 updated, 0 unchanged, 201 tags added, 0 refused";
        assert_eq!(import(&fits, &[]), (0, done.to_owned(), String::new()));
        let again = "Done: 0 created, 0 updated, 2 unchanged, 0 refused";
        assert_eq!(import(&fits, &[]), (0, again.to_owned(), String::new()));
        // Room for one more.
        assert_eq!(run(&database, &["tag", "delete", "tag-100"], "", &[]).0, 0);
        let one_more = import(&user(2, "one-more".to_owned()), &[]);
        let done = "Done: 0 created, 1 updated, 0 unchanged, 1 tag added, 0 refused";
        assert_eq!(one_more, (0, done.to_owned(), String::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_written_to_a_file_once_it_is_whole() {
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_with_odd_names(&database).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.csv");
        let path = path.to_str().unwrap();
        let in_folder = |text: String| text.replace(folder.path().to_str().unwrap(), "FOLDER");
        let export = |arguments: &[&str]| {
            let (code, printed, error) =
                run(&database, &[&["export"], arguments].concat(), "", &[]);
            (code, printed, in_folder(error))
        };
        let (code, printed, error) = export(&["--output", path]);
        assert_eq!((code, printed.as_str()), (0, ""));
        assert!(error.ends_with("Exported 1,011 users to FOLDER/users.csv\n"), "{error}");
        let (_, all, _) = export(&[]);
        assert_eq!(std::fs::read_to_string(path).unwrap(), all);

        let again = "error: FOLDER/users.csv already exists; pass --force to overwrite it\n";
        assert_eq!(export(&["-o", path]), (1, String::new(), again.to_owned()));
        assert_eq!(export(&["-o", path, "--force", "--search", "odd 3"]).0, 0);
        let found = std::fs::read_to_string(path).unwrap();
        let names: Vec<_> = found.lines().map(|line| line.split(',').nth(1).unwrap()).collect();
        assert_eq!(names, ["first_name", "'=odd 3"]);
        assert_eq!(export(&["--language", "tlh"]).1.lines().count(), 2);
        assert_eq!(export(&["--min-active-days", "2"]).1.lines().count(), 1);

        let odd = folder.path().join("users.txt");
        let (code, _, error) = export(&["-o", odd.to_str().unwrap()]);
        assert_eq!(code, 1);
        let expected = "cannot infer the format from the file name FOLDER/users.txt; pass --format";
        assert!(error.contains(expected), "{error}");
        // Nothing is left of what was not finished.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let log =
            admins(&database).await.audit_log(&AuditFilter::default(), None, 10).await.unwrap();
        assert_eq!(log[0].action, AuditAction::ExportedUsers);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_lines_are_reported_and_skipped() {
    for database in ThrowAwayDatabase::of_each_kind() {
        manage(&database, &["migrate"], "");
        let header = "telegram_id,first_name,last_name,username,language_code,is_bot,created_at,\
                      updated_at,last_seen,has_private_chat,obstacle,blocked_at,unblocked_at,source";
        let times = "2026-11-01T00:00:00Z,2026-11-01T00:00:00Z,2026-11-02T00:00:00Z";
        let file = [
            header.to_owned(),
            format!("1,Ada,,ada,en,false,{times},true,,,,ad"),
            format!("x,Bob,,,,false,{times},true,,,,"),
            format!("2,\"two\nlines\",,,,false,{times},true,,,,"),
            format!("3,Eve,,,,perhaps,{times},true,,,,"),
            format!("0,Eve,,,,false,{times},true,,,,"),
            format!("4,Eve,,,,false,{times},true,tired,,,"),
            format!("5,Eve,,,,false,{times},true,,,,not a payload"),
            format!("6,Eve,,,,false,yesterday,{times},true,,,,"),
            format!("7,{},,,,false,{times},true,,,,", "x".repeat(256)),
            "8,Eve".to_owned(),
            format!("9,Eve,,,,false,2026-11-03T00:00:00Z,{},true,,,,", &times[21..]),
            format!("1,Ada,,ada,en,false,{times},true,,,,ad"),
        ];
        let import = |arguments: &[&str], file: &str| {
            let all = [&["import", "-", "--format"], arguments].concat();
            let report = manage(&database, &all, file);
            let end = report.find(", in ").unwrap_or(report.len());
            format!("{}\n{}", &report[..end], report.lines().last().unwrap())
        };
        let file = file.join("\n");
        let story = [
            import(&["csv", "--dry-run"], &file),
            import(&["csv"], &file),
            import(&["csv"], &file),
            import(&["csv"], "telegram_id,name\n1,Ada\n"),
            import(&["csv"], "telegram_id,first_name\n1,Ada\n"),
            import(&["csv"], "telegram_id,telegram_id\n1,1\n"),
            import(&["csv"], ""),
            import(&["jsonl"], "\n{}\nnot json\n{\"telegram_id\":1,\"color\":\"red\"}\n"),
            manage(&database, &["import", "-"], ""),
            manage(&database, &["import", "nowhere.csv"], ""),
            manage(&database, &["import", "--help"], ""),
            manage(&database, &["export", "--help"], ""),
            manage(&database, &["export", "--format", "xml"], ""),
            manage(
                &database,
                &["export", "--first-seen-since", "2026-02-01", "--first-seen-until", "2026-01-01"],
                "",
            ),
            manage(&database, &["export", "--search", " @ "], ""),
        ];
        insta::assert_snapshot!("import", story.join("\n"));
    }
}

/// A thousand people, and some whose names are hard to write.
async fn fill_with_odd_names(database: &ThrowAwayDatabase) {
    let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
    storage.migrate().await.unwrap();
    let users = UserService::new(DieselUserRepository::new(storage), SystemClock);
    let names = [
        "=odd 3",
        "@SUM(A1:A9)",
        "-1+1",
        "'quoted'",
        "a \"b\", c",
        " two\r\nlines ",
        "\u{202e}\u{1b}[2J Жук 👩‍🚀 \u{feff}",
        "Ada;=1+2\t'@x\n-1",
        "＝1",
        "\t+1",
        "\u{feff}''",
    ];
    let plain = (0..1000).map(|n| format!("User {n}"));
    let all = names.into_iter().map(str::to_owned).chain(plain);
    let interactions: Vec<_> = (1..)
        .zip(all)
        .map(|(n, name)| {
            let mut profile = Profile::new(TelegramId::try_from(n).unwrap(), &name);
            if n % 3 == 0 {
                profile = profile.last_name(&name).username(&format!("user_{n}"));
            }
            if n == 5 {
                profile = profile.language_code("tlh");
            }
            let at = DateTime::from_timestamp(1_790_000_000 + n * 1000, 123_456_000).unwrap();
            let event = match n % 4 {
                0 => Some(Event::Blocked),
                1 => Some(Event::Start("-ad".parse().unwrap())),
                _ => None,
            };
            let chat = Some(Chat { id: n, kind: ChatKind::Private });
            let text = Interaction::new(at, profile, InteractionKind::Text);
            Interaction { chat, event, ..text }
        })
        .collect();
    users.register(&interactions).await.unwrap();
}

/// Only the holder of the key can read an encrypted export, and it is what a plain one has.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_encrypted_to_a_recipient() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let Some(recipient) = new_key(&path("key.txt")) else { return };
    for database in ThrowAwayDatabase::of_each_kind() {
        fill_with_odd_names(&database).await;
        let (_, plain, _) = run(&database, &["export", "--format", "csv"], "", &[]);
        let decrypted = |file: &str| {
            let mut age = std::process::Command::new("age");
            age.args(["--decrypt", "--identity", &path("key.txt"), file]);
            let output = age.output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let file = path("users.csv.age");
        let encrypt = ["export", "--force", "-o", &file, "--encrypt-to", &recipient];
        let (code, _, error) = run(&database, &encrypt, "", &[]);
        assert_eq!((code, error), (0, format!("Exported 1,011 users to {file}\n")));
        assert!(decrypted(&file) == plain, "the same users");
        let encrypted = std::fs::read(&file).unwrap();
        assert!(encrypted.starts_with(b"age-encryption.org/v1\n"));

        let wrong = ["export", "--force", "-o", &file, "--encrypt-to", "age1hunter2"];
        let (code, output, error) = run(&database, &wrong, "", &[]);
        assert_eq!((code, output.as_str()), (1, ""));
        assert!(
            error.starts_with("error: --encrypt-to: ") && error.contains("recipient"),
            "{error}"
        );
        assert_eq!(std::fs::read(&file).unwrap(), encrypted, "nothing was changed");
    }
}

/// Creates a key pair of age and answers its public part; `None` where age is not installed.
fn new_key(file: &str) -> Option<String> {
    let Ok(output) = std::process::Command::new("age-keygen").args(["-o", file]).output() else {
        let is_required = std::env::var("ROLLCALL_REQUIRE_PEERS").as_deref() == Ok("1");
        assert!(!is_required, "ROLLCALL_REQUIRE_PEERS=1, but age is not installed");
        eprintln!("SKIPPED: no encrypted exports, because age is not installed");
        return None;
    };
    let text = String::from_utf8(output.stderr).unwrap();
    Some(text.trim().strip_prefix("Public key: ").unwrap().to_owned())
}
