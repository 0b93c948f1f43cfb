use std::io::{IsTerminal, stdout};

use crate::environment::Environment;

/// Whether series of numbers are drawn as lines of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sparklines {
    Drawn,
    LeftOut,
}

impl Sparklines {
    /// Draws them on a terminal that can show blocks.
    pub(super) fn of(environment: &Environment) -> Self {
        if stdout().is_terminal() && shows_blocks(environment) {
            Self::Drawn
        } else {
            Self::LeftOut
        }
    }

    /// The numbers as a line of blocks, the highest for the largest. If there are too many numbers, each
    /// block shows the mean of several.
    pub(super) fn line(self, numbers: &[u64]) -> Option<String> {
        if self == Self::LeftOut || numbers.is_empty() {
            return None;
        }
        let means: Vec<u64> = numbers.chunks(numbers.len().div_ceil(WIDTH)).map(mean).collect();
        let largest = means.iter().copied().max().unwrap_or_default();
        Some(means.into_iter().map(|it| block(it, largest)).collect())
    }
}

/// How many blocks fit in a line of a terminal, after the heading.
const WIDTH: usize = 60;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

fn mean(numbers: &[u64]) -> u64 {
    let count = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
    numbers.iter().sum::<u64>().checked_div(count).unwrap_or_default()
}

fn block(number: u64, largest: u64) -> char {
    let steps = u128::from(number) * 7;
    let index = steps.div_ceil(u128::from(largest.max(1)));
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    BLOCKS.get(index).copied().unwrap_or('█')
}

/// Whether the terminal can show blocks, judging by its name and the locale (POSIX,
/// "Internationalization Variables": the first that is set of LC_ALL, LC_CTYPE and LANG counts).
fn shows_blocks(environment: &Environment) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.get(name));
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    let is_utf_8 = locale.contains("utf-8") || locale.contains("utf8");
    is_utf_8 && environment.get("TERM") != Some("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_drawn_by_their_share_of_the_largest() {
        let line = |numbers: &[u64]| Sparklines::Drawn.line(numbers).unwrap();
        assert_eq!(line(&[0, 1, 2, 3, 4, 5, 6, 7]), "▁▂▃▄▅▆▇█");
        assert_eq!(line(&[0, 0]), "▁▁");
        assert_eq!(line(&[0, 1, 1_000_000, u64::MAX / 8]), "▁▂▂█");
        let many: Vec<u64> = (0..3660).collect();
        assert_eq!(line(&many).chars().count(), 60);
        assert_eq!(Sparklines::Drawn.line(&[]), None);
        assert_eq!(Sparklines::LeftOut.line(&[1]), None);
    }

    #[test]
    fn the_locale_decides_whether_blocks_are_shown() {
        let shows = |variables: [(&str, &str); 4]| shows_blocks(&Environment::from(variables));
        let term = ("TERM", "xterm-256color");
        let unset = |name| (name, "");
        assert!(shows([term, unset("LC_ALL"), unset("LC_CTYPE"), ("LANG", "de_AT.UTF-8")]));
        assert!(shows([term, unset("LC_ALL"), ("LC_CTYPE", "C.utf8"), ("LANG", "C")]));
        assert!(!shows([term, ("LC_ALL", "POSIX"), ("LC_CTYPE", "C.utf8"), ("LANG", "C.utf8")]));
        assert!(!shows([term, unset("LC_ALL"), unset("LC_CTYPE"), unset("LANG")]));
        let dumb = ("TERM", "dumb");
        assert!(!shows([dumb, ("LC_ALL", "C.UTF-8"), unset("LC_CTYPE"), unset("LANG")]));
    }
}
