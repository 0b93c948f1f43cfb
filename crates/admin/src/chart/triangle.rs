//! A triangle of shares: a row per group, a column per age, darker for larger shares.

use super::{Escaped, Svg, Tenths};

/// Widths in tenths of a percent, of the row's name and the group's size; the cells share the rest.
const NAME: usize = 120;
const SIZE: usize = 100;
/// The height of a row, and the baseline of its text, in tenths of an em.
const ROW: usize = 22;
const TEXT: usize = 15;

/// The shares of one group.
pub(crate) struct Shares {
    /// The Monday of its week, such as 2026-11-23.
    pub(crate) name: String,
    /// Where its size leads to.
    pub(crate) link: Option<String>,
    /// The size of the group, as text.
    pub(crate) size: String,
    /// The shares in thousandths, by age; `None` where the group is empty.
    pub(crate) shares: Vec<Option<u32>>,
    /// Whether the last share belongs to a period that is still in progress.
    pub(crate) is_open: bool,
    /// Where that share leads to.
    pub(crate) open_link: Option<String>,
}

/// Draws a row for each group; `ages` are the columns' names.
pub(crate) fn triangle(label: &str, heads: [&str; 2], ages: &[String], rows: &[Shares]) -> String {
    let mut svg = Svg::open("triangle", label, Some(Tenths((rows.len() + 1) * ROW)));
    let width = (1000 - NAME - SIZE) / ages.len().max(1);
    let left = |age: usize| NAME + SIZE + age * width;
    let [name, size] = heads;
    svg.push(format_args!(
        r#"<text class="soft" y="1.5em">{name}</text><text class="soft end" x="{}%" y="1.5em">{size}</text>"#,
        Tenths(NAME + SIZE - 20)
    ));
    for (age, text) in ages.iter().enumerate() {
        let x = Tenths(left(age) + width / 2);
        let text = Escaped(text);
        svg.push(format_args!(r#"<text class="soft middle" x="{x}%" y="1.5em">{text}</text>"#));
    }
    for (number, row) in rows.iter().enumerate() {
        let top = (number + 1) * ROW;
        let (y, text) = (Tenths(top), Tenths(top + TEXT));
        let (name, size) = (Escaped(&row.name), Escaped(&row.size));
        let short = Escaped(row.name.get("2026-".len()..).unwrap_or(&row.name));
        svg.push(format_args!(r#"<text y="{text}em" data-date="{name}">{short}</text>"#));
        svg.open_link(row.link.as_deref());
        svg.push(format_args!(
            r#"<text class="end" x="{}%" y="{text}em">{size}</text>"#,
            Tenths(NAME + SIZE - 20)
        ));
        svg.close_link(row.link.as_deref());
        for (age, share) in row.shares.iter().enumerate() {
            let Some(share) = *share else { continue };
            let Some(age_name) = ages.get(age) else { break };
            let (x, middle) = (Tenths(left(age)), Tenths(left(age) + width / 2));
            let level = shade(share);
            let is_open = row.is_open && age + 1 == row.shares.len();
            let open = if is_open { " open" } else { "" };
            let (percent, exact) = ((share + 5) / 10, Tenths(usize::try_from(share).unwrap_or(0)));
            let age_name = Escaped(age_name);
            let link = row.open_link.as_deref().filter(|_| is_open);
            svg.open_link(link);
            svg.push(format_args!(
                r#"<g class="cell l{level}{open}"><title>{name}, {age_name}: {exact}%</title><rect x="{x}%" y="{y}em" width="{}%" height="{}em"/><text x="{middle}%" y="{text}em">{percent}%</text></g>"#,
                Tenths(width),
                Tenths(ROW)
            ));
            svg.close_link(link);
        }
    }
    svg.close()
}

/// The darkness of a share, from 0 to 5. The steps are narrower where most shares are.
fn shade(per_mille: u32) -> usize {
    [1, 50, 100, 200, 400].iter().filter(|least| per_mille >= **least).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::lines_of;

    #[test]
    fn a_triangle_of_three_weeks() {
        let row = |name: &str, size: &str, shares: &[Option<u32>]| Shares {
            name: name.to_owned(),
            link: (size != "0").then(|| format!("/users?first_from={name}")),
            size: size.to_owned(),
            shares: shares.to_vec(),
            is_open: true,
            open_link: (size == "1,204").then(|| "/users?last_from=2026-11-16".to_owned()),
        };
        let rows = [
            row("2026-11-02", "1,204", &[Some(412), Some(96)]),
            row("2026-11-09", "0", &[None, None]),
            row("2026-11-16", "7", &[Some(0)]),
        ];
        let ages = ["1", "2"].map(str::to_owned);
        insta::assert_snapshot!(lines_of(&triangle("Who stayed", ["Week", "Users"], &ages, &rows)));
    }

    #[test]
    fn more_is_darker() {
        assert_eq!([0, 1, 49, 50, 199, 399, 1000].map(shade), [0, 1, 1, 2, 3, 4, 5]);
    }
}
