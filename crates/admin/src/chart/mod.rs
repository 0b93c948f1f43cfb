//! Charts as SVG, drawn on the server: lines, columns up and down, bars, and triangles of shares.
//!
//! Horizontal positions are percentages, so a chart fills its place on the page, while its texts and
//! lines keep their size. It stays readable on a phone, where a scaled picture does not.
//! Colours are classes of the style sheet, which knows about light and dark. Each mark has its numbers
//! in a `<title>`, which browsers show as a tooltip; the script shows them at once, and by touch and
//! arrow keys. A mark that stands for users is a link to them. Dates are ISO, and the script writes
//! them in the viewer's locale: a text of the axis has its date in `data-date`.
//!
//! To add a kind of chart: a module that begins with [`Svg::open`] and ends with [`Svg::close`].

mod bars;
mod columns;
mod lines;
mod scale;
mod spark;
mod triangle;

use std::fmt::{self, Display, Write};

pub(crate) use bars::{Bar, bars, meter};
pub(crate) use columns::columns;
pub(crate) use lines::lines;
use scale::{HEIGHT, Scale};
pub(crate) use scale::{Tick, dates};
pub(crate) use spark::spark;
pub(crate) use triangle::{Shares, triangle};

use crate::page::text::grouped;

/// The width of a band, in units of the plot: large enough for whole-number positions within it.
const BAND: usize = 60;

/// How many labels fit below a chart on a phone. If there are more, every second one is hidden there.
const FEW_TICKS: usize = 5;

/// The bands along a chart: days, weeks…
pub(crate) struct Bands {
    /// The name of each band in its tooltip.
    pub(crate) names: Vec<String>,
    /// The labels below the chart.
    pub(crate) ticks: Vec<Tick>,
    /// Where each band leads to. Bands without an entry lead nowhere.
    pub(crate) links: Vec<Option<String>>,
}

/// A value for each band.
pub(crate) struct Series {
    /// The style sheet's class of its colour.
    pub(crate) class: &'static str,
    pub(crate) name: &'static str,
    pub(crate) values: Vec<u64>,
}

impl Series {
    fn most(&self) -> u64 {
        self.values.iter().copied().max().unwrap_or_default()
    }
}

/// An SVG image under construction.
struct Svg(String);

