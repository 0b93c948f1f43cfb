//! Time-based one-time passwords (RFC 6238), in the form that every authenticator app supports:
//! SHA-1, six digits, a step of 30 seconds.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use rollcall_repository::FactorSecret;
use sha1::Sha1;

/// The length of a time step, in seconds.
const STEP: i64 = 30;
/// By how many steps a clock may be wrong.
const LEEWAY: i64 = 1;
/// The number of codes with six digits.
const CODES: u32 = 1_000_000;

/// The time step of a code: the present step or a neighbour, but later than `last`, the step of the
/// last accepted code.
pub(super) fn step_of(
    secret: &FactorSecret,
    code: u32,
    now: DateTime<Utc>,
    last: Option<i64>,
) -> Option<i64> {
    let present = now.timestamp().div_euclid(STEP);
    let mut steps = present - LEEWAY..=present + LEEWAY;
    steps.find(|step| {
        last.is_none_or(|last| *step > last) && self::code(secret, *step) == Some(code)
    })
}

/// The code of a time step (RFC 4226, section 5.3).
fn code(secret: &FactorSecret, step: i64) -> Option<u32> {
    let mut mac = Hmac::<Sha1>::new_from_slice(&secret.0).ok()?;
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last()? & 0x0f);
    let bytes: [u8; 4] = hash.get(offset..offset + 4)?.try_into().ok()?;
    Some((u32::from_be_bytes(bytes) & 0x7fff_ffff) % CODES)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    /// RFC 6238, appendix B: the last six of the eight digits.
    #[test]
    fn codes_match_the_rfc() {
        let secret = FactorSecret(*b"12345678901234567890");
        for (second, expected) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code(&secret, second / STEP), Some(expected));
            assert_eq!(step_of(&secret, expected, at(second), None), Some(second / STEP));
        }
    }

    #[test]
    fn a_code_is_accepted_once_and_a_step_early_or_late() {
        let secret = FactorSecret(*b"12345678901234567890");
        let (now, present) = (at(1_234_567_890), 1_234_567_890 / STEP);
        let its = code(&secret, present).unwrap();
        let found =
            |seconds: i64, last| step_of(&secret, its, now + TimeDelta::seconds(seconds), last);
        for (seconds, is_found) in [(-31, false), (-30, true), (0, true), (59, true), (60, false)] {
            assert_eq!(found(seconds, None).is_some(), is_found, "{seconds}");
        }
        assert_eq!(found(0, Some(present - 1)), Some(present));
        assert_eq!(found(0, Some(present)), None);
        assert_eq!(found(30, Some(present + 1)), None);
    }
}
