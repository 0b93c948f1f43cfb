//! Bars that lie below each other, each with its name and value above it.

use super::{Escaped, Percent, Svg, Tenths};

/// The height of a bar with its texts, in tenths of an em.
const ROW: usize = 27;
/// The baseline of the texts and the top of the bar, from the top of the row.
const TEXT: usize = 11;
const BAR: usize = 16;
/// The maximum length of a name; the title shows the whole name.
const MAX_CHARS: usize = 28;

/// A bar.
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: u64,
    /// The value as a text.
    pub(crate) text: String,
    /// The style sheet's class of its colour.
    pub(crate) class: &'static str,
    /// Where it leads to.
    pub(crate) link: Option<String>,
}

/// Draws bars in their order. The largest value fills the width.
pub(crate) fn bars(label: &str, bars: &[Bar]) -> String {
    let mut svg = Svg::open("bars", label, Some(Tenths(bars.len() * ROW)));
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or_default();
    for (row, bar) in bars.iter().enumerate() {
        let top = row * ROW;
        let (text, y) = (Tenths(top + TEXT), Tenths(top + BAR));
        let width = Percent(bar.value, most);
        let (name, value) = (Escaped(&bar.label), Escaped(&bar.text));
        let (short, class) = (cut(&bar.label), bar.class);
        let short = Escaped(&short);
        let link = bar.link.as_deref();
        svg.open_link(link);
        svg.push(format_args!(
            r#"<g class="mark"><title>{name}: {value}</title><rect class="track" y="{y}em" width="100%"/><rect class="bar {class}" y="{y}em" width="{width}"/><text y="{text}em">{short}</text><text class="value" x="100%" y="{text}em">{value}</text></g>"#
        ));
        svg.close_link(link);
    }
    svg.close()
}

/// A bar without texts, for a table cell beside its number.
pub(crate) fn meter(part: u64, whole: u64) -> String {
    let width = Percent(part, whole);
    format!(
        r#"<svg class="meter" aria-hidden="true"><rect class="track" width="100%"/><rect class="bar c1" width="{width}"/></svg>"#
    )
}

fn cut(label: &str) -> String {
    match label.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", label.get(..end).unwrap_or_default()),
        None => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::lines_of;

    fn bar(label: &str, value: u64) -> Bar {
        Bar { label: label.to_owned(), value, text: format!("{value}"), class: "c1", link: None }
    }

    #[test]
    fn bars_of_commands() {
        let svg = bars("Commands", &[bar("/start", 40), bar("/help", 10), bar("(other)", 0)]);
        insta::assert_snapshot!(lines_of(&svg));
    }

    #[test]
    fn a_bar_of_users_leads_to_them() {
        let link = Some("/admin/users?language=fa&first_from=2026-11-01".to_owned());
        let svg = bars("Languages", &[Bar { link, ..bar("Persian", 4) }]);
        let expected = "<a href=\"/admin/users?language=fa&amp;first_from=2026-11-01\"";
        assert!(svg.contains(expected) && svg.contains("</g></a>"), "{svg}");
    }

    #[test]
    fn names_are_cut_between_characters_and_are_no_markup() {
        let long = "Ж".repeat(40);
        let svg = bars("", &[bar(&long, 1), bar("<b>&", 1)]);
        assert!(svg.contains(&format!("<text y=\"1.1em\">{}…</text>", "Ж".repeat(28))), "{svg}");
        assert!(svg.contains(&format!("<title>{long}: 1</title>")));
        assert!(svg.contains("<title>&lt;b&gt;&amp;: 1</title>") && !svg.contains("<b>"));
    }
}
