//! The settings of retention.

use clap::Args;
use rollcall_domain::RetentionPeriod;
use rollcall_service::Retention;

use super::value::{HEADING, SettingError, parse};
use crate::environment::Environment;

const RETENTION_INACTIVE: &str = "RETENTION_INACTIVE";
const RETENTION_NOTES: &str = "RETENTION_NOTES";
const RETENTION_AUDIT: &str = "RETENTION_AUDIT";
const OFF: &str = "off";

/// Flags for retention.
#[derive(Args, Default)]
#[command(next_help_heading = HEADING)]
pub struct RetentionArguments {
    /// Erase users who were inactive for this long: a number with d, mo or y, such as 24mo, or off. They
    /// may return as new users [env: RETENTION_INACTIVE] [default: off]
    #[arg(long, value_name = "PERIOD")]
    retention_inactive: Option<String>,
    /// Delete notes about users this long after they were last written, or off
    /// [env: RETENTION_NOTES] [default: off]
    #[arg(long, value_name = "PERIOD")]
    retention_notes: Option<String>,
    /// Delete entries of the audit log after this long, or off [env: RETENTION_AUDIT] [default: off]
    #[arg(long, value_name = "PERIOD")]
    retention_audit: Option<String>,
}

impl RetentionArguments {
    /// How long things are kept.
    ///
    /// # Errors
    /// If a setting is not a period.
    pub fn settings(&self, environment: &Environment) -> Result<Retention, SettingError> {
        let period =
            |name, flag: &Option<String>| match parse::<String>(name, flag.as_deref(), environment)
            {
                None => Ok(None),
                Some(value) => match value?.as_str() {
                    OFF => Ok(None),
                    text => match text.parse::<RetentionPeriod>() {
                        Ok(period) => Ok(Some(period)),
                        Err(error) => Err(SettingError::Wrong(name, format!("{error}, or off"))),
                    },
                },
            };
        Ok(Retention {
            inactive: period(RETENTION_INACTIVE, &self.retention_inactive)?,
            notes: period(RETENTION_NOTES, &self.retention_notes)?,
            audit: period(RETENTION_AUDIT, &self.retention_audit)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_deleted_without_a_period() {
        let settings = |environment: Environment| {
            let settings = RetentionArguments::default().settings(&environment);
            settings.map_err(|error| error.to_string())
        };
        assert_eq!(settings([].into()), Ok(Retention::default()));
        let off = [(RETENTION_INACTIVE, OFF), (RETENTION_NOTES, "")].into();
        assert_eq!(settings(off), Ok(Retention::default()));
        let some = settings([(RETENTION_INACTIVE, "24mo"), (RETENTION_AUDIT, "3y")].into());
        let period = |text: &str| Some(text.parse().unwrap());
        let expected = Retention { inactive: period("24mo"), notes: None, audit: period("3y") };
        assert_eq!(some, Ok(expected));
        assert_eq!(
            settings([(RETENTION_INACTIVE, "24")].into()).unwrap_err(),
            "RETENTION_INACTIVE: \"24\" is not a period; expected a number with d, mo or y, from \
             30d to 100y, such as 24mo, or off"
        );
    }
}
