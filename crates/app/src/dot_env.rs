//! Files of variables (`.env`): `NAME=value` on each line.
//!
//! A value is taken literally, with each `$`, `\` and quotation mark in it, and ends with the line or
//! before a blank and a `#`. Only a value that begins with a quotation mark is different: it ends with
//! the next one, even on another line, and in `"…"` the escapes `\"`, `\\`, `\$`, `\n`, `\r` and `\t`
//! stand for a character. `export` before a name has no meaning.

use std::io::Read;

use anyhow::{Context, bail};
use rollcall_service::{Line, Lines};

/// The most bytes of a value in quotation marks.
const MAX_QUOTED: usize = 16 * 1024;

/// Reads every variable with its value, in the order of the lines. Errors show nothing of the file,
/// which may hold secrets.
pub(crate) fn read(input: impl Read) -> anyhow::Result<Vec<(String, String)>> {
    let mut lines = Lines::new(input);
    let mut variables = Vec::new();
    while let Some(line) = lines.next_line()? {
        let number = line.number;
        let text = line.text.with_context(|| format!("line {number}"))?;
        let Some((name, value)) = assignment(text).with_context(|| format!("line {number}"))?
        else {
            continue;
        };
        let name = name.to_owned();
        let mut characters = value.trim_start().chars();
        let value = match characters.next() {
            Some(mark @ ('"' | '\'')) => {
                let text = characters.as_str().to_owned();
                quoted(text, mark, &mut lines)?.with_context(|| {
                    format!("line {number}: a quotation mark is not closed, or text follows it")
                })?
            }
            _ => plain(value).to_owned(),
        };
        variables.push((name, value));
    }
    Ok(variables)
}

/// The name and what follows the `=`; `None` where a line sets nothing.
fn assignment(text: &str) -> anyhow::Result<Option<(&str, &str)>> {
    let text = text.trim_start();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let exported = text.strip_prefix("export").filter(|it| it.starts_with(char::is_whitespace));
    let is_name = |name: &str| {
        let is_part = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '.' | '-');
        !name.is_empty() && name.chars().all(is_part)
    };
    match exported.unwrap_or(text).split_once('=') {
        Some((name, value)) if is_name(name.trim()) => Ok(Some((name.trim(), value))),
        None if exported.is_some_and(|name| is_name(name.trim())) => Ok(None),
        _ => bail!("expected NAME=value"),
    }
}

/// A value without quotation marks.
fn plain(text: &str) -> &str {
    let is_blank = |it: &str| it.ends_with(char::is_whitespace);
    let mut befores = text.match_indices('#').filter_map(|(at, _)| text.get(..at));
    befores.find(|before| is_blank(before)).unwrap_or(text).trim()
}

/// The value that `text` and the lines after it begin with, up to the quotation mark; `None` where
/// there is none, or something else follows it.
fn quoted(
    mut text: String,
    mark: char,
    lines: &mut Lines<impl Read>,
) -> anyhow::Result<Option<String>> {
    loop {
        if let Some((value, after)) = unescaped(&text, mark) {
            let after = after.trim_start();
            return Ok((after.is_empty() || after.starts_with('#')).then_some(value));
        }
        let Some(Line { text: Ok(next), .. }) = lines.next_line()? else { return Ok(None) };
        text.push('\n');
        text.push_str(next);
        if text.len() > MAX_QUOTED {
            return Ok(None);
        }
    }
}

/// What stands before the closing quotation mark, and what follows it.
fn unescaped(text: &str, mark: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            character if character == mark => return Some((value, rest.as_str())),
            '\\' if mark == '"' => match rest.next()? {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                escaped @ ('"' | '\\' | '$') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            character => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(file: impl AsRef<[u8]>) -> Vec<(String, String)> {
        read(file.as_ref()).unwrap()
    }

    #[track_caller]
    fn check(line: &str, value: &str) {
        let expected = [("A".to_owned(), value.to_owned()), ("B".to_owned(), "2".to_owned())];
        assert_eq!(pairs(format!("{line}\nB=2\n")), expected, "{line}");
    }

    #[test]
    fn values_are_taken_literally() {
        for value in
            ["pa$ss", "${HOME}", "$1$2", r"C:\new\$x", "it's", "a\"b\"", "a#b", "#a", "a=b="]
        {
            check(&format!("A={value}"), value);
        }
        check("A=", "");
        check(" A =  x y \t", "x y");
        check("export A=x", "x");
        check("export\tA=x", "x");
        check("A=x # a $comment", "x");
        check("A= # a comment", "");
        check("A=x\t#", "x");
    }

    #[test]
    fn quotation_marks_keep_a_value_together() {
        check("A=' # x\\n$ ' # a comment", " # x\\n$ ");
        check("A=\" # x\"# a comment", " # x");
        check(r#"A="a\"b\\c\$d\n\r\t\z$e""#, "a\"b\\c$d\n\r\t\\z$e");
        check("A='two\r\nlines \"'", "two\nlines \"");
        check("A=\"two\\\nlines\"", "two\\\nlines");
        check("A=''", "");
    }

    #[test]
    fn files_of_any_editor_are_read() {
        let file = "# Строка\r\n\r\nA=ключ\r\nexport B\rB=2\n\n";
        let units: Vec<u8> =
            format!("\u{feff}{file}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [file.as_bytes(), format!("\u{feff}{file}").as_bytes(), &units] {
            let expected = [("A", "ключ"), ("B", "2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
            assert_eq!(pairs(bytes), expected);
        }
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_without_secrets() {
        for (line, reason) in [
            (&b"hunter2"[..], "expected NAME=value"),
            (b"two words=hunter2", "expected NAME=value"),
            (b"=hunter2", "expected NAME=value"),
            (b"A: hunter2=", "expected NAME=value"),
            (b"export hunter 2", "expected NAME=value"),
            (b"A=hunter\xfc", "not UTF-8; save the file as UTF-8"),
            (
                b"A=hunter\0",
                "has a U+0000, as a file in UTF-16 without a byte order mark has; save it as UTF-8",
            ),
            (b"A=\"hunter2", "a quotation mark is not closed, or text follows it"),
            (b"A='hunter2'hunter2", "a quotation mark is not closed, or text follows it"),
        ] {
            let file = [b"X=1\r\n\r\n", line, b"\r\nB=\"2\"\r\n"].concat();
            let error = format!("{:#}", read(file.as_slice()).unwrap_err());
            assert_eq!(error, format!("line 3: {reason}"));
        }
    }
}
