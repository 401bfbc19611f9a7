//! Files import one way: no cycle inside any crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::modules::Crate;
use crate::tree::{below, root};

type Imports = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

#[test]
fn no_files_of_a_crate_import_each_other_in_a_cycle() {
    let root = root();
    let mut cycles = Vec::new();
    for entry in fs::read_dir(root.join("crates")).expect("the crates") {
        let source = entry.expect("a crate").path().join("src");
        let imports = Crate::read(&source).imports();
        for cycle in cycles_of(&imports) {
            let members: BTreeSet<&PathBuf> = cycle.iter().collect();
            let mut lines = Vec::new();
            for file in &cycle {
                for used in imports[file].iter().filter(|used| members.contains(used)) {
                    let (file, used) = (below(&root, file), below(&root, used));
                    lines.push(format!("  {file} imports {used}"));
                }
            }
            cycles.push(lines.join("\n"));
        }
    }
    assert!(
        cycles.is_empty(),
        "cycles of files:\n{}",
        cycles.join("\n\n")
    );
}

/// Files that can each be reached from the other: the strongly connected components of more than one file.
fn cycles_of(imports: &Imports) -> Vec<Vec<PathBuf>> {
    let reach: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> = imports
        .keys()
        .map(|file| (file, reachable(imports, file)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut cycles = Vec::new();
    for (file, reached) in &reach {
        if seen.contains(*file) || !reached.contains(*file) {
            continue;
        }
        let cycle: Vec<PathBuf> = reached
            .iter()
            .filter(|other| reach.get(**other).is_some_and(|back| back.contains(*file)))
            .map(|other| (*other).clone())
            .collect();
        seen.extend(cycle.iter().cloned());
        cycles.push(cycle);
    }
    cycles
}

/// Every file that is imported by this one, directly or through others.
fn reachable<'a>(imports: &'a Imports, from: &PathBuf) -> BTreeSet<&'a PathBuf> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&PathBuf> = imports.get(from).into_iter().flatten().collect();
    while let Some(file) = open.pop() {
        if reached.insert(file) {
            open.extend(imports.get(file).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn a_cycle_is_found_and_a_chain_is_none() {
    let file = |name: &str| PathBuf::from(name);
    let of = |pairs: &[(&str, &str)]| -> Imports {
        let mut imports = Imports::new();
        for (from, to) in pairs {
            imports.entry(file(from)).or_default().insert(file(to));
        }
        imports
    };
    assert!(cycles_of(&of(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    let found = cycles_of(&of(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]));
    assert_eq!(found, [vec![file("b"), file("c")]]);
}
