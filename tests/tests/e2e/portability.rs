//! The walk of `docs/portability.md`: every command on that page, in its order, from one platform to another.

use std::fs;
use std::path::Path;

use sandbox::scenario::ItemKind;
use tests::kit::{Signer, Site, quick};

use crate::imports::empty;
use crate::site;

const PAGE: &str = include_str!("../../../docs/portability.md");

/// The commands of the page: lines of its blocks, put together where they are continued.
fn commands() -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let blocks = PAGE.split("```").skip(1).step_by(2);
    for block in blocks {
        let lines = block.replace("\\\n", " ");
        let words = lines
            .lines()
            .map(|line| line.split_whitespace().map(str::to_owned).collect());
        commands.extend(words.filter(|words: &Vec<String>| !words.is_empty()));
    }
    commands
}

/// A word of the page as it is typed here.
fn meant(word: &str, old: &Site, new: &Site) -> String {
    let [old, new] = [old, new].map(Site::announcement);
    match word {
        "https://old.example.com/api" => old.url,
        "https://new.example.com/api" => new.url,
        "john" => old.user,
        word => word.to_owned(),
    }
}

#[test]
fn every_command_of_the_page_does_what_it_says() {
    let (old, new) = (site(quick()), site(empty()));
    let home = old.program.home();
    let signer = Signer::new(&old.program, "uforge", None);
    assert_eq!(signer.secret, home.join("uforge.key"));
    for (file, site) in [("old.pw", &old), ("new.pw", &new)] {
        let password = format!("{}\n", site.announcement().password);
        old.program.private_file(file, &password);
    }
    assert_eq!(old.announcement().user, new.announcement().user);
    let commands = commands();
    assert!(commands.len() >= 8, "{commands:?}");
    for words in commands {
        let [program, arguments @ ..] = words.as_slice() else {
            panic!("an empty command");
        };
        assert_eq!(program, "uforge-export");
        let arguments = arguments.iter().map(|word| meant(word, &old, &new));
        let command = old.program.command(arguments);
        let ended = old.program.run(command);
        assert_eq!(ended.status, Some(0), "{words:?}: {}", ended.stderr);
    }
    for kind in [ItemKind::Appliance, ItemKind::Software] {
        let names = |site: &Site| {
            let mut names = site.platform().names(kind);
            names.sort();
            names
        };
        assert_eq!(names(&old), names(&new));
    }
    let there = |name: &str| home.join(name).exists();
    assert!(there("john.zip") && there("john.receipt.json.minisig") && there("arrived.zip"));
    let left = fs::read_dir(Path::new(home)).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        let name = name.to_string_lossy();
        name.contains("uforge-run") || name.contains("uforge-import")
    });
    assert_eq!(left.count(), 0);
}