impl Svg {
    /// Opens an image with a CSS class; `label` describes it for screen readers. Its height is in units
    /// of the text's size, or comes from the style sheet.
    fn open(class: &str, label: &str, height: Option<Tenths>) -> Self {
        let mut svg = Self(String::with_capacity(16 * 1024));
        let label = Escaped(label);
        svg.push(format_args!(r#"<svg class="chart {class}" role="img" aria-label="{label}""#));
        if let Some(height) = height {
            svg.push(format_args!(r#" height="{height}em""#));
        }
        svg.push(format_args!(">"));
        svg
    }

    fn push(&mut self, arguments: fmt::Arguments<'_>) {
        // Writing into memory cannot fail.
        let _written = self.0.write_fmt(arguments);
    }

    fn close(mut self) -> String {
        self.0.push_str("</svg>");
        self.0
    }

    /// Draws the grid lines with their values, and the labels below the plot.
    fn axes(&mut self, scale: Scale, bands: &Bands) {
        for (place, text) in scale.ticks() {
            let class = if place == scale.zero() { "zero" } else { "grid" };
            let y = Percent(place, HEIGHT);
            self.push(format_args!(
                r#"<line class="{class}" x2="100%" y1="{y}" y2="{y}"/><text class="y" y="{y}" dx="-.7em" dy=".35em">{text}</text>"#
            ));
        }
        let are_many = bands.ticks.len() > FEW_TICKS;
        for (n, tick) in bands.ticks.iter().enumerate() {
            let class = if are_many && n % 2 == 1 { "x second" } else { "x" };
            let x = Percent(2 * tick.band + 1, 2 * bands.names.len());
            let label = Escaped(&tick.label);
            self.push(format_args!(r#"<text class="{class}" x="{x}" y="100%" dy="1.7em""#));
            if !tick.date.is_empty() {
                self.push(format_args!(r#" data-date="{}""#, tick.date));
            }
            self.push(format_args!(">{label}</text>"));
        }
    }

    /// Begins a link around a mark. The tab key passes over it, because a chart may have hundreds: the
    /// table has the same links, and the script follows them from the arrow keys.
    fn open_link(&mut self, link: Option<&str>) {
        if let Some(link) = link {
            self.push(format_args!(r#"<a href="{}" tabindex="-1">"#, Escaped(link)));
        }
    }

    fn close_link(&mut self, link: Option<&str>) {
        if link.is_some() {
            self.0.push_str("</a>");
        }
    }

    /// Opens the part that is stretched to the width of the chart.
    fn open_plot(&mut self, bands: &Bands) {
        let width = bands.names.len() * BAND;
        self.push(format_args!(
            r#"<svg class="plot" viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none">"#
        ));
    }

    /// Adds the tooltips of the bands, and closes that part.
    fn close_plot<'a>(&mut self, bands: &Bands, series: impl Iterator<Item = &'a Series> + Clone) {
        for (band, name) in bands.names.iter().enumerate() {
            let (x, name) = (band * BAND, Escaped(name));
            let link = bands.links.get(band).and_then(Option::as_deref);
            self.open_link(link);
            self.push(format_args!(
                r#"<rect class="hit" x="{x}" width="{BAND}" height="{HEIGHT}"><title>{name}"#
            ));
            for it in series.clone() {
                let value = it.values.get(band).copied().unwrap_or_default();
                self.push(format_args!("\n{}: {}", it.name, grouped(value)));
            }
            self.push(format_args!("</title></rect>"));
            self.close_link(link);
        }
        self.push(format_args!("</svg>"));
    }
}

/// A part of a whole as a percentage with one decimal, in the form that attributes need.
struct Percent<N>(N, N);

impl<N: TryInto<u128> + Copy> Display for Percent<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: N| number.try_into().unwrap_or_default();
        let (part, whole) = (number(self.0), number(self.1));
        let per_mille = (part * 1000 + whole / 2).checked_div(whole).unwrap_or_default();
        write!(f, "{}%", Tenths(usize::try_from(per_mille).unwrap_or_default()))
    }
}

/// A number of tenths, in the form that attributes need.
struct Tenths(usize);

impl Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 10, self.0 % 10) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, tenth) => write!(f, "{whole}.{tenth}"),
        }
    }
}

/// A text, escaped for HTML.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;"),
                '<' => f.write_str("&lt;"),
                '>' => f.write_str("&gt;"),
                '"' => f.write_str("&quot;"),
                '\'' => f.write_str("&#39;"),
                c => f.write_char(c),
            }?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bands with these names, each with a label below.
    pub(super) fn bands(names: &[&str]) -> Bands {
        let tick = |(band, name): (usize, &&str)| Tick::new(band, (*name).to_owned());
        Bands {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ticks: names.iter().enumerate().map(tick).collect(),
            links: vec![],
        }
    }

    /// An image with each element on its own line.
    pub(super) fn lines_of(svg: &str) -> String {
        svg.replace("><", ">\n<")
    }

    #[test]
    fn percentages_are_short() {
        let percent = |part: u64, whole| Percent(part, whole).to_string();
        assert_eq!(percent(1, 2), "50%");
        assert_eq!(percent(1, 3), "33.3%");
        assert_eq!(percent(0, 0), "0%");
    }

    #[test]
    fn user_input_is_escaped() {
        let escaped = Escaped(r#"<script>"a"&'b'</script>"#).to_string();
        assert_eq!(escaped, "&lt;script&gt;&quot;a&quot;&amp;&#39;b&#39;&lt;/script&gt;");
    }
}
