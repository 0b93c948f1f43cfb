//! What users can find out about their data: the answers to `/privacy` and `/developer_info`.

use rollcall_domain::{DataTopic, QUARANTINE_DAYS, RetentionPeriod, WHOLE_UPDATE_DAYS};

use crate::{locale::Locale, text::escaped};

/// What `/privacy` and `/developer_info` say about the bot's owner and programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivacyNotice {
    /// The owner's name, and how to reach them.
    pub contact: Option<String>,
    /// The address of a policy of the owner's.
    pub url: Option<String>,
    /// Whether another bot answers the users.
    pub has_bot_behind: bool,
    /// Whether a program is notified of new users and blocks.
    pub sends_events: bool,
    /// After how long without use users are deleted.
    pub inactive: Option<RetentionPeriod>,
    /// Whether users are stored who wrote to a business account only.
    pub registers_business_customers: bool,
}

impl PrivacyNotice {
    /// What is stored, why, for how long, who gets it, and what users can do.
    pub(crate) fn policy(&self, locale: &Locale, for_owner: bool) -> String {
        let mut text =
            format!("{}\n\n{}", locale.text("privacy-head"), locale.text("privacy-stored"));
        for topic in DataTopic::ALL {
            if topic == DataTopic::Admins && !for_owner {
                continue;
            }
            text.push_str(&format!("\n• {}", stored(locale, topic)));
            if let Some(further) = self.further(locale, topic) {
                text.push_str(&format!("\n• {further}"));
            }
        }
        let mut how_long = locale.text("privacy-how-long");
        if let Some(period) = self.inactive {
            let values =
                [("unit", period.unit().into()), ("count", u64::from(period.number()).into())];
            how_long.push_str(&format!("\n{}", locale.format("privacy-inactive", &values)));
        }
        let mut shared = locale.text("privacy-shared");
        for (is_so, key) in [
            (self.has_bot_behind, "privacy-shared-bot"),
            (self.sends_events, "privacy-shared-events"),
        ] {
            if is_so {
                shared.push(' ');
                shared.push_str(&locale.text(key));
            }
        }
        for part in [how_long, shared, locale.text("privacy-rights")] {
            text.push_str(&format!("\n\n{part}"));
        }
        text.push_str("\n\n");
        match &self.contact {
            Some(contact) => {
                text.push_str(
                    &locale.format("privacy-contact", &[("contact", escaped(contact).into())]),
                );
            }
            None => text.push_str(&locale.text("privacy-no-contact")),
        }
        self.add_end(locale, for_owner, &mut text);
        text
    }

    /// Who runs the bot.
    pub(crate) fn developer(&self, locale: &Locale, for_owner: bool) -> String {
        let mut text = match &self.contact {
            Some(contact) => {
                locale.format("developer-info", &[("contact", escaped(contact).into())])
            }
            None => locale.text("developer-info-none"),
        };
        self.add_end(locale, for_owner, &mut text);
        text.push_str(&format!("\n{}", locale.text("developer-info-privacy")));
        text
    }

    /// What is stored about a topic with the owner's settings only.
    fn further(&self, locale: &Locale, topic: DataTopic) -> Option<String> {
        match topic {
            DataTopic::Activity if self.registers_business_customers => {
                Some(locale.text("privacy-data-customers"))
            }
            DataTopic::Quarantine if self.has_bot_behind => {
                let days = WHOLE_UPDATE_DAYS.to_string();
                Some(locale.format("privacy-data-undelivered", &[("days", days.into())]))
            }
            _ => None,
        }
    }

    fn add_end(&self, locale: &Locale, for_owner: bool, text: &mut String) {
        if let Some(url) = &self.url {
            let url = locale.format("privacy-url", &[("url", escaped(url).into())]);
            text.push_str(&format!("\n{url}"));
        }
        if self.contact.is_none() && for_owner {
            text.push_str(&format!("\n{}", locale.text("privacy-set-contact")));
        }
    }
}

fn stored(locale: &Locale, topic: DataTopic) -> String {
    let key = match topic {
        DataTopic::Profile => "privacy-data-profile",
        DataTopic::Activity => "privacy-data-activity",
        DataTopic::Choices => "privacy-data-choices",
        DataTopic::Broadcasts => "privacy-data-broadcasts",
        DataTopic::Notes => "privacy-data-notes",
        DataTopic::Quarantine => {
            let days = QUARANTINE_DAYS.to_string();
            return locale.format("privacy-data-quarantine", &[("days", days.into())]);
        }
        DataTopic::Log => "privacy-data-log",
        DataTopic::Admins => "privacy-data-admins",
    };
    locale.text(key)
}

#[cfg(test)]
mod tests {
    use rollcall_domain::Language;

    use super::*;

    fn full() -> PrivacyNotice {
        PrivacyNotice {
            contact: Some("Ada <ada@example.org>".to_owned()),
            url: Some("https://example.org/privacy?a&b".to_owned()),
            has_bot_behind: true,
            sends_events: true,
            inactive: Some("24mo".parse().unwrap()),
            registers_business_customers: true,
        }
    }

    #[test]
    fn the_notice_is_short_enough_and_complete_in_every_language() {
        for language in Language::ALL {
            let locale = Locale::of(language);
            let longest = full().policy(locale, true);
            // Telegram's limit, with room for a longer contact.
            assert!(longest.encode_utf16().count() < 3000, "{language:?}");
            let shown = [
                longest,
                PrivacyNotice::default().policy(locale, false),
                full().developer(locale, false),
                PrivacyNotice::default().developer(locale, true),
            ];
            insta::assert_snapshot!(
                format!("privacy_{}", language.code()),
                shown.join("\n\n———\n\n")
            );
        }
    }
}
