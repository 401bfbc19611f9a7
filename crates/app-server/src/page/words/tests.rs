//! Plurals, dates, sizes and waits as each language writes them; every word is there.

use std::time::Duration;

use super::*;

const LANGUAGES: [&Words; 3] = [&ENGLISH, &FRENCH, &JAPANESE];

/// What each language makes of something.
fn each(said: impl Fn(&Words) -> String) -> [String; 3] {
    LANGUAGES.map(said)
}

#[test]
fn one_is_not_many_where_a_language_has_both() {
    assert_eq!(
        each(|words| (words.documents_done)(0)),
        ["0 documents", "0 document", "文書 0 件"]
    );
    assert_eq!(
        each(|words| (words.documents_done)(1)),
        ["1 document", "1 document", "文書 1 件"]
    );
    assert_eq!(
        each(|words| (words.documents_done)(2_345)),
        ["2,345 documents", "2\u{202f}345 documents", "文書 2,345 件"]
    );
    assert_eq!(
        each(|words| (words.archives_done)(0, 1)),
        [
            "0 of 1 archive",
            "0 sur 1 archive",
            "アーカイブ 1 件中 0 件"
        ]
    );
    assert_eq!(
        each(|words| (words.archives_done)(1, 3)),
        [
            "1 of 3 archives",
            "1 sur 3 archives",
            "アーカイブ 3 件中 1 件"
        ]
    );
    assert_eq!(
        each(|words| (words.lists_read)(1)),
        ["1 list read", "1 liste lue", "一覧 1 件を読み取り済み"]
    );
    assert_eq!(
        each(|words| (words.blanked)(RedactionRule::OtherPerson, 1)),
        [
            "1 passage of another person was blanked.",
            "1 texte d’une autre personne effacé.",
            "ほかの人の文章 1 件が空白にされました。"
        ]
    );
    assert_eq!(
        each(|words| (words.archives_failed)(2)),
        [
            "2 could not be had",
            "2 impossibles à obtenir",
            "取得できなかったもの 2 件"
        ]
    );
}

#[test]
fn dates_name_their_zone_and_are_written_as_usual() {
    let time: Timestamp = "2026-11-01T05:06:07Z".parse().unwrap();
    assert_eq!(
        each(|words| (words.moment)(time)),
        [
            "1 November 2026, 05:06 UTC",
            "1er novembre 2026 à 05:06 UTC",
            "2026年11月1日 05:06（UTC）"
        ]
    );
    let time: Timestamp = "2027-08-31T23:59:59Z".parse().unwrap();
    assert_eq!(
        each(|words| (words.moment)(time)),
        [
            "31 August 2027, 23:59 UTC",
            "31 août 2027 à 23:59 UTC",
            "2027年8月31日 23:59（UTC）"
        ]
    );
}

#[test]
fn sizes_are_cut_and_have_the_marks_of_the_language() {
    for (bytes, expected) in [
        (0, ["0 B", "0\u{a0}octet", "0 B"]),
        (999, ["999 B", "999\u{a0}octets", "999 B"]),
        (12_399, ["12.3 KB", "12,3\u{a0}ko", "12.3 KB"]),
        (2_345_678_901, ["2.3 GB", "2,3\u{a0}Go", "2.3 GB"]),
        (u64::MAX, ["18.4 EB", "18,4\u{a0}Eo", "18.4 EB"]),
    ] {
        assert_eq!(each(|words| (words.size)(bytes)), expected);
    }
    assert_eq!(
        each(|words| (words.percent)(45)),
        ["45%", "45\u{a0}%", "45%"]
    );
}

#[test]
fn a_wait_is_never_shorter_than_it_is() {
    for (milliseconds, expected) in [
        (0, ["1 second", "1 seconde", "1 秒"]),
        (1_200, ["2 seconds", "2 secondes", "2 秒"]),
        (90_000, ["90 seconds", "90 secondes", "90 秒"]),
        (91_000, ["2 minutes", "2 minutes", "2 分"]),
        (5_401_000, ["2 hours", "2 heures", "2 時間"]),
    ] {
        let problem = Problem::TooManyAttempts {
            wait: Duration::from_millis(milliseconds),
        };
        let said = each(|words| (words.problem)(&problem).text);
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.contains(expected), "{said}");
        }
    }
}

#[test]
fn kinds_of_data_states_and_actions_have_words_of_their_own() {
    for words in LANGUAGES {
        let mut titles: Vec<_> = Section::ALL
            .map(|section| (words.section)(section).title)
            .into();
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), Section::ALL.len());
        let mut states: Vec<_> = JobStateName::ALL
            .map(|state| (words.state)(state, None))
            .into();
        states.sort_unstable();
        states.dedup();
        assert_eq!(states.len(), JobStateName::ALL.len());
        let mut actions: Vec<_> = AuditAction::ALL.map(words.action).into();
        actions.sort_unstable();
        actions.dedup();
        assert_eq!(actions.len(), AuditAction::ALL.len());
    }
}

#[test]
fn a_problem_says_how_long_to_wait() {
    let wait = Problem::TooManyAttempts {
        wait: Duration::from_secs(40),
    };
    assert_eq!(
        each(|words| (words.problem)(&wait).text),
        [
            "Please wait 40 seconds before you try again.",
            "Attendez 40 secondes avant de réessayer.",
            "40 秒待ってから、もう一度お試しください。"
        ]
    );
}
