//! Columns along bands: gains are stacked above the zero line, losses below.

use super::{BAND, Bands, Scale, Series, Svg};

/// The width of a column: a share of its band, or of the whole chart if there are few bands.
const OF_BAND: usize = BAND * 8 / 10;
const MOST_OF_CHART: usize = 12;

/// Stacks the series of `up` above the zero line, and those of `down` below it. The axis extends to
/// `reach` at least, so that neighbouring charts can share a scale.
pub(crate) fn columns(
    label: &str,
    bands: &Bands,
    up: &[Series],
    down: &[Series],
    reach: u64,
) -> String {
    let mut svg = Svg::open("columns", label, None);
    let scale = Scale::new(most(up).max(reach), most(down));
    svg.axes(scale, bands);
    svg.open_plot(bands);
    let width = OF_BAND.min(bands.names.len() * BAND / MOST_OF_CHART);
    for (series, is_up) in [(up, true), (down, false)] {
        let mut before = vec![0; bands.names.len()];
        for it in series {
            svg.push(format_args!(r#"<path class="column {}" d=""#, it.class));
            for (band, (value, before)) in it.values.iter().zip(&mut before).enumerate() {
                let start = scale.length(*before);
                *before += value;
                // Every value above zero is visible.
                let height = (scale.length(*before) - start).max(u64::from(*value > 0) * 2);
                if height > 0 {
                    let x = band * BAND + (BAND - width) / 2;
                    let zero = scale.zero();
                    let y = if is_up { zero.saturating_sub(start + height) } else { zero + start };
                    svg.push(format_args!("M{x} {y}h{width}v{height}h-{width}z"));
                }
            }
            svg.push(format_args!(r#""/>"#));
        }
    }
    svg.close_plot(bands, up.iter().chain(down));
    svg.close()
}

/// The height of the highest stack of these series.
fn most(series: &[Series]) -> u64 {
    let bands = series.iter().map(|it| it.values.len()).max().unwrap_or_default();
    let sum = |band| series.iter().filter_map(|it| it.values.get(band)).sum();
    (0..bands).map(sum).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::{bands, lines_of};

    fn series(class: &'static str, name: &'static str, values: &[u64]) -> Series {
        Series { class, name, values: values.to_vec() }
    }

    #[test]
    fn columns_of_three_days() {
        let days = bands(&["Nov 21", "Nov 22", "Nov 23"]);
        let up = [series("s1", "New", &[12, 0, 4]), series("s2", "Unblocked", &[1, 0, 0])];
        let down = [series("s3", "Blocked", &[0, 7, 2])];
        let svg = columns("Who came and went", &days, &up, &down, 0);
        insta::assert_snapshot!(lines_of(&svg));
    }

    #[test]
    fn a_little_beside_much_can_be_seen() {
        let svg = columns("", &bands(&["a", "b"]), &[series("s1", "New", &[1_000_000, 1])], &[], 0);
        assert!(svg.contains("M85 998h10v2h-10z"), "{svg}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let svg = columns("", &bands(&["a"]), &[series("s1", "New", &[0])], &[], 0);
        assert!(svg.contains(r#"<path class="column s1" d=""/>"#), "{svg}");
    }
}
