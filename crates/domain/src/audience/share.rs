use crate::TelegramId;

/// A share of all users that is chosen at random and stays the same. Another seed chooses other
/// users; a larger share of the same seed has all users of a smaller one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Hundredths of a percent, from 1 to 10,000.
    pub(super) parts: u16,
    /// What decides which users: 1 to 32 of A-Z, a-z, 0-9, _ and -.
    pub(super) seed: String,
}

/// A prime, so that squares and products spread over all remainders. The product of two numbers below
/// it fits into 64 bits.
const PRIME: i64 = 2_147_483_647;

impl Share {
    /// A share of so many hundredths of a percent. `None` if the share or the seed is not allowed.
    pub fn new(parts: u16, seed: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let fits = (1..=10_000).contains(&parts)
            && (1..=32).contains(&seed.len())
            && seed.bytes().all(allowed);
        fits.then(|| Self { parts, seed: seed.to_owned() })
    }

    /// Whether it has a user. A storage computes the same with [`Share::numbers`].
    pub fn contains(&self, id: TelegramId) -> bool {
        let ShareNumbers { prime, add, multiply, limit } = self.numbers();
        let moved = (id.get() + add) % prime;
        let mixed = (moved * moved % prime) * multiply % prime;
        mixed < limit
    }

    /// The numbers of the formula by which the share has a user `id`:
    /// `x = (id + add) % prime; (x * x % prime) * multiply % prime < limit`.
    pub fn numbers(&self) -> ShareNumbers {
        let add = i64::from(hash(&self.seed, 1)) % PRIME;
        let multiply = 1 + i64::from(hash(&self.seed, 2)) % (PRIME - 1);
        let limit = i64::from(self.parts) * PRIME / 10_000;
        ShareNumbers { prime: PRIME, add, multiply, limit }
    }
}

/// See [`Share::numbers`].
#[derive(Clone, Copy, Debug)]
pub struct ShareNumbers {
    /// The modulus.
    pub prime: i64,
    /// What is added to an id.
    pub add: i64,
    /// The factor.
    pub multiply: i64,
    /// What the result is compared with.
    pub limit: i64,
}

/// FNV-1a of a seed, which is short, with a number in front.
fn hash(seed: &str, number: u8) -> u32 {
    std::iter::once(number)
        .chain(seed.bytes())
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
