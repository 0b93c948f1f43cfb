//! The public items of a crate, by its source.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
};

use quote::{ToTokens, quote};
use syn::{
    Attribute, Fields, ImplItem, Item, ItemImpl, ItemStruct, Type, UseTree, Visibility,
    punctuated::Punctuated,
};

/// Lines, each an item, a method or an implementation.
#[derive(Default)]
pub(crate) struct Surface {
    lines: BTreeSet<String>,
    /// The types that are shown, whose methods count too.
    types: BTreeSet<String>,
    /// Items of other crates that are re-exported.
    re_exported: BTreeSet<String>,
}

impl Surface {
    /// Everything that is public in the files of a crate.
    pub(crate) fn of_crate(folder: &Path) -> Self {
        let items = items(folder);
        let mut surface = Self::default();
        for item in &items {
            surface.add(item, |_| true);
        }
        surface.add_implementations(&items);
        surface
    }

    /// Adds the items of another crate that are re-exported.
    pub(crate) fn add_re_exported(&mut self, folder: &Path) {
        let items = items(folder);
        let names = self.re_exported.clone();
        for item in &items {
            self.add(item, |name| names.contains(name));
        }
        self.add_implementations(&items);
    }

    /// What is re-exported from the workspace and was not found.
    pub(crate) fn missing(&self) -> BTreeSet<&str> {
        self.re_exported.iter().map(String::as_str).collect()
    }

