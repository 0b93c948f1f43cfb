//! How the values of arguments are read. An error shows what is expected.

use std::{
    ffi::OsStr,
    fmt::{Debug, Display},
    ops::RangeInclusive,
    str::FromStr,
};

use clap::{
    Arg, Command,
    builder::{PossibleValue, TypedValueParser},
};

/// Reads a whole number of a range, without a sign.
pub(crate) fn whole<T>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: FromStr + Display + PartialOrd + Clone + Send + Sync + 'static,
{
    move |text| {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| is_plain && range.contains(number));
        number.ok_or_else(|| {
            format!("expected a whole number from {} to {}", range.start(), range.end())
        })
    }
}

/// Reads one of these names, which also stand in `--help` and in the completions of a shell.
#[derive(Clone)]
pub(crate) struct OneOf<T: 'static>(pub(crate) &'static [(&'static str, T)]);

impl<T: Clone> OneOf<T> {
    fn read(&self, text: &str) -> Result<T, String> {
        let names = || self.0.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let found = self.0.iter().find(|(name, _)| *name == text);
        found.map(|(_, value)| value.clone()).ok_or_else(|| format!("expected one of {}", names()))
    }
}

impl<T: Clone + Debug + Send + Sync + 'static> TypedValueParser for OneOf<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let names = self.clone();
        (move |text: &str| names.read(text)).parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|(name, _)| PossibleValue::new(*name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_sign_and_a_range() {
        let page = whole(1..=1000_u32);
        assert_eq!((page("1"), page("1000")), (Ok(1), Ok(1000)));
        for wrong in ["0", "1001", "-1", "+1", "1.5", "1e2", "", " 1", "abc", "99999999999"] {
            let error = "expected a whole number from 1 to 1000".to_owned();
            assert_eq!(page(wrong), Err(error), "{wrong}");
        }
    }

    #[test]
    fn a_name_is_one_of_those_that_the_error_lists() {
        let names = OneOf(&[("one", 1), ("two", 2)]);
        assert_eq!(names.read("two"), Ok(2));
        for wrong in ["", "ONE", "three"] {
            assert_eq!(names.read(wrong), Err("expected one of one, two".to_owned()));
        }
    }
}
