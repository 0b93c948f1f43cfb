//! The modules of a crate, and what a path in one of them names.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use quote::ToTokens;
use syn::{Attribute, Item, UseTree, Visibility};

use crate::references::References;

/// Names of modules from the crate's root, which has none.
pub(crate) type ModulePath = Vec<String>;

pub(crate) struct Crate {
    pub(crate) modules: BTreeMap<ModulePath, Module>,
}

#[derive(Default)]
pub(crate) struct Module {
    pub(crate) file: PathBuf,
    children: BTreeSet<String>,
    /// The file that defines each item.
    items: BTreeMap<String, PathBuf>,
    pub(crate) imports: Vec<Import>,
    pub(crate) references: References,
}

/// One name, or all names of a module, from a `use` declaration.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// The name in this module; `None` for all names.
    pub(crate) name: Option<String>,
    pub(crate) path: Vec<String>,
    pub(crate) is_re_export: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Target {
    Module(ModulePath),
    Item { file: PathBuf, name: String },
}

impl Crate {
    /// Parses the files of a crate, given by their paths in its folder `src`.
    pub(crate) fn parse(sources: &BTreeMap<PathBuf, String>) -> Self {
        let mut modules = Parser { sources, modules: BTreeMap::new(), macros: BTreeMap::new() };
        for root in ["lib.rs", "main.rs"] {
            if sources.contains_key(Path::new(root)) {
                modules.parse_file(vec![], Path::new(root), Path::new(""));
            }
        }
        let Parser { mut modules, macros, .. } = modules;
        modules.entry(vec![]).or_default().items.extend(macros);
        Self { modules }
    }

    /// What a path in a module names; `None` if it belongs to another crate.
    pub(crate) fn resolve(&self, from: &ModulePath, path: &[String]) -> Option<Target> {
        self.resolve_within(from, path, 0)
    }

    /// What a single name means in a module, which has it from another module by a `use …::*`.
    pub(crate) fn resolve_glob(&self, from: &ModulePath, name: &String) -> Option<Target> {
        self.globs(from, std::slice::from_ref(name), 0)
    }

    fn resolve_within(&self, from: &ModulePath, path: &[String], depth: u32) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        if depth > 20 {
            return None;
        }
        match first.as_str() {
            "crate" => self.walk(&vec![], rest, depth),
            "self" => self.walk(from, rest, depth),
            "super" => {
                let mut parent = from.clone();
                parent.pop()?;
                match rest.first().is_some_and(|next| next == "super") {
                    true => self.resolve_within(&parent, rest, depth + 1),
                    false => self.walk(&parent, rest, depth),
                }
            }
            _ => self.known(from, path, depth),
        }
    }

    /// A path that begins in `module`. A name that its text does not define comes from a macro.
    fn walk(&self, module: &ModulePath, path: &[String], depth: u32) -> Option<Target> {
        let Some(first) = path.first() else { return Some(Target::Module(module.clone())) };
        if self.imported_name(module, first).is_some() {
            return self.known(module, path, depth);
        }
        let file = &self.modules.get(module)?.file;
        let from_macro = || Target::Item { file: file.clone(), name: first.clone() };
        Some(self.known(module, path, depth).unwrap_or_else(from_macro))
    }

    fn known(&self, module: &ModulePath, path: &[String], depth: u32) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let found = self.modules.get(module)?;
        let item = found.items.get(first);
        if let Some(file) = item.filter(|_| rest.is_empty() || !found.children.contains(first)) {
            return Some(Target::Item { file: file.clone(), name: first.clone() });
        }
        if found.children.contains(first) {
            let child = [module.as_slice(), std::slice::from_ref(first)].concat();
            return self.walk(&child, rest, depth);
        }
        match self.imported_name(module, first) {
            // `use name;` of another crate.
            Some(import) if import.path.first() == Some(first) => None,
            Some(import) => {
                let path = [import.path.as_slice(), rest].concat();
                self.resolve_within(module, &path, depth + 1)
            }
            None => self.globs(module, path, depth),
        }
    }

    fn imported_name(&self, module: &ModulePath, name: &str) -> Option<&Import> {
        let imports = &self.modules.get(module)?.imports;
        imports.iter().find(|import| import.name.as_deref() == Some(name))
    }

    fn globs(&self, module: &ModulePath, path: &[String], depth: u32) -> Option<Target> {
        if depth > 20 {
            return None;
        }
        let globs = self.modules.get(module)?.imports.iter().filter(|it| it.name.is_none());
        globs
            .filter_map(|import| self.resolve_within(module, &import.path, depth + 1))
            .filter_map(|target| match target {
                Target::Module(other) if other != *module => self.known(&other, path, depth + 1),
                _ => None,
            })
            .next()
    }
}

