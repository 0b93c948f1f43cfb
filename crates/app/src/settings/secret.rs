//! Secrets, which may stand in files of their own instead of the environment.

use std::{
    fmt::Display,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    str::FromStr,
};

use super::value::{SettingError, parse, read};
use crate::environment::Environment;

/// Where systemd puts the credentials of a service (systemd.exec(5), `LoadCredential=`).
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";
/// The most bytes of a secret.
const MAX_BYTES: u64 = 16 * 1024;

/// Reads a setting that is a secret, such as `TELEGRAM_BOT_TOKEN`: from its flag, else from the
/// environment, else from the file that `TELEGRAM_BOT_TOKEN_FILE` names, else from the systemd
/// credential `TELEGRAM_BOT_TOKEN`. `None` where it is in none of them.
pub(super) fn parse_secret<T: FromStr<Err: Display>>(
    name: &'static str,
    flag: Option<&str>,
    environment: &Environment,
) -> Option<Result<T, SettingError>> {
    if flag.is_some_and(|value| !value.is_empty()) {
        return parse(name, flag, environment);
    }
    if environment.get(name).is_none() {
        return Some(from_file(name, None, environment)?.and_then(|text| read(name, &text)));
    }
    if environment.get(&file_setting(name)).is_some() {
        let reason = format!("{} is set, too; expected one of them", file_setting(name));
        return Some(Err(SettingError::Wrong(name, reason)));
    }
    parse(name, None, environment)
}

/// The content of the file that has a secret, if there is one: that of a flag, else as in
/// [`parse_secret`]. Errors do not show its path: it may be the secret itself, set in the wrong place.
pub(super) fn from_file(
    name: &'static str,
    flag: Option<&str>,
    environment: &Environment,
) -> Option<Result<String, SettingError>> {
    let setting = file_setting(name);
    let path = flag.filter(|path| !path.is_empty()).or_else(|| environment.get(&setting));
    let (source, content) = match path {
        Some(path) => (format!("the file that {setting} names"), content(Path::new(path))),
        None => {
            let credential = PathBuf::from(environment.get(CREDENTIALS_DIRECTORY)?).join(name);
            match content(&credential) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
                content => (format!("the credential {name}"), content),
            }
        }
    };
    let wrong = |reason| SettingError::Wrong(name, format!("{source} {reason}"));
    let text = content.map_err(|error| wrong(format!("cannot be read: {error}")));
    Some(text.and_then(|text| match text.trim_start_matches('\u{feff}').trim() {
        "" => Err(wrong(format!("is empty; expected the value of {name} in it"))),
        value => Ok(value.to_owned()),
    }))
}

fn file_setting(name: &str) -> String {
    format!("{name}_FILE")
}

fn content(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read <= MAX_BYTES) {
        return Ok(text);
    }
    let reason = format!("it is larger than {MAX_BYTES} bytes");
    Err(io::Error::new(io::ErrorKind::FileTooLarge, reason))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NAME: &str = "WEBHOOK_SECRET";

    fn secret(flag: &str, variables: [(&str, &str); 3]) -> Option<Result<String, String>> {
        let secret = parse_secret(NAME, Some(flag), &variables.into());
        secret.map(|it| it.map_err(|error| error.to_string()))
    }

    #[test]
    fn a_secret_is_in_a_flag_a_variable_a_file_or_a_credential() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "in the file\n").unwrap();
        let file = ("WEBHOOK_SECRET_FILE", file.to_str().unwrap());
        let credentials = (CREDENTIALS_DIRECTORY, folder.path().to_str().unwrap());
        let variable = (NAME, "in the variable");
        let none = ("X", "");
        assert_eq!(secret("", [none, none, credentials]), None);
        fs::write(folder.path().join(NAME), "the credential\r\n").unwrap();
        let found = |secret: &str| Some(Ok(secret.to_owned()));
        assert_eq!(secret("", [none, none, credentials]), found("the credential"));
        assert_eq!(secret("", [none, file, credentials]), found("in the file"));
        assert_eq!(secret("", [variable, none, credentials]), found("in the variable"));
        assert_eq!(secret("in the flag", [variable, file, credentials]), found("in the flag"));
        assert_eq!(
            secret("", [variable, file, credentials]).unwrap().unwrap_err(),
            "WEBHOOK_SECRET: WEBHOOK_SECRET_FILE is set, too; expected one of them"
        );
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_by_its_setting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hunter2");
        let path = path.to_str().unwrap();
        let error = || {
            let variables = [("WEBHOOK_SECRET_FILE", path), ("X", ""), ("Y", "")];
            let error = secret("", variables).unwrap().unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
            let start = "WEBHOOK_SECRET: the file that WEBHOOK_SECRET_FILE names ";
            error.strip_prefix(start).unwrap_or(&error).to_owned()
        };
        assert_eq!(error(), "cannot be read: No such file or directory (os error 2)");
        for (content, reason) in [
            (&b""[..], "is empty; expected the value of WEBHOOK_SECRET in it"),
            (b"\n", "is empty; expected the value of WEBHOOK_SECRET in it"),
            (b"hunter2\xff", "cannot be read: stream did not contain valid UTF-8"),
            (&[b'x'; 16_385], "cannot be read: it is larger than 16384 bytes"),
        ] {
            fs::write(path, content).unwrap();
            assert_eq!(error(), reason);
        }
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
        assert_eq!(error(), "cannot be read: Is a directory (os error 21)");
    }
}
