use std::{fmt, num::ParseIntError, str::FromStr};

/// The identity of a Telegram account: a positive integer of at most 52 significant bits
/// (Bot API, "User": `id`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TelegramId(i64);

impl TelegramId {
    /// The largest id that Telegram may assign, 2^52 - 1.
    pub const MAX: TelegramId = TelegramId((1 << 52) - 1);

    /// The id as a number, as the databases and the Bot API have it.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for TelegramId {
    type Error = InvalidTelegramId;

    fn try_from(id: i64) -> Result<Self, Self::Error> {
        if (1..=Self::MAX.0).contains(&id) {
            Ok(Self(id))
        } else {
            Err(InvalidTelegramId::OutOfRange(id))
        }
    }
}

impl FromStr for TelegramId {
    type Err = InvalidTelegramId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<i64>().map_err(InvalidTelegramId::NotANumber)?.try_into()
    }
}

impl fmt::Display for TelegramId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a number or text is not a [`TelegramId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTelegramId {
    /// The number cannot be the id of a Telegram account.
    #[error("{0} is not a Telegram id; expected a number from 1 to {max}", max = TelegramId::MAX)]
    OutOfRange(i64),
    /// The text is not a number, or too large to be parsed.
    #[error("not a Telegram id; expected a number from 1 to {max}", max = TelegramId::MAX)]
    NotANumber(#[source] ParseIntError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_that_telegram_may_assign_is_accepted() {
        for id in [1, 1 << 32, (1 << 32) + 1, (1 << 52) - 1] {
            assert_eq!(TelegramId::try_from(id).map(TelegramId::get), Ok(id));
        }
    }

    #[test]
    fn impossible_ids_are_rejected() {
        for id in [0, -1, i64::MIN, 1 << 52, i64::MAX] {
            assert_eq!(TelegramId::try_from(id), Err(InvalidTelegramId::OutOfRange(id)));
        }
    }

    #[test]
    fn errors_show_what_is_expected() {
        let error = "0".parse::<TelegramId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "0 is not a Telegram id; expected a number from 1 to 4503599627370495"
        );
        assert!("abc".parse::<TelegramId>().is_err());
        assert!("99999999999999999999".parse::<TelegramId>().is_err());
    }
}
