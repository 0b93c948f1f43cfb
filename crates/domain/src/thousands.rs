/// A number with a comma between its thousands: `1,234,567`.
pub fn grouped(number: u64) -> String {
    group_digits(&number.to_string(), ',')
}

/// The digits of a number with a separator between its thousands.
pub fn group_digits(digits: &str, separator: char) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(group_digits("1234567", '.'), "1.234.567");
    }
}
