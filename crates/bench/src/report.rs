//! Prints the limit, Rollcall, and their ratio.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Pairs of measurements, taken alternately.
pub(crate) struct Pairs {
    title: String,
    unit: &'static str,
    pairs: Vec<Pair>,
}

struct Pair {
    limit: f64,
    ours: f64,
}

impl Pairs {
    pub(crate) fn new(title: String, unit: &'static str) -> Self {
        Self { title, unit, pairs: Vec::new() }
    }

    /// Adds and prints a pair.
    pub(crate) fn add(&mut self, limit: f64, ours: f64, note: String) {
        self.pairs.push(Pair { limit, ours });
        let ratio = ours / limit;
        println!("  limit {limit:>9.0}  Rollcall {ours:>9.0}  ratio {ratio:.2}  {note}");
    }

    pub(crate) fn print(&self) {
        let of = |value: fn(&Pair) -> f64| {
            let mut values: Vec<f64> = self.pairs.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            [values[0], values[values.len() / 2], values[values.len() - 1]]
        };
        println!("{} ({}; min, median, max of {})", self.title, self.unit, self.pairs.len());
        for (name, [min, median, max]) in
            [("limit", of(|pair| pair.limit)), ("Rollcall", of(|pair| pair.ours))]
        {
            println!("  {name:9} {min:>9.0} {median:>9.0} {max:>9.0}");
        }
        let [min, median, max] = of(|pair| pair.ours / pair.limit);
        println!("  ratio     {min:>9.2} {median:>9.2} {max:>9.2}\n");
    }
}

/// The service's metrics about batches so far.
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

    /// The mean number of interactions per batch since `before`.
    pub(crate) fn mean_since(&self, before: &Self) -> f64 {
        (self.interactions - before.interactions) / (self.count - before.count).max(1.0)
    }
}

fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        PrometheusBuilder::new().install_recorder().expect("no other recorder is installed")
    })
}
