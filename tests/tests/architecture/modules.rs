//! The modules of a crate and which file imports which, read from the source by its syntax.
//!
//! Followed are `use` items and paths in the code that begin with `crate`, `super`, `self` or a module of the same file; a
//! name that a module re-exports is followed to the file that defines it. Modules for tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, UseTree};

/// A module's path inside its crate: `["workflow", "item"]`.
type ModulePath = Vec<String>;

/// One module that has a file of its own.
struct Module {
    file: PathBuf,
    children: BTreeSet<String>,
    /// Names that `pub use` hands on, each with the path that stands there; `*` for globs.
    handed_on: Vec<(String, Vec<String>)>,
    /// Every path that the file's own code names, re-exports aside.
    named: Vec<Vec<String>>,
}

/// The modules of one crate.
pub(crate) struct Crate {
    modules: BTreeMap<ModulePath, Module>,
}

impl Crate {
    /// Reads a crate from its `src` folder.
    pub(crate) fn read(source: &Path) -> Self {
        let mut krate = Self {
            modules: BTreeMap::new(),
        };
        krate.read_module(Vec::new(), &source.join("lib.rs"), source);
        krate
    }

    /// `folder` is where the files of its children are.
    fn read_module(&mut self, path: ModulePath, file: &Path, folder: &Path) {
        let text =
            fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let syntax = syn::parse_file(&text).expect("Rust");
        let mut reader = Reader::default();
        reader.visit_file(&syntax);
        for child in &reader.children {
            let (own, inside) = (
                folder.join(format!("{child}.rs")),
                folder.join(child).join("mod.rs"),
            );
            let file = if own.exists() { own } else { inside };
            let mut path = path.clone();
            path.push(child.clone());
            self.read_module(path, &file, &folder.join(child));
        }
        let module = Module {
            file: file.to_owned(),
            children: reader.children,
            handed_on: reader.handed_on,
            named: reader.named,
        };
        self.modules.insert(path, module);
    }

    /// Which file imports which.
    pub(crate) fn imports(&self) -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
        let mut imports: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        for (path, module) in &self.modules {
            let found = module
                .named
                .iter()
                .filter_map(|named| self.resolve(path, named, 0));
            let others = found.filter(|file| *file != module.file);
            imports
                .entry(module.file.clone())
                .or_default()
                .extend(others);
        }
        imports
    }

    /// The file that defines what a path names, seen from a module.
    fn resolve(&self, from: &ModulePath, named: &[String], depth: usize) -> Option<PathBuf> {
        const LONGEST_CHAIN: usize = 16;
        if depth > LONGEST_CHAIN {
            return None;
        }
        let mut at = from.clone();
        let mut rest = named.iter();
        let mut first = true;
        while let Some(segment) = rest.next() {
            match segment.as_str() {
                "crate" if first => at.clear(),
                "self" if first => {}
                "super" => {
                    at.pop()?;
                }
                name => {
                    let module = self.modules.get(&at)?;
                    if module.children.contains(name) {
                        at.push(name.to_owned());
                    } else if let Some(found) = self.handed_on(&at, name, rest.as_slice(), depth) {
                        return Some(found);
                    } else if first {
                        // Another crate, or a name that the file imported.
                        return None;
                    } else {
                        return Some(module.file.clone());
                    }
                }
            }
            first = false;
        }
        self.modules.get(&at).map(|module| module.file.clone())
    }

    fn handed_on(
        &self,
        at: &ModulePath,
        name: &str,
        rest: &[String],
        depth: usize,
    ) -> Option<PathBuf> {
        let module = self.modules.get(at)?;
        let mut globs = Vec::new();
        for (given, path) in &module.handed_on {
            if given == name {
                let path: Vec<String> = path.iter().chain(rest).cloned().collect();
                return self.resolve(at, &path, depth + 1);
            }
            if given == "*" {
                globs.push(path);
            }
        }
        globs.into_iter().find_map(|path| {
            let path: Vec<String> = path.iter().cloned().chain([name.to_owned()]).collect();
            self.resolve(at, &path, depth + 1)
        })
    }
}

/// Collects what a file says of modules.
#[derive(Default)]
struct Reader {
    children: BTreeSet<String>,
    handed_on: Vec<(String, Vec<String>)>,
    named: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes_of(item)) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.content.is_none() {
            self.children.insert(module.ident.to_string());
        } else {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let handed_on = !matches!(item.vis, syn::Visibility::Inherited);
        let mut paths = Vec::new();
        flatten(&item.tree, Vec::new(), &mut paths);
        for (name, path) in paths {
            if handed_on {
                self.handed_on.push((name, path));
            } else {
                self.named.push(path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        if segments.len() > 1 && path.leading_colon.is_none() {
            self.named.push(segments);
        }
        syn::visit::visit_path(self, path);
    }
}

/// `use a::{b, c as d}` as `(b, a::b)` and `(d, a::c)`.
fn flatten(tree: &UseTree, mut before: Vec<String>, found: &mut Vec<(String, Vec<String>)>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
        }
        UseTree::Name(name) if name.ident == "self" => {
            let name = before.last().cloned().unwrap_or_default();
            found.push((name, before));
        }
        UseTree::Name(name) => {
            before.push(name.ident.to_string());
            found.push((name.ident.to_string(), before));
        }
        UseTree::Rename(rename) => {
            before.push(rename.ident.to_string());
            found.push((rename.rename.to_string(), before));
        }
        UseTree::Glob(_) => found.push(("*".to_owned(), before)),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before.clone(), found);
            }
        }
    }
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]`, alone or as one of several conditions.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = attribute.path().is_ident("cfg").then_some(&attribute.meta);
        condition.is_some_and(|meta| {
            let syn::Meta::List(list) = meta else {
                return false;
            };
            let mut words = list.tokens.to_string();
            words.retain(|letter| !letter.is_whitespace());
            words == "test" || words.starts_with("any(test") || words.starts_with("all(test")
        })
    })
}
