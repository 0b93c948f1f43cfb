//! No cycle of files within a crate: files that import each other can only be understood together.
//!
//! File A imports file B if A names an item that B defines. A re-export counts for the file that
//! defines the item, so a parent module that only declares children and re-exports their items is in
//! no cycle. Tests are left out: they may name everything.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod graph;
mod modules;
mod references;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use graph::Graph;
use modules::Crate;

#[test]
fn no_files_of_a_crate_import_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let mut faults = String::new();
    for folder in crates(&root) {
        let name = folder.strip_prefix(&root).unwrap().display().to_string();
        let cycles = Graph::of(&Crate::parse(&sources(&folder.join("src")))).cycles();
        if !cycles.is_empty() {
            faults += &format!("{name}/src\n{}", cycles.concat());
        }
    }
    assert!(faults.is_empty(), "these files import each other:\n{faults}");
}

fn crates(root: &Path) -> Vec<PathBuf> {
    let folders = ["crates", "bins"].into_iter().flat_map(|parent| {
        fs::read_dir(root.join(parent)).unwrap().map(|entry| entry.unwrap().path())
    });
    let mut crates: Vec<_> = folders.filter(|folder| folder.join("Cargo.toml").exists()).collect();
    crates.sort();
    assert!(crates.len() > 10, "{crates:?}");
    crates
}

/// The texts of all Rust files below a folder, by their paths in it.
fn sources(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.insert(path.strip_prefix(folder).unwrap().to_owned(), text);
            }
        }
    }
    sources
}

/// The cycles of a crate with these files.
fn cycles(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
    Graph::of(&Crate::parse(&files.collect())).cycles()
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &str) {
    assert_eq!(cycles(files).concat(), expected);
}

const BOTH: &str = "  a.rs -> b.rs: B\n  b.rs -> a.rs: A\n";

#[test]
fn imports_in_both_directions_are_a_cycle() {
    let root = ("lib.rs", "mod a; mod b;");
    check(
        &[
            root,
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "use super::a::A; pub struct B;"),
        ],
        BOTH,
    );
    check(
        &[
            root,
            ("a.rs", "pub struct A(Vec<crate::b::B>);"),
            ("b.rs", "pub struct B; fn f() { println!(\"{:?}\", [super::a::A::new()]); }"),
        ],
        BOTH,
    );
    check(
        &[
            root,
            ("a.rs", "use crate::b; pub struct A; fn f() { b::B::new(); }"),
            ("b.rs", "pub struct B; fn f() { use crate::a as c; c::A::new(); }"),
        ],
        BOTH,
    );
    check(
        &[
            root,
            ("a.rs", "use crate::{b::*}; pub struct A(B);"),
            ("b.rs", "pub struct B; mod c { use super::super::a::A; }"),
        ],
        BOTH,
    );
}

#[test]
fn re_exports_count_for_the_file_that_defines_the_item() {
    let root = ("lib.rs", "mod a; mod b; pub use a::A; pub(crate) use b::*;");
    check(
        &[
            root,
            ("a.rs", "use crate::B; pub struct A(B);"),
            ("b.rs", "use crate::A; pub struct B(A);"),
        ],
        BOTH,
    );
    check(&[root, ("a.rs", "pub struct A;"), ("b.rs", "use crate::A; pub struct B(A);")], "");
}

#[test]
fn a_parent_that_uses_a_child_which_uses_the_parent_is_a_cycle() {
    let root = ("lib.rs", "mod p;");
    let child = ("p/c.rs", "use super::P; pub struct C(P);");
    let cycle = "  p/c.rs -> p/mod.rs: P\n  p/mod.rs -> p/c.rs: C\n";
    check(&[root, ("p/mod.rs", "mod c; pub struct P(c::C);"), child], cycle);
    check(&[root, ("p/mod.rs", "mod c; pub use c::C; pub struct P(C);"), child], cycle);
    check(&[root, ("p/mod.rs", "mod c; pub use c::C; pub struct P;"), child], "");
    check(&[root, ("p/mod.rs", "mod c; pub struct P;"), child], "");
}

#[test]
fn a_longer_cycle_is_found_without_the_files_around_it() {
    check(
        &[
            ("main.rs", "mod a; mod b; mod c; mod d; fn main() { a::f(); }"),
            ("a.rs", "pub fn f() { crate::b::g() }"),
            ("b.rs", "pub fn g() { crate::c::h(); crate::d::i() }"),
            ("c.rs", "pub fn h() { crate::a::f() }"),
            ("d.rs", "pub fn i() {}"),
        ],
        "  a.rs -> b.rs: g\n  b.rs -> c.rs: h\n  c.rs -> a.rs: f\n",
    );
}

#[test]
fn tests_comments_texts_and_other_crates_are_no_imports() {
    check(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            (
                "b.rs",
                "//! [`crate::a::A`]
                use ::a::A; use std::a; pub struct B;
                impl B {
                    #[cfg(test)] fn t() { crate::a::f(); }
                    fn s(&self) -> &str { self.a::<A>(); \"crate::a::A\" }
                }
                #[cfg(test)] use crate::a::A as C;
                #[cfg(test)] mod tests { use crate::a::A; }",
            ),
        ],
        "",
    );
}

#[test]
fn macros_count_for_the_file_that_defines_them() {
    check(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "#[macro_export] macro_rules! m { () => { $crate::b::f() } }"),
            ("b.rs", "pub fn f() { crate::m!() }"),
        ],
        "  a.rs -> b.rs: f\n  b.rs -> a.rs: m\n",
    );
}
