//! The files of a crate and their imports.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::modules::{Crate, Module, ModulePath, Target};

/// For each file, the files that it imports, with the names that it takes from each.
pub(crate) struct Graph(BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>);

impl Graph {
    pub(crate) fn of(ours: &Crate) -> Self {
        let mut graph = Self(BTreeMap::new());
        for (path, module) in &ours.modules {
            for target in targets(ours, path, module) {
                if let Target::Item { file, name } = target
                    && file != module.file
                {
                    let imports = graph.0.entry(module.file.clone()).or_default();
                    imports.entry(file).or_default().insert(name);
                }
            }
        }
        graph
    }

    /// The cycles, each with the imports between its files, one per line.
    pub(crate) fn cycles(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut cycles = vec![];
        for file in self.0.keys() {
            let cycle: BTreeSet<&Path> = self
                .reachable(file)
                .into_iter()
                .filter(|other| self.reachable(other).contains(file.as_path()))
                .collect();
            if !cycle.is_empty() && seen.insert(cycle.clone()) {
                cycles.push(cycle.iter().map(|file| self.imports_within(file, &cycle)).collect());
            }
        }
        cycles
    }

    /// The files that a file imports, directly or through others.
    fn reachable<'a>(&'a self, file: &'a Path) -> BTreeSet<&'a Path> {
        let mut found = BTreeSet::new();
        let mut open = vec![file];
        while let Some(next) = open.pop() {
            let imports = self.0.get(next).into_iter().flat_map(BTreeMap::keys);
            open.extend(imports.map(PathBuf::as_path).filter(|other| found.insert(*other)));
        }
        found
    }

    fn imports_within(&self, file: &Path, cycle: &BTreeSet<&Path>) -> String {
        let imports = self.0[file].iter().filter(|(other, _)| cycle.contains(other.as_path()));
        let line = |(other, names): (&PathBuf, &BTreeSet<String>)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("  {} -> {}: {}\n", file.display(), other.display(), names.join(", "))
        };
        imports.map(line).collect()
    }
}

/// All that the code of a module names.
fn targets(ours: &Crate, path: &ModulePath, module: &Module) -> Vec<Target> {
    let names: BTreeSet<&String> =
        module.references.paths.iter().filter_map(|path| path.first()).collect();
    let is_used = |name: &Option<String>| name.as_ref().is_some_and(|name| names.contains(name));
    let imports = module.imports.iter().filter(|import| match import.is_re_export {
        true => is_used(&import.name),
        false => import.name.is_some(),
    });
    let imports = imports.filter_map(|import| ours.resolve(path, &import.path));
    let long = module.references.paths.iter().filter(|it| it.len() > 1);
    let long = long.filter_map(|it| ours.resolve(path, it));
    let globs = names.iter().filter_map(|name| ours.resolve_glob(path, name));
    imports.chain(long).chain(globs).collect()
}
