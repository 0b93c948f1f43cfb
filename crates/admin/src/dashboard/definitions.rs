//! What each figure means: the words of `docs/statistics.md`, so that there is one place for them.

use std::{collections::HashSet, fmt::Write, sync::LazyLock};

use askama::Template;
use axum::response::Response;

use crate::{
    chart::Escaped,
    page::{Layout, render},
};

const DOCUMENT: &str = include_str!("../../statistics.md");
/// The document's sections with definitions: from the first of these headings to the second one.
const BEGIN: &str = "## What is counted";
const END: &str = "## Why they are exact";

static HTML: LazyLock<String> = LazyLock::new(|| html(section(DOCUMENT)));

#[derive(Template)]
#[template(path = "definitions.html")]
struct Page {
    layout: Layout,
    html: &'static str,
}

/// The page of definitions.
pub(crate) async fn show(layout: Layout) -> Response {
    render(&Page { layout: layout.tab("dashboard"), html: &HTML })
}

fn section(document: &str) -> &str {
    let begin = document.find(BEGIN).unwrap_or_default();
    let end = document.find(END).unwrap_or(document.len());
    document.get(begin..end).unwrap_or(document)
}

/// As much of Markdown as the document has: headings, paragraphs and tables, and in them bold text,
/// code and links. What is defined can be linked to by its name, such as `#net-growth`.
fn html(markdown: &str) -> String {
    let mut names = HashSet::new();
    let mut html = String::new();
    for block in markdown.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        let mut id = |text: &str| {
            let name = name(text);
            let is_new = !name.is_empty() && names.insert(name.clone());
            if is_new { format!(" id=\"{name}\"") } else { String::new() }
        };
        // Writing into memory cannot fail.
        let _written = if let Some((hashes, text)) = block.split_once("# ") {
            let level = hashes.len() + 1;
            write!(html, "<h{level}{}>{}</h{level}>", id(text), inline(text))
        } else if block.starts_with('|') {
            html.push_str(&table(block, id));
            Ok(())
        } else {
            let defined = block.strip_prefix("**").and_then(|text| text.split("**").next());
            write!(html, "<p{}>{}</p>", defined.map(&mut id).unwrap_or_default(), inline(block))
        };
    }
    html
}

/// A table whose first column names the rows.
fn table(block: &str, mut id: impl FnMut(&str) -> String) -> String {
    let row = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = block.lines().map(row);
    let heads = lines.next().unwrap_or_default();
    let heads: String =
        heads.iter().map(|head| format!("<th scope=\"col\">{}</th>", inline(head))).collect();
    let rows = lines.skip(1).map(|cells| {
        let Some((first, others)) = cells.split_first() else { return String::new() };
        let others: String =
            others.iter().map(|cell| format!("<td>{}</td>", inline(cell))).collect();
        format!("<tr{}><th scope=\"row\">{}</th>{others}</tr>", id(first), inline(first))
    });
    let rows: String = rows.collect();
    format!(
        "<div class=\"scroll\"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

/// A name for a link: "Active: today, in 7 days" is `active`.
fn name(text: &str) -> String {
    let text = text.split([':', '?']).next().unwrap_or_default();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

fn inline(text: &str) -> String {
    let mut html = Escaped(text).to_string();
    for (mark, tag) in [("**", "b"), ("`", "code")] {
        let parts: Vec<String> = html.split(mark).map(str::to_owned).collect();
        html = parts.iter().enumerate().fold(String::new(), |html, (n, part)| match n % 2 {
            0 => html + part,
            _ => html + &format!("<{tag}>{part}</{tag}>"),
        });
    }
    links(&html)
}

/// `[text](address)`, where the address is one of the web.
fn links(html: &str) -> String {
    let mut parts = html.split('[');
    let mut linked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let link = part.split_once("](https://").and_then(|(text, rest)| {
            let (address, after) = rest.split_once(')')?;
            Some(format!("<a href=\"https://{address}\" rel=\"noreferrer\">{text}</a>{after}"))
        });
        linked += &link.unwrap_or_else(|| format!("[{part}"));
    }
    linked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_words_of_the_document() {
        assert!(DOCUMENT.contains(BEGIN) && DOCUMENT.contains(END));
        let plain = |text: &str| {
            let mut words = String::new();
            let mut is_tag = false;
            for c in text.chars() {
                match c {
                    '<' => is_tag = true,
                    '>' if is_tag => is_tag = false,
                    c if !is_tag && (c.is_alphanumeric() || c == ' ') => words.push(c),
                    _ => words.push(' '),
                }
            }
            words.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let shown = plain(&html(section(DOCUMENT)).replace("&#39;", "'").replace("&quot;", "\""));
        for line in section(DOCUMENT).lines().filter(|line| !line.contains("](")) {
            for cell in line.split('|').map(plain).filter(|cell| !cell.is_empty()) {
                assert!(shown.contains(&cell), "{cell}");
            }
        }
    }

    #[test]
    fn markdown_becomes_a_page() {
        let text = "## One\n\n**Two**, of `<b>` by [three](https://example.org/a).\n\n\
                    | figure | rule |\n| --- | --- |\n| Net growth | new [x] |\n| One | again |";
        insta::assert_snapshot!(html(text).replace("><", ">\n<"));
    }
}
