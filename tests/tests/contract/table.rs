//! The table of promises names every method of every port, every implementation, and only suites that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, ImplItem, Item, TraitItem};
use tests::contract::table::PORTS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> syn::File {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Rust files below a folder, unit tests in files or folders of their own aside.
fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "tests" {
                files_below(&path, found);
            }
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

fn product_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for krate in fs::read_dir(root().join("crates")).expect("the crates") {
        files_below(&krate.expect("a crate").path().join("src"), &mut found);
    }
    files_below(&root().join("tests/src"), &mut found);
    found
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        matches!(&attribute.meta, syn::Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
    })
}

/// The methods of the traits of a file.
fn traits_of(file: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let items = read(file).items.into_iter();
    let traits = items.filter_map(|item| match item {
        Item::Trait(found) => Some(found),
        _ => None,
    });
    traits
        .map(|found| {
            let methods = found.items.iter().filter_map(|item| match item {
                TraitItem::Fn(method) => Some(method.sig.ident.to_string()),
                _ => None,
            });
            (found.ident.to_string(), methods.collect())
        })
        .collect()
}

#[test]
fn every_method_of_every_port_has_a_promise() {
    let mut ports = BTreeMap::new();
    let mut files = Vec::new();
    files_below(&root().join("crates/domain/src/jobs"), &mut files);
    files_below(&root().join("crates/domain/src/ports"), &mut files);
    for file in files {
        ports.extend(traits_of(&file));
    }
    let table = PORTS.iter().map(|port| {
        let methods = port.methods.iter().map(|(method, promises)| {
            assert!(!promises.is_empty(), "{}::{method}", port.name);
            (*method).to_owned()
        });
        (port.name.to_owned(), methods.collect())
    });
    assert_eq!(ports, table.collect(), "left: the ports, right: the table");
}

#[test]
fn every_promise_of_the_table_is_a_function_of_the_suites() {
    let mut files = Vec::new();
    files_below(&root().join("tests/src/contract"), &mut files);
    let items = files.iter().flat_map(|file| read(file).items);
    let functions: BTreeSet<String> = items
        .filter_map(|item| match item {
            Item::Fn(function) => Some(function.sig.ident.to_string()),
            _ => None,
        })
        .collect();
    for port in &PORTS {
        for promise in port.methods.iter().flat_map(|(_, promises)| *promises) {
            assert!(functions.contains(*promise), "{}: {promise}", port.name);
        }
    }
}

#[test]
fn every_implementation_runs_the_suite_of_its_port() {
    let mut found: BTreeMap<&str, BTreeSet<(String, bool)>> = BTreeMap::new();
    let mut aliases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in product_files() {
        for item in read(&file).items {
            if let Item::Type(alias) = &item
                && let syn::Type::Path(of) = alias.ty.as_ref()
                && let Some(of) = of.path.segments.last()
            {
                let names = aliases.entry(of.ident.to_string()).or_default();
                names.insert(alias.ident.to_string());
            }
            let Item::Impl(item) = item else { continue };
            let Some((_, path, _)) = &item.trait_ else {
                continue;
            };
            let Some(name) = path.segments.last().map(|last| last.ident.to_string()) else {
                continue;
            };
            let port = PORTS.iter().find(|port| port.name == name);
            let is_generic = item.generics.type_params().next().is_some();
            let has_methods = item
                .items
                .iter()
                .any(|item| matches!(item, ImplItem::Fn(_)));
            if let Some(port) = port.filter(|_| has_methods && !is_for_tests(&item.attrs))
                && let syn::Type::Path(of) = item.self_ty.as_ref()
                && let Some(of) = of.path.segments.last()
            {
                found
                    .entry(port.name)
                    .or_default()
                    .insert((of.ident.to_string(), is_generic));
            }
        }
    }
    for port in &PORTS {
        let table: BTreeSet<String> = port
            .implementations
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        // What is generic is an implementation for each type that has a name.
        let found: BTreeSet<String> = found[port.name]
            .iter()
            .flat_map(|(name, is_generic)| match aliases.get(name) {
                Some(names) if *is_generic => names.clone(),
                _ => BTreeSet::from([name.clone()]),
            })
            .collect();
        assert_eq!(found, table, "{}", port.name);
        for (name, file) in port.implementations {
            assert!(root().join(file).exists(), "{name}: {file}");
        }
    }
}
