//! The public items of the crates that other programs name, as snapshots: a change of one of them fails
//! here, so that it is a decision.
//!
//! A crate's own public items are listed with their signatures, and so are those of other crates of the
//! workspace that it re-exports. `INSTA_UPDATE=always cargo test -p rollcall-app --test public_api`
//! accepts a change; it then belongs into the changelog.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod surface;

use std::path::Path;

use surface::Surface;

#[test]
fn the_facade_shows_these_items() {
    insta::assert_snapshot!(of("rollcall-bot", &["domain", "telegram"]));
}

#[test]
fn the_integration_of_teloxide_shows_these_items() {
    insta::assert_snapshot!(of("rollcall-teloxide", &[]));
}

/// The public items of a crate in `crates/`, with those that it re-exports from `others`.
fn of(name: &str, others: &[&str]) -> String {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut surface = Surface::of_crate(&crates.join(name).join("src"));
    for other in others {
        surface.add_re_exported(&crates.join(other).join("src"));
    }
    let missing = surface.missing();
    assert!(missing.is_empty(), "re-exported, but not found: {missing:?}");
    surface.to_string()
}

#[test]
fn bodies_comments_private_items_and_tests_are_no_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("lib.rs"),
        "
        //! A crate.
        mod hidden;
        /// Words.
        #[derive(Clone)]
        pub struct A { /// The name.
            pub name: String, secret: u8 }
        pub(crate) struct B;
        impl A {
            /// Makes one.
            pub fn new(name: &str) -> Self { Self { name: name.into(), secret: 1 } }
            fn private(&self) {}
        }
        impl B { pub fn no(&self) {} }
        impl Default for A { fn default() -> Self { Self::new(\"\") } }
        #[cfg(feature = \"more\")]
        pub fn f(x: u8) -> u8 { x }
        #[cfg(test)]
        pub fn test() {}
        ",
    )
    .unwrap();
    let expected = [
        "# [cfg (feature = \"more\")] pub fn f (x : u8) -> u8",
        "# [derive (Clone)] pub struct A { pub name : String , .. }",
        "impl A: pub fn new (name : & str) -> Self",
        "impl Default for A",
    ];
    assert_eq!(Surface::of_crate(folder.path()).to_string(), expected.join("\n"));
}
