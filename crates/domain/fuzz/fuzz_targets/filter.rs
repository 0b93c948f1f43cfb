//! Every input is parsed as a filter or refused, without a panic and within the stack. The canonical
//! form of a filter parses to the same filter, and a selection of it, also by way of a segment, exists
//! or is refused.
//!
//! `cargo +nightly fuzz run filter`, in `crates/domain`; on a stable toolchain
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none filter`.
#![no_main]

use std::collections::BTreeMap;

use chrono::DateTime;
use chrono_tz::Tz;
use libfuzzer_sys::fuzz_target;
use rollcall_domain::{Filter, LabelName, Selection, Term};

fuzz_target!(|text: &str| {
    let Ok(filter) = text.parse::<Filter>() else { return };
    let canonical = filter.to_string();
    assert_eq!(canonical.parse::<Filter>().as_ref(), Ok(&filter), "{canonical}");

    let name: LabelName = "saved".parse().expect("a name");
    let segments = BTreeMap::from([(name.clone(), filter.clone())]);
    let by_segment = Filter::with(Term::Segment(vec![name]));
    for filter in [filter, by_segment] {
        if let Ok(selection) =
            Selection::new(&filter, &segments, Tz::Europe__Berlin, DateTime::UNIX_EPOCH)
        {
            assert!(selection.node().terms().count() > 0 || selection.conditions().is_empty());
        }
    }
});
