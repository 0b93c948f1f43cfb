//! `manage createsuperuser`, `admins` and `runserver`.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_the_admin_are_made_listed_and_disabled() {
    for database in ThrowAwayDatabase::of_each_kind() {
        let story = [
            manage(&database, &["migrate"], ""),
            manage(&database, &["admins", "list"], ""),
            manage(&database, &["createsuperuser", "--name", "Ada"], "correct horse\n"),
            manage(&database, &["createsuperuser", "--name", "ada"], "correct horse\n"),
            manage(&database, &["createsuperuser", "--name", "bob", "--role", "viewer"], "short"),
            manage(&database, &["createsuperuser", "--name", "bob", "--role", "viewer"], ""),
            manage(
                &database,
                &["createsuperuser", "--name", "bob", "--role", "viewer"],
                "correct horse\r\n",
            ),
            manage(&database, &["createsuperuser"], "correct horse\n"),
            manage(&database, &["createsuperuser", "--name", "two words"], "correct horse\n"),
            manage(&database, &["createsuperuser", "--name", "x", "--role", "admin"], ""),
            manage(&database, &["changepassword", "ADA"], "battery staple\n"),
            manage(&database, &["changepassword", "nobody"], "battery staple\n"),
            manage(&database, &["admins", "disable", "bob"], ""),
            manage(&database, &["admins", "disable", "nobody"], ""),
            manage(&database, &["admins", "disable", "ada"], ""),
            without_times(&manage(&database, &["admins", "list"], "")),
            manage(&database, &["admins", "enable", "bob"], ""),
            without_times(&manage(&database, &["admins", "list", "--json"], "")),
            manage(&database, &["admins", "set-role", "ada", "editor"], ""),
            manage(&database, &["admins", "set-role", "bob", "owner"], ""),
            manage(&database, &["admins", "set-role", "bob", "boss"], ""),
            manage(&database, &["admins", "set-role", "nobody", "owner"], ""),
            manage(&database, &["admins", "remove", "ada"], "n\n"),
            manage(&database, &["admins", "remove", "ada"], "y\n"),
            manage(&database, &["admins", "remove", "ada", "--yes"], ""),
            manage(&database, &["admins", "remove", "bob", "--yes"], ""),
            without_times(&manage(&database, &["admins", "list"], "")),
        ];
        insta::assert_snapshot!("admins", story.join("\n"));

        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let storage = DieselAdminRepository::new(storage);
        let admins = AdminService::new(storage, SystemClock, Default::default());
        let home: IpAddr = "192.0.2.1".parse().unwrap();
        assert!(admins.sign_in("ada", "battery staple", home).await.is_err());
        assert!(admins.sign_in("bob", "correct horse", home).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_factor_is_reset_so_that_its_owner_is_not_locked_out() {
    for database in ThrowAwayDatabase::of_each_kind() {
        run(&database, &["migrate"], "", &[]);
        let storage = Database::open(database.url().parse().unwrap()).await.unwrap();
        let storage = DieselAdminRepository::new(storage);
        let owners = [7.try_into().unwrap()].into();
        let admins = AdminService::new(storage, SystemClock, owners);
        let name = "ada".parse().unwrap();
        admins.create_account(&name, "correct horse", Role::Owner, None).await.unwrap();
        let home: IpAddr = "192.0.2.1".parse().unwrap();
        let by_password = async || admins.sign_in("ada", "correct horse", home).await.unwrap();
        let by_link = async || {
            let link = admins.create_link(7.try_into().unwrap()).await.unwrap().unwrap();
            admins.sign_in_by_link(link.as_str(), home).await.unwrap()
        };
        for session in [by_password().await, by_link().await] {
            let token = session.token.as_str();
            let offered = admins.offer_second_factor(token).await.unwrap().unwrap();
            let code = Authenticator::new(&offered.secret()).code(SystemClock.now());
            admins.enable_second_factor(token, &code).await.unwrap();
        }
        assert_eq!(by_password().await.session.standing, Standing::OwesFactor);
        assert_eq!(by_link().await.session.standing, Standing::OwesFactor);
        let story = [
            without_times(&manage(&database, &["admins", "list"], "")),
            manage(&database, &["admins", "reset-second-factor", "Ada"], ""),
            manage(&database, &["admins", "reset-second-factor", "ada"], ""),
            manage(&database, &["admins", "reset-second-factor", "telegram:7"], ""),
            manage(&database, &["admins", "reset-second-factor", "two words"], ""),
        ];
        insta::assert_snapshot!("reset_second_factor", story.join("\n"));
        assert_eq!(by_password().await.session.standing, Standing::Whole);
        assert_eq!(by_link().await.session.standing, Standing::Whole);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_admin_is_served_without_a_bot() {
    for database in ThrowAwayDatabase::of_each_kind() {
        manage(&database, &["migrate"], "");
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_manage"))
            .args(["runserver", "--listen", "127.0.0.1:0"])
            .env_clear()
            .env("DATABASE_URL", database.url())
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
        let place = said.next().unwrap();
        let url = place.strip_prefix("The web admin is at http://").unwrap();
        let (address, rest) = url.split_once("/admin").unwrap();
        assert_eq!(rest, "; press Ctrl-C to stop it.");
        assert_eq!(
            said.next().unwrap(),
            "There is no account yet. Create one with `manage createsuperuser`."
        );
        let mut connection = TcpStream::connect(address).unwrap();
        let request =
            format!("GET /admin/sign-in HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("<h1>Sign in</h1>"));
        // Who comes meanwhile is found soon, though no bot runs.
        fill(&database).await;
        assert_is_found_soon(&database, "lovelace").await;
        let ended = Command::new("kill").arg(server.id().to_string()).status().unwrap();
        assert!(ended.success() && server.wait().unwrap().success());
    }
}
