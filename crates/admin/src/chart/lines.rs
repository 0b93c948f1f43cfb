//! Lines along bands, each with its name at its end.

use super::{BAND, Bands, HEIGHT, Percent, Scale, Series, Svg};

/// The minimum distance between the names at the ends of lines, in units of [`HEIGHT`].
const BETWEEN_NAMES: u64 = 80;

/// Draws a line for each series.
pub(crate) fn lines(label: &str, bands: &Bands, series: &[Series]) -> String {
    let mut svg = Svg::open("lines", label, None);
    let scale = Scale::new(series.iter().map(Series::most).max().unwrap_or_default(), 0);
    let height = |value: u64| HEIGHT - scale.length(value);
    svg.axes(scale, bands);
    svg.open_plot(bands);
    for it in series {
        svg.push(format_args!(r#"<path class="line {}" d=""#, it.class));
        for (band, value) in it.values.iter().enumerate() {
            let (x, y) = (band * BAND + BAND / 2, height(*value));
            let letter = if band == 0 { 'M' } else { 'L' };
            svg.push(format_args!("{letter}{x} {y}"));
        }
        svg.push(format_args!(r#""/>"#));
    }
    svg.close_plot(bands, series.iter());
    let ends = series.iter().map(|it| height(it.values.last().copied().unwrap_or_default()));
    for (it, place) in series.iter().zip(apart(&ends.collect::<Vec<_>>())) {
        let (class, name, y) = (it.class, it.name, Percent(place, HEIGHT));
        svg.push(format_args!(
            r#"<text class="end" x="100%" y="{y}" dx=".7em" dy=".35em">{name}</text>"#
        ));
        // With a single day, this is the only visible part of the line.
        let Some(latest) = it.values.last() else { continue };
        let bands = bands.names.len() * 2;
        let (x, y) = (Percent(bands - 1, bands), Percent(height(*latest), HEIGHT));
        svg.push(format_args!(r#"<circle class="dot {class}" cx="{x}" cy="{y}" r="3.5"/>"#));
    }
    svg.close()
}

/// Positions close to the given ones, in the same order, with room for a name at each.
fn apart(places: &[u64]) -> Vec<u64> {
    let mut order: Vec<(usize, u64)> = places.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, place)| *place);
    let mut free = 0;
    for (_, place) in &mut order {
        *place = free.max(*place);
        free = *place + BETWEEN_NAMES;
    }
    // Moves the last ones up if they would be below the chart.
    let mut limit = HEIGHT;
    for (_, place) in order.iter_mut().rev() {
        *place = limit.min(*place);
        limit = place.saturating_sub(BETWEEN_NAMES);
    }
    order.sort_by_key(|(number, _)| *number);
    order.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::tests::{bands, lines_of};

    fn series(values: [&[u64]; 2]) -> [Series; 2] {
        let [day, week] = values.map(<[u64]>::to_vec);
        [
            Series { class: "s1", name: "DAU", values: day },
            Series { class: "s2", name: "WAU", values: week },
        ]
    }

    #[test]
    fn lines_of_three_days() {
        let days = bands(&["Nov 21", "Nov 22", "Nov 23"]);
        let svg = lines("Who was there", &days, &series([&[3, 0, 4], &[10, 11, 19]]));
        insta::assert_snapshot!(lines_of(&svg));
    }

    #[test]
    fn one_day_is_a_point() {
        let svg = lines("One day", &bands(&["Nov 23"]), &series([&[5], &[5]]));
        assert!(svg.contains(r#"<circle class="dot s1" cx="50%" cy="0%" r="3.5"/>"#), "{svg}");
    }

    #[test]
    fn names_do_not_cover_each_other() {
        assert_eq!(apart(&[100, 500, 900]), [100, 500, 900]);
        assert_eq!(apart(&[500, 500, 500]), [500, 580, 660]);
        assert_eq!(apart(&[1000, 990, 980]), [1000, 920, 840]);
        assert!(apart(&[]).is_empty());
    }
}
