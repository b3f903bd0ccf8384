//! Plots as SVG: bars with a mark for the goal, stacked bars, and points on a logarithmic scale. Just enough for the README.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
/// Room for the names on the left.
const LEFT: f64 = 250.0;
/// Room for the numbers on the right.
const RIGHT: f64 = 110.0;
const ROW: f64 = 30.0;
const TOP: f64 = 46.0;
const COLOURS: [&str; 7] = ["#3b6fb6", "#e08a2e", "#4c9f70", "#b0413e", "#7d5ba6", "#8c8c8c", "#c9a227"];

/// A row of [`bars`].
pub struct Bar {
    pub name: String,
    pub value: f64,
    /// Drawn as a line across the row.
    pub mark: Option<f64>,
    /// Written behind the bar.
    pub label: String,
}

/// One horizontal bar for each value.
pub fn bars(title: &str, rows: &[Bar]) -> String {
    let most = rows.iter().flat_map(|row| [row.value, row.mark.unwrap_or(0.0)]).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    let mut plot = Plot::new(title, TOP + rows.len() as f64 * ROW + 10.0);
    for (n, row) in rows.iter().enumerate() {
        let y = TOP + n as f64 * ROW;
        plot.text(LEFT - 8.0, y + 15.0, "end", &row.name);
        plot.rect(LEFT, y, row.value * scale, COLOURS[0]);
        if let Some(mark) = row.mark {
            let x = LEFT + mark * scale;
            plot.line((x, y - 3.0), (x, y + 23.0), "#222222");
        }
        plot.text(LEFT + row.value.max(row.mark.unwrap_or(0.0)) * scale + 8.0, y + 15.0, "start", &row.label);
    }
    plot.done()
}

/// One bar for each row, made of parts; the parts' names are the legend.
pub fn stacked(title: &str, parts: &[String], rows: &[(String, Vec<f64>)]) -> String {
    let most = rows.iter().map(|(_, values)| values.iter().sum::<f64>()).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    let mut plot = Plot::new(title, TOP + (rows.len() + 1) as f64 * ROW + 10.0);
    plot.legend(parts);
    for (n, (name, values)) in rows.iter().enumerate() {
        let y = TOP + (n + 1) as f64 * ROW;
        plot.text(LEFT - 8.0, y + 15.0, "end", name);
        let mut x = LEFT;
        for (value, colour) in values.iter().zip(COLOURS.iter().cycle()) {
            plot.rect(x, y, value * scale, colour);
            x += value * scale;
        }
        plot.text(x + 8.0, y + 15.0, "start", &format!("{:.0} µs", values.iter().sum::<f64>()));
    }
    plot.done()
}

/// A line of points for each series, over the same places; the height is logarithmic.
pub fn lines(title: &str, places: &[String], series: &[(String, Vec<f64>)]) -> String {
    const HEIGHT: f64 = 260.0;
    /// Room for the numbers of the scale.
    const SCALE: f64 = 60.0;
    let all = || series.iter().flat_map(|(_, values)| values).copied().filter(|value| *value > 0.0);
    let low = all().fold(f64::MAX, f64::min).min(1.0).log10().floor();
    let high = all().fold(f64::MIN_POSITIVE, f64::max).max(10.0).log10().ceil();
    let (top, bottom) = (TOP + ROW, TOP + ROW + HEIGHT);
    let height = |value: f64| bottom - (value.max(1e-9).log10() - low).max(0.0) / (high - low) * HEIGHT;
    let step = (WIDTH - SCALE - 40.0) / places.len().max(1) as f64;
    let x = |at: usize| SCALE + (at as f64 + 0.5) * step;
    let mut plot = Plot::new(title, bottom + 34.0);
    plot.legend(&series.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    for power in low as i32..=high as i32 {
        let value = 10_f64.powi(power);
        plot.line((SCALE, height(value)), (WIDTH - 20.0, height(value)), "#dddddd");
        plot.text(SCALE - 6.0, height(value) + 4.0, "end", &format!("{value}"));
    }
    plot.line((SCALE, top), (SCALE, bottom), "#999999");
    for (at, place) in places.iter().enumerate() {
        plot.text(x(at), bottom + 20.0, "middle", place);
    }
    for ((_, values), colour) in series.iter().zip(COLOURS.iter().cycle()) {
        for (at, pair) in values.windows(2).enumerate() {
            plot.line((x(at), height(pair[0])), (x(at + 1), height(pair[1])), colour);
        }
        for (at, value) in values.iter().enumerate() {
            plot.dot(x(at), height(*value), colour);
        }
    }
    plot.done()
}

struct Plot(String);

impl Plot {
    fn new(title: &str, height: f64) -> Self {
        let mut plot = Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" \
             font-family=\"sans-serif\" font-size=\"13\" fill=\"#222222\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        ));
        plot.text(16.0, 26.0, "start", title);
        plot
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(self.0, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
    }

    fn rect(&mut self, x: f64, y: f64, width: f64, colour: &str) {
        let _ =
            writeln!(self.0, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"20\" fill=\"{colour}\"/>");
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str) {
        let _ = writeln!(
            self.0,
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
            from.0, from.1, to.0, to.1
        );
    }

    fn dot(&mut self, x: f64, y: f64, colour: &str) {
        let _ = writeln!(self.0, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>");
    }

    fn legend(&mut self, names: &[String]) {
        let step = (WIDTH - 32.0) / names.len().max(1) as f64;
        for (at, (name, colour)) in names.iter().zip(COLOURS.iter().cycle()).enumerate() {
            let x = 16.0 + at as f64 * step;
            self.dot(x + 4.0, TOP + 6.0, colour);
            self.text(x + 12.0, TOP + 10.0, "start", name);
        }
    }

    fn done(mut self) -> String {
        self.0 += "</svg>\n";
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_room_and_names_are_escaped() {
        let bar = |name: &str, value| Bar { name: name.into(), value, mark: Some(0.5), label: "x".into() };
        let plot = bars("ratios", &[bar("a<b", 1.0), bar("c", 0.5)]);
        assert!(
            plot.contains("width=\"400.0\"") && plot.contains("width=\"200.0\"") && plot.contains("a&lt;b"),
            "{plot}"
        );
        assert!(plot.starts_with("<svg") && plot.ends_with("</svg>\n"));
    }

    #[test]
    fn parts_stand_behind_each_other() {
        let plot = stacked("budget", &["a".into(), "b".into()], &[("case".into(), vec![30.0, 10.0])]);
        assert!(plot.contains("x=\"250.0\" y=\"76.0\" width=\"300.0\""), "{plot}");
        assert!(plot.contains("x=\"550.0\" y=\"76.0\" width=\"100.0\"") && plot.contains("40 µs"), "{plot}");
    }

    #[test]
    fn tenfold_is_one_step_up() {
        let plot = lines("ms", &["100".into(), "1000".into()], &[("p99".into(), vec![1.0, 10.0])]);
        // From 1 to 10: the bottom and the top.
        assert!(plot.contains("cy=\"336.0\"") && plot.contains("cy=\"76.0\""), "{plot}");
    }
}
