//! The greetings of the bot's owner.

use std::{fs::File, io::Read as _, path::Path};

use clap::Args;
use rollcall_conversation::Greetings;

use super::value::{HEADING, SettingError, parse};
use crate::environment::Environment;

const GREETING_FILE: &str = "GREETING_FILE";
/// No greeting is longer than a message of Telegram's.
const LARGEST_FILE_BYTES: u64 = 256 << 10;

/// The flag for greetings.
#[derive(Args, Default)]
#[command(next_help_heading = HEADING)]
pub struct GreetingArguments {
    #[allow(rustdoc::bare_urls, reason = "the text is that of --help, too")]
    /// A file with your own answers to /start, a line per language such as
    /// greeting-en = Hello, { $name }! (https://projectfluent.org); other languages keep the bundled
    /// ones [env: GREETING_FILE]
    #[arg(long, value_name = "FILE")]
    greeting_file: Option<String>,
}

impl GreetingArguments {
    /// The owner's greetings.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn settings(&self, environment: &Environment) -> Result<Greetings, SettingError> {
        let flag = self.greeting_file.as_deref();
        let Some(file) = parse::<String>(GREETING_FILE, flag, environment).transpose()? else {
            return Ok(Greetings::default());
        };
        let wrong = |reason| SettingError::Wrong(GREETING_FILE, reason);
        let text = read(Path::new(&file))
            .map_err(|reason| wrong(format!("{file} {reason}; expected a text file in UTF-8")))?;
        Greetings::read(&text).map_err(|error| wrong(format!("{file}, {error}")))
    }
}

/// The text of a file, or why it cannot be read.
fn read(file: &Path) -> Result<String, String> {
    // Opening anything else, such as a pipe, could block for ever.
    let metadata = file.metadata().map_err(|error| format!("cannot be read ({error})"))?;
    if !metadata.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(LARGEST_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read ({error})"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST_FILE_BYTES {
        return Err(format!("is longer than {} KiB", LARGEST_FILE_BYTES >> 10));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("is not text in line {line}")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn error(file: &Path) -> String {
        let file = file.to_str().unwrap();
        let settings = GreetingArguments::default().settings(&[(GREETING_FILE, file)].into());
        let error = settings.unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error.replace(file, "FILE")
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_the_line_and_what_is_expected() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hello.ftl");
        let missing = error(&file);
        assert!(
            missing.starts_with("GREETING_FILE: FILE cannot be read (No such file"),
            "{missing}"
        );
        assert!(missing.ends_with("; expected a text file in UTF-8"), "{missing}");
        let is_folder = "GREETING_FILE: FILE is not a regular file; expected a text file in UTF-8";
        assert_eq!(error(folder.path()), is_folder);
        fs::write(&file, b"greeting-en = Hi\ngreeting-de = Gr\xfc\xdf dich\n").unwrap();
        let latin = "GREETING_FILE: FILE is not text in line 2; expected a text file in UTF-8";
        assert_eq!(error(&file), latin);
        fs::write(&file, "# x\n".repeat(100_000)).unwrap();
        assert!(error(&file).starts_with("GREETING_FILE: FILE is longer than 256 KiB; expected"));
        fs::write(&file, "greeting-en = Hi\ngreeting-fr = Salut\n").unwrap();
        let unknown = "GREETING_FILE: FILE, line 2: greeting-fr is not a greeting; \
                       expected greeting-en, greeting-ru, greeting-de";
        assert_eq!(error(&file), unknown);
        fs::write(&file, "").unwrap();
        assert!(error(&file).starts_with("GREETING_FILE: FILE, it has no greeting; expected"));
    }

    #[test]
    fn without_a_file_there_are_no_greetings() {
        assert!(GreetingArguments::default().settings(&[(GREETING_FILE, "")].into()).is_ok());
    }
}