struct Parser<'a> {
    sources: &'a BTreeMap<PathBuf, String>,
    modules: BTreeMap<ModulePath, Module>,
    /// Exported macros, which belong to the crate's root.
    macros: BTreeMap<String, PathBuf>,
}

impl Parser<'_> {
    /// `folder` is where the files of the module's children are.
    fn parse_file(&mut self, path: ModulePath, file: &Path, folder: &Path) {
        let text = self.sources.get(file).unwrap_or_else(|| panic!("no file {}", file.display()));
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        self.parse_items(path, file, folder, &parsed.items);
    }

    fn parse_items(&mut self, path: ModulePath, file: &Path, folder: &Path, items: &[Item]) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items.iter().filter(|item| !is_test(item)) {
            let name = name_of(item);
            match item {
                Item::Use(item) => {
                    let is_re_export = !matches!(item.vis, Visibility::Inherited);
                    if item.leading_colon.is_none() {
                        flatten(&item.tree, &mut vec![], is_re_export, &mut module.imports);
                    }
                    continue;
                }
                Item::Mod(item) => {
                    let child = item.ident.to_string();
                    let path = [path.as_slice(), std::slice::from_ref(&child)].concat();
                    let inner = folder.join(&child);
                    match &item.content {
                        Some((_, items)) => self.parse_items(path, file, &inner, items),
                        None => self.parse_child(path, &inner),
                    }
                    module.children.insert(child);
                    continue;
                }
                Item::Macro(it) if it.attrs.iter().any(|it| it.path().is_ident("macro_export")) => {
                    self.macros.extend(name.map(|name| (name, file.to_owned())));
                }
                _ => module.items.extend(name.map(|name| (name, file.to_owned()))),
            }
            module.references.collect(item.to_token_stream());
        }
        for tree in std::mem::take(&mut module.references.uses) {
            flatten(&tree, &mut vec![], false, &mut module.imports);
        }
        self.modules.insert(path, module);
    }

    fn parse_child(&mut self, path: ModulePath, folder: &Path) {
        let flat = folder.with_extension("rs");
        let file = if self.sources.contains_key(&flat) { flat } else { folder.join("mod.rs") };
        self.parse_file(path, &file, folder);
    }
}

/// The imports of a `use` declaration.
fn flatten(tree: &UseTree, path: &mut Vec<String>, is_re_export: bool, imports: &mut Vec<Import>) {
    let mut import = |name: Option<String>, path: Vec<String>| {
        imports.push(Import { name, path, is_re_export });
    };
    let within = |path: &[String], last: String| match last.as_str() {
        "self" => path.to_vec(),
        _ => [path, &[last]].concat(),
    };
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            flatten(&tree.tree, path, is_re_export, imports);
            path.pop();
        }
        UseTree::Name(tree) => {
            let path = within(path, tree.ident.to_string());
            import(path.last().cloned(), path);
        }
        UseTree::Rename(tree) => {
            import(Some(tree.rename.to_string()), within(path, tree.ident.to_string()));
        }
        UseTree::Glob(_) => import(None, path.clone()),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, path, is_re_export, imports);
            }
        }
    }
}

fn is_test(item: &Item) -> bool {
    let is_cfg_test = |attribute: &Attribute| {
        attribute.meta.to_token_stream().to_string().replace(' ', "") == "cfg(test)"
    };
    attributes(item).iter().any(is_cfg_test)
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Union(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Macro(it) => it.ident.as_ref()?,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        Item::Union(it) => &it.ident,
        _ => return None,
    };
    Some(name.to_string())
}
