//! A sparkline: the course of one figure, without axes.

use super::{Escaped, Svg};

/// The height, and the width of a step, in units of the picture.
const HEIGHT: u64 = 100;
const STEP: usize = 10;

/// Draws a line from the lowest to the highest value; `label` describes it for screen readers.
pub(crate) fn spark(label: &str, values: &[u64]) -> String {
    let width = values.len().saturating_sub(1).max(1) * STEP;
    let label = Escaped(label);
    let mut svg = Svg(String::new());
    svg.push(format_args!(
        r#"<svg class="spark" viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{label}"><path d=""#
    ));
    let (least, most) = (values.iter().min(), values.iter().max());
    let least = least.copied().unwrap_or_default();
    let span = u128::from(most.map_or(0, |most| most - least));
    for (step, value) in values.iter().enumerate() {
        let above = u128::from(value - least) * u128::from(HEIGHT);
        // A figure that never changes runs along the bottom.
        let above = above.checked_div(span).unwrap_or_default();
        let y = u128::from(HEIGHT).saturating_sub(above);
        let letter = if step == 0 { 'M' } else { 'L' };
        svg.push(format_args!("{letter}{} {y}", step * STEP));
    }
    if values.len() == 1 {
        svg.push(format_args!("h{STEP}"));
    }
    svg.push(format_args!(r#""/>"#));
    svg.close()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(values: &[u64]) -> String {
        let svg = spark("Active & well", values);
        assert!(svg.contains("aria-label=\"Active &amp; well\""), "{svg}");
        svg.split(" d=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    #[test]
    fn a_line_reaches_from_the_lowest_to_the_highest_value() {
        assert_eq!(path(&[10, 20, 15]), "M0 100L10 0L20 50");
        assert_eq!(path(&[7, 7]), "M0 100L10 100");
        assert_eq!(path(&[7]), "M0 100h10");
        assert_eq!(path(&[]), "");
        assert_eq!(path(&[0, u64::MAX]), "M0 100L10 0");
    }
}
