//! The words of the project: `docs/glossary.md` and CONTRIBUTING.md ask for plain English, and a few
//! words show best where a sentence is not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Words in place of "report", "show", "users", "callers", "again" and the like.
const WORDS: [&str; 8] = ["tell", "tells", "told", "whom", "whoever", "nobodys", "anew", "whence"];
/// How many uses there may be in all, since each word has its place now and then.
const LIMIT: usize = 80;
const ENDINGS: [&str; 4] = ["rs", "md", "html", "ftl"];

#[test]
fn the_project_is_written_in_plain_english() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut files = Vec::new();
    for part in ["crates", "bins", "docs", "migrations"] {
        collect(&root.join(part), &mut files);
    }
    for entry in fs::read_dir(root).unwrap() {
        files.push(entry.unwrap().path());
    }
    files.retain(|file| is_prose(root, file));
    assert!(files.len() > 100, "{files:?}");
    let mut uses = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let words = line.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
            let used = words.filter(|word| WORDS.contains(&word.as_str()));
            let place = format!("{}:{}", file.display(), number + 1);
            uses.extend(used.map(|word| format!("{place}: {word}")));
        }
    }
    assert!(uses.len() < LIMIT, "{} uses of {WORDS:?}:\n{}", uses.len(), uses.join("\n"));
}

/// Files that people write and read; not this list, nor the words that the glossary advises against.
fn is_prose(root: &Path, file: &Path) -> bool {
    let exempt = [root.join("docs/glossary.md"), root.join("crates/app/tests/words.rs")];
    let ending = file.extension().and_then(|it| it.to_str()).unwrap_or_default();
    file.is_file() && ENDINGS.contains(&ending) && !exempt.iter().any(|it| it == file)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.file_name().is_some_and(|name| name == "target") => {}
            true => collect(&path, files),
            false => files.push(path),
        }
    }
}
