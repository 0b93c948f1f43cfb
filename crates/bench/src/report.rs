//! What is printed: the limit, Rollcall, and the ratio of the two.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Pairs of measurements, taken by turns.
pub(crate) struct Pairs {
    title: String,
    unit: &'static str,
    pairs: Vec<(f64, f64)>,
}

impl Pairs {
    pub(crate) fn new(title: String, unit: &'static str) -> Self {
        Self { title, unit, pairs: Vec::new() }
    }

    /// Notes what the limit and Rollcall reached.
    pub(crate) fn add(&mut self, limit: f64, ours: f64, note: String) {
        self.pairs.push((limit, ours));
        let ratio = ours / limit;
        println!("  limit {limit:>9.0}  Rollcall {ours:>9.0}  ratio {ratio:.2}  {note}");
    }

    pub(crate) fn print(&self) {
        let of = |value: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = self.pairs.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            [values[0], values[values.len() / 2], values[values.len() - 1]]
        };
        println!("{} ({}; min, median, max of {})", self.title, self.unit, self.pairs.len());
        for (name, [min, median, max]) in
            [("limit", of(|pair| pair.0)), ("Rollcall", of(|pair| pair.1))]
        {
            println!("  {name:9} {min:>9.0} {median:>9.0} {max:>9.0}");
        }
        let [min, median, max] = of(|pair| pair.1 / pair.0);
        println!("  ratio     {min:>9.2} {median:>9.2} {max:>9.2}\n");
    }
}

/// What the service has told of its batches so far.
pub(crate) struct Batches {
    count: f64,
    interactions: f64,
}

impl Batches {
    pub(crate) fn now() -> Self {
        let text = recorder().render();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
        };
        Self {
            count: value("rollcall_batch_interactions_count "),
            interactions: value("rollcall_batch_interactions_sum "),
        }
    }

    /// How many interactions a batch held on average since then.
    pub(crate) fn mean_since(&self, before: &Self) -> f64 {
        (self.interactions - before.interactions) / (self.count - before.count).max(1.0)
    }
}

fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().expect("the only recorder"))
}
