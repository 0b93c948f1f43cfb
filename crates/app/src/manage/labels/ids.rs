//! Files with one Telegram id per line.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use anyhow::{Context, bail};
use rollcall_domain::{TelegramId, grouped};
use rollcall_service::Lines;

use crate::manage::output::{safe, stdout};

/// The most ids of a file: 8 MB in memory.
const MOST: usize = 1_000_000;
/// How many wrong lines are listed.
const LISTED: u64 = 20;

/// The ids of a file, or of the standard input if it is `-`, sorted, each once. Blank lines are skipped. A wrong line is
/// an error, after all wrong lines are printed.
pub(in crate::manage) fn read(path: &Path) -> anyhow::Result<Vec<TelegramId>> {
    if path == Path::new("-") {
        return read_from(io::stdin(), "the standard input");
    }
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
    read_from(file, &name)
}

fn read_from(input: impl Read, name: &str) -> anyhow::Result<Vec<TelegramId>> {
    let (mut ids, mut wrong) = (Vec::new(), 0);
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next_line().with_context(|| format!("cannot read {name}"))? {
        let id = match line.text {
            Ok(text) if text.trim_matches(['\u{feff}', ' ', '\t']).is_empty() => continue,
            Ok(text) => read_id(text.trim_matches(['\u{feff}', ' ', '\t'])),
            Err(unreadable) => Err(unreadable.to_string()),
        };
        match id {
            Ok(id) if ids.len() < MOST => ids.push(id),
            Ok(_) => bail!(
                "{name} has more than {} ids; nothing was changed. Divide the file, or choose the \
                 users by --filter",
                grouped(u64::try_from(MOST)?)
            ),
            Err(reason) => {
                wrong += 1;
                if wrong <= LISTED {
                    writeln!(stdout(), "line {}: {}", line.number, safe(&reason))?;
                }
            }
        }
    }
    match wrong {
        0 => {
            ids.sort_unstable();
            ids.dedup();
            Ok(ids)
        }
        1 => bail!("1 line of {name} is not a Telegram id; nothing was changed"),
        more => {
            bail!("{} lines of {name} are not Telegram ids; nothing was changed", grouped(more))
        }
    }
}

fn read_id(text: &str) -> Result<TelegramId, String> {
    let shown: String = text.chars().take(40).collect();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let id =
        text.parse::<TelegramId>().map_err(|_| ()).and_then(|id| is_number.then_some(id).ok_or(()));
    id.map_err(|()| format!("expected a Telegram id such as 123456789, not \"{shown}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[i64], &str>) {
        let read = read_from(text.as_bytes(), "ids.txt");
        let read = read.map(|ids| ids.iter().map(|id| id.get()).collect::<Vec<_>>());
        let read = read.map_err(|error| error.to_string());
        assert_eq!(read.as_deref().map_err(String::as_str), expected, "{text:?}");
    }

    #[test]
    fn ids_are_read_from_any_editor() {
        check("", Ok(&[]));
        check("7\n5\n7\n", Ok(&[5, 7]));
        check("\u{feff}5\r\n\r\n \t7 \r9", Ok(&[5, 7, 9]));
    }

    #[test]
    fn one_wrong_line_is_enough() {
        let wrong = "1 line of ids.txt is not a Telegram id; nothing was changed";
        for line in ["x", "0", "-5", "+5", "5.0", "5 6", "99999999999999999999", "@ada"] {
            check(&format!("5\n{line}\n7\n"), Err(wrong));
        }
        check("a\nb", Err("2 lines of ids.txt are not Telegram ids; nothing was changed"));
    }

    #[test]
    fn too_many_ids_are_refused() {
        let text = "5\n".repeat(MOST);
        assert_eq!(read_from(text.as_bytes(), "ids.txt").unwrap().len(), 1);
        let error = read_from(format!("{text}5").as_bytes(), "ids.txt").unwrap_err().to_string();
        assert!(error.starts_with("ids.txt has more than 1,000,000 ids; nothing was changed."));
    }
}
