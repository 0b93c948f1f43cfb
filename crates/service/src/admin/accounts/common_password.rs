//! Recognises common passwords, which attackers try first.

/// Common words and keyboard rows in lower case, one per line.
const COMMON: &str = include_str!("common_passwords.txt");

/// Up to this many digits and signs around a word do not make it harder to guess: a date and a sign
/// or two.
const FEW: usize = 9;

/// Whether a password is among the first guesses of an attacker: a common word, also repeated or
/// with digits and signs around it, a row of keys or digits, or the account's own name.
pub(super) fn is_common(password: &str, name: &str) -> bool {
    let lower: String = password.chars().flat_map(char::to_lowercase).collect();
    [&lower, word_in(&lower)].into_iter().any(|text| {
        let plain: String = text.chars().map(unmasked).collect();
        is_simple(text, name) || is_simple(&plain, name)
    })
}

/// The text without a few digits and signs, or a row of digits, around it.
fn word_in(text: &str) -> &str {
    let is_around = |c: char| !c.is_alphabetic();
    let word = text.trim_matches(is_around);
    let around = text.chars().count() - word.chars().count();
    let is_row = has_one_step(text.trim_start_matches(word));
    if around <= FEW || is_row { word } else { text }
}

/// The letter that a digit or sign often stands for.
fn unmasked(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        c => c,
    }
}

fn is_simple(text: &str, name: &str) -> bool {
    let once = unrepeated(text);
    let is_name = !name.is_empty() && once == name.to_lowercase();
    is_word(text) || is_word(once) || is_name || has_one_step(once) || is_two_words(once)
}

fn is_word(text: &str) -> bool {
    COMMON.lines().any(|common| common == text)
}

/// Whether the text is two common words, such as `michaeljordan`.
fn is_two_words(text: &str) -> bool {
    COMMON.lines().any(|first| text.strip_prefix(first).is_some_and(is_word))
}

/// The repeated part of a text, or the text itself if it is not a repetition.
fn unrepeated(text: &str) -> &str {
    let parts = text
        .char_indices()
        .map(|(at, _)| at)
        .filter(|at| *at > 0 && text.len().is_multiple_of(*at));
    for at in parts {
        let (part, _) = text.split_at(at);
        if part.repeat(text.len() / at) == text {
            return part;
        }
    }
    text
}

/// Whether all characters follow each other by the same step, as in `1234567890`, `abcdefghij`,
/// `9876543210` or `aaaaaaaaaa`.
fn has_one_step(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    // 9 and 0 are neighbours on a keyboard.
    let step = |(one, next): (&i64, &i64)| match next - one {
        9 => -1,
        -9 => 1,
        step => step,
    };
    let mut steps = codes.iter().zip(codes.iter().skip(1)).map(step);
    let Some(first) = steps.next() else { return true };
    (-1..=1).contains(&first) && steps.all(|step| step == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_first_is_refused() {
        for password in [
            "password123",
            "P@ssw0rd2026!",
            "passwordpassword",
            "1234567890",
            "123456789012",
            "0987654321",
            "aaaaaaaaaaaa",
            "abababababab",
            "abcdefghijkl",
            "qwertyuiop",
            "qwertyuiop123",
            "1q2w3e4r5t",
            "iloveyou2024",
            "administrator",
            "Letmein!!!!!",
            "йцукенгшщз",
            "пароль12345",
            "ada.lovelace1",
            "Ada.Lovelace",
            "michaeljordan",
            "sunshine2025",
            "Christopher",
            "monkey1234567890",
        ] {
            assert!(is_common(password, "ada.lovelace"), "{password}");
        }
        for password in [
            "correct horse",
            "correct-horse",
            "hunter2 100%@:/'",
            "long enough password",
            "wrong-password",
            "another-password",
            "жжжжжжжжжя",
            "mein hund bellt",
            "tr0ub4dor&3",
            "xq7-mmkp-21z",
        ] {
            assert!(!is_common(password, "ada"), "{password}");
        }
    }
}