    fn add(&mut self, item: &Item, is_wanted: impl Fn(&str) -> bool) {
        let (attributes, visibility, name) = match item {
            Item::Struct(it) => (&it.attrs, &it.vis, it.ident.to_string()),
            Item::Enum(it) => (&it.attrs, &it.vis, it.ident.to_string()),
            Item::Type(it) => (&it.attrs, &it.vis, it.ident.to_string()),
            Item::Trait(it) => (&it.attrs, &it.vis, it.ident.to_string()),
            Item::Const(it) => (&it.attrs, &it.vis, it.ident.to_string()),
            Item::Fn(it) => (&it.attrs, &it.vis, it.sig.ident.to_string()),
            Item::Use(it) if is_public(&it.vis) && !is_test(&it.attrs) => {
                self.add_use(&it.tree);
                return;
            }
            _ => return,
        };
        if !is_public(visibility) || is_test(attributes) || !is_wanted(&name) {
            return;
        }
        self.re_exported.remove(&name);
        let attributes = shown(attributes);
        let text = match item {
            Item::Struct(it) => structure(it),
            Item::Enum(it) => {
                let mut it = it.clone();
                it.attrs.clear();
                for variant in &mut it.variants {
                    variant.attrs = kept(&variant.attrs);
                    variant.fields.iter_mut().for_each(|field| field.attrs.clear());
                }
                it.to_token_stream().to_string()
            }
            Item::Fn(it) => {
                let (visibility, signature) = (&it.vis, &it.sig);
                quote!(#visibility #signature).to_string()
            }
            Item::Const(it) => {
                let (visibility, name, of) = (&it.vis, &it.ident, &it.ty);
                quote!(#visibility const #name: #of).to_string()
            }
            Item::Type(it) => {
                let mut it = it.clone();
                it.attrs.clear();
                it.to_token_stream().to_string()
            }
            _ => format!("trait {name}"),
        };
        self.types.insert(name);
        self.lines.insert(format!("{attributes}{text}"));
    }

    /// Notes what is re-exported from another crate of the workspace, by the name that it has there.
    fn add_use(&mut self, tree: &UseTree) {
        let text = tree.to_token_stream().to_string();
        if text.starts_with("rollcall_") {
            self.lines.insert(format!("pub use {text}"));
            let UseTree::Path(path) = tree else { return };
            add_names(&path.tree, &mut self.re_exported);
        }
    }

    fn add_implementations(&mut self, items: &[Item]) {
        for item in items {
            let Item::Impl(it) = item else { continue };
            if is_test(&it.attrs) || !self.types.contains(&name_of(&it.self_ty)) {
                continue;
            }
            self.lines.extend(implementation(it));
        }
    }
}

impl fmt::Display for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// The lines of an implementation: a trait by its header, else each public method and constant.
fn implementation(it: &ItemImpl) -> Vec<String> {
    let of = it.self_ty.to_token_stream();
    if let Some((path, _)) = &it.trait_ {
        return vec![format!("{}impl {} for {of}", shown(&it.attrs), path.to_token_stream())];
    }
    let public = |item: &ImplItem| match item {
        ImplItem::Fn(it) if is_public(&it.vis) && !is_test(&it.attrs) => {
            let (visibility, signature) = (&it.vis, &it.sig);
            let attributes = shown(&it.attrs);
            Some(format!("impl {of}: {attributes}{}", quote!(#visibility #signature)))
        }
        ImplItem::Const(it) if is_public(&it.vis) => {
            let (name, kind) = (&it.ident, &it.ty);
            Some(format!("impl {of}: {}", quote!(pub const #name: #kind)))
        }
        _ => None,
    };
    it.items.iter().filter_map(public).collect()
}

/// A struct with its public fields, and `..` in place of the others.
fn structure(it: &ItemStruct) -> String {
    let mut it = it.clone();
    it.attrs.clear();
    let mut is_open = true;
    match &mut it.fields {
        Fields::Named(fields) => {
            let all = std::mem::take(&mut fields.named);
            let mut public = Punctuated::new();
            for mut field in all {
                if is_public(&field.vis) {
                    field.attrs = kept(&field.attrs);
                    public.push(field);
                } else {
                    is_open = false;
                }
            }
            fields.named = public;
        }
        Fields::Unnamed(fields) => {
            is_open = fields.unnamed.iter().all(|field| is_public(&field.vis));
            if !is_open {
                fields.unnamed = Punctuated::new();
            }
        }
        Fields::Unit => {}
    }
    let text = it.to_token_stream().to_string();
    match text.strip_suffix('}') {
        Some(text) if !is_open => {
            let text = text.trim_end();
            let separator = if text.ends_with('{') { "" } else { " ," };
            format!("{text}{separator} .. }}")
        }
        _ => text,
    }
}

fn add_names(tree: &UseTree, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => add_names(&path.tree, names),
        UseTree::Name(name) => drop(names.insert(name.ident.to_string())),
        UseTree::Rename(rename) => drop(names.insert(rename.ident.to_string())),
        UseTree::Group(group) => group.items.iter().for_each(|it| add_names(it, names)),
        _ => {}
    }
}

/// The name of the type that an implementation is for, without its path and parameters.
fn name_of(of: &Type) -> String {
    match of {
        Type::Path(path) => {
            path.path.segments.last().map(|it| it.ident.to_string()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| it.to_token_stream().to_string().contains("cfg (test"))
}

/// The attributes that are part of the interface.
fn kept(attributes: &[Attribute]) -> Vec<Attribute> {
    let names = ["cfg", "derive", "must_use", "non_exhaustive"];
    let is_kept = |it: &&Attribute| names.iter().any(|name| it.path().is_ident(name));
    attributes.iter().filter(is_kept).cloned().collect()
}

fn shown(attributes: &[Attribute]) -> String {
    kept(attributes).iter().map(|it| format!("{} ", it.to_token_stream())).collect()
}

/// The items of all files of a folder, in modules that are not tests.
fn items(folder: &Path) -> Vec<Item> {
    let mut files = BTreeMap::new();
    collect(folder, &mut files);
    let mut items = Vec::new();
    for (path, text) in files {
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        items.extend(file.items);
    }
    items
}

fn collect(folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "tests") {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            files.insert(path.display().to_string(), fs::read_to_string(&path).unwrap());
        }
    }
}
