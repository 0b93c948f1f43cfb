//! Warnings to owners: failed sign-ins, forged webhook requests, and sign-ins on new devices.

use rollcall_domain::{Admin, TelegramUser, error_chain};
use rollcall_service::{Alert, Report};
use rollcall_telegram::{Destination, SendError};

use crate::{
    conversation::Conversation,
    locale::{Argument, Locale},
    reply::send,
    text::{escaped, minute},
};

impl Conversation {
    /// Writes to each owner who has written to the bot. Returns whether to retry: no owner received it,
    /// and the error is transient.
    pub(crate) async fn report(&self, report: &Report) -> bool {
        let (mut has_arrived, mut may_retry) = (false, false);
        let owners = match self.admins.telegram_owners().await {
            Ok(owners) => owners,
            Err(error) => {
                log::warn!(error = error_chain(&error); "could not look up the owners");
                return true;
            }
        };
        for owner in owners {
            match self.users.get_user_by_telegram_id(owner).await {
                Ok(Some(user)) if user.reachability.is_reachable() => {
                    match self.write(&user, report).await {
                        Ok(()) => has_arrived = true,
                        Err(is_transient) => may_retry |= is_transient,
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    log::warn!(error = error_chain(&error); "could not look up an owner");
                    may_retry = true;
                }
            }
        }
        may_retry && !has_arrived
    }

    /// Writes to an owner. The error is whether a retry may help.
    async fn write(&self, owner: &TelegramUser, report: &Report) -> Result<(), bool> {
        let asker = self.asker(owner).await.unwrap_or_else(|(error, asker)| {
            log::warn!(error = error_chain(&error); "could not look up the language of an owner");
            asker
        });
        let to = Destination::user(owner.telegram_id, None);
        let begun = self.clock.now();
        let Err(error) = send(&self.outbox, to, &text(asker.locale(), report).into()).await else {
            return Ok(());
        };
        let is_transient = match &error {
            SendError::Unreachable { .. } => false,
            SendError::Held { .. } => true,
            SendError::Call(error) => error.is_transient(),
        };
        self.not_sent(owner.telegram_id, error, begun).await;
        Err(is_transient)
    }
}

/// The text of a report.
fn text(locale: &Locale, report: &Report) -> String {
    let time = ("time", minute(report.at).into());
    let happened = match &report.alert {
        Alert::SignInsFail { admin, address } => {
            let account = match admin {
                Some(admin) => name(admin),
                None => locale.text("alert-no-account").into(),
            };
            let from = address.to_canonical().to_string().into();
            let arguments = [("account", account), ("address", from), time];
            locale.format("alert-sign-ins", &arguments)
        }
        Alert::WrongSecret => locale.format("alert-webhook", &[time]),
        Alert::NewDevice { admin, device, address } => {
            let device = match device.as_str() {
                "" => locale.text("alert-no-device"),
                device => escaped(device),
            };
            let from = address.to_canonical().to_string().into();
            let arguments =
                [("account", name(admin)), ("device", device.into()), ("address", from), time];
            let advice = match admin {
                Admin::Account(_) | Admin::Program(_) => "alert-device-account",
                Admin::Telegram(_) => "alert-device-telegram",
            };
            format!("{}\n{}", locale.format("alert-device", &arguments), locale.text(advice))
        }
    };
    match report.more {
        0 => happened,
        more => format!("{happened}\n\n{}", locale.format("alert-more", &[("count", more.into())])),
    }
}

fn name(admin: &Admin) -> Argument {
    escaped(&admin.to_string()).into()
}

#[cfg(test)]
mod tests {
    use rollcall_domain::Language;

    use super::*;

    #[test]
    fn reports_are_friendly_in_every_language() {
        let admin = |name: &str| name.parse::<Admin>().unwrap();
        let address = "198.51.100.7".parse().unwrap();
        for language in Language::ALL {
            let texts: Vec<String> = [
                (Alert::SignInsFail { admin: Some(admin("ada")), address }, 0),
                (Alert::SignInsFail { admin: None, address }, 12_345),
                (Alert::WrongSecret, 1),
                (
                    Alert::NewDevice {
                        admin: admin("ada"),
                        device: "Firefox on Linux".to_owned(),
                        address: "::ffff:198.51.100.7".parse().unwrap(),
                    },
                    0,
                ),
                (
                    Alert::NewDevice {
                        admin: admin("telegram:99"),
                        device: String::new(),
                        address: "2001:db8::7".parse().unwrap(),
                    },
                    2,
                ),
            ]
            .into_iter()
            .map(|(alert, more)| {
                let at = "2026-11-27T12:34:56Z".parse().unwrap();
                text(Locale::of(language), &Report { alert, at, more })
            })
            .collect();
            insta::assert_snapshot!(
                format!("reports_{}", language.code()),
                texts.join("\n\n———\n\n")
            );
        }
    }
}
