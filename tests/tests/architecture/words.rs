//! One word for one thing, and it is the field's: retired words stand nowhere, neither in names nor in texts.

use crate::tree::{Text, texts};

/// Words that are not used, and what is said instead. A word here is found inside names too, in any case.
const RETIRED: [(&str, &str); 36] = [
    ("brings home", "exports, fetches"),
    ("brought", "exported, fetched, downloaded"),
    ("buried", "discarded"),
    ("bury", "discard"),
    ("comes home", "is exported"),
    ("doomed", "to be deleted"),
    ("fate", "what becomes of it: say what"),
    ("goes on with", "resumes"),
    ("going on with", "resuming"),
    ("gone on with", "resumed"),
    ("homecoming", "export"),
    ("house", "module, crate"),
    ("leftover", "unfinished run"),
    ("leftovers", "unfinished run"),
    ("lying", "open"),
    ("on its way home", "under way"),
    ("packing", "encoding, format"),
    ("packings", "encodings, formats"),
    ("papers", "tag files"),
    ("remains", "what is left: say what"),
    ("remember", "record, keep"),
    ("remembered", "recorded, checkpoint"),
    ("remembers", "records, keeps"),
    ("replay", "checkpoint, read again"),
    ("room", "module, free space, spool"),
    ("rooms", "modules"),
    ("taken up", "resumed"),
    ("take up", "resume"),
    ("tell", "record, report, notify"),
    ("telling", "recording, reporting"),
    ("tells", "records, reports, notifies"),
    ("told", "recorded, reported, notified"),
    ("way home", "export"),
    ("withdraw", "abandon"),
    ("withdrawal", "abandoning"),
    ("withdrawn", "abandoned"),
];

/// Files that have to name retired words.
const EXCEPT: [&str; 1] = ["tests/tests/architecture/words.rs"];

#[test]
fn retired_words_stand_nowhere() {
    let mut found = Vec::new();
    for text in texts(&[".rs", ".md", ".toml", ".html", ".css", ".js", ".sql"]) {
        if !EXCEPT.contains(&text.path.as_str()) {
            found.extend(findings(&text));
        }
    }
    assert!(
        found.is_empty(),
        "{} places use retired words:\n{}",
        found.len(),
        found.join("\n")
    );
}

fn findings(text: &Text) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.content.lines().enumerate() {
        let words = words_of(line);
        for (retired, instead) in RETIRED {
            let wanted: Vec<&str> = retired.split(' ').collect();
            if words.windows(wanted.len()).any(|some| some == wanted) {
                let (path, number) = (&text.path, number + 1);
                found.push(format!("  {path}:{number}: `{retired}`: say {instead}"));
            }
        }
    }
    found
}

/// A row that `words_of` would take apart otherwise, an underscore or a capital in it, matches nothing.
#[test]
fn every_retired_word_would_be_found() {
    for (retired, _) in RETIRED {
        let wanted: Vec<&str> = retired.split(' ').collect();
        assert_eq!(words_of(retired), wanted, "`{retired}` matches nothing");
    }
}

/// The words of a line in lower case: `RunHeader` and `run_header` are two words each.
fn words_of(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in line.chars() {
        let begins = letter.is_uppercase() && before.is_lowercase();
        if !letter.is_alphabetic() || begins {
            words.push(String::new());
        }
        if letter.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn names_are_split_into_words() {
    assert_eq!(
        words_of("let RunHeader = run_header2;"),
        ["let", "run", "header", "run", "header"]
    );
}
