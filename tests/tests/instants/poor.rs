//! File systems that can do less: calls that they do not have answer with an error of their own.

use std::process::Command;

use libtest_mimic::{Failed, Trial};
use tests::kit::{Bag, Site};

use super::site;

/// What a file system lacks: its name, what `strace` makes of the calls, and what is said of it.
struct Lack {
    name: &'static str,
    injections: &'static [&'static str],
    said: Option<&'static str>,
}

const NO_NOREPLACE: &str = "inject=renameat2:error=EINVAL";
const NO_LINKS: &str = "inject=link,linkat:error=EPERM";
const NO_LOCKS: &str = "inject=flock:error=ENOLCK";

const LACKS: [Lack; 9] = [
    Lack {
        name: "rename_without_replacing",
        injections: &[NO_NOREPLACE],
        said: None,
    },
    Lack {
        name: "rename_without_replacing_and_links",
        injections: &[NO_NOREPLACE, NO_LINKS],
        said: Some("cannot rename without replacing"),
    },
    Lack {
        name: "either_and_the_call_for_it",
        injections: &[
            "inject=renameat2:error=ENOSYS",
            "inject=link,linkat:error=EOPNOTSUPP",
        ],
        said: Some("cannot rename without replacing"),
    },
    Lack {
        name: "flushing_of_folders_and_files",
        injections: &["inject=fsync:error=EINVAL", "inject=fdatasync:error=EINVAL"],
        said: Some("cannot flush files"),
    },
    Lack {
        name: "flushing_of_folders",
        injections: &["inject=fsync:error=EOPNOTSUPP"],
        said: Some("cannot flush folders"),
    },
    Lack {
        name: "locks",
        injections: &[NO_LOCKS],
        said: Some("cannot lock"),
    },
    Lack {
        name: "locks_that_are_known",
        injections: &["inject=flock:error=EOPNOTSUPP"],
        said: Some("cannot lock"),
    },
    Lack {
        name: "access_rights",
        injections: &["inject=chmod,fchmod,fchmodat:error=EPERM"],
        said: None,
    },
    Lack {
        name: "all_of_it",
        injections: &[
            NO_NOREPLACE,
            NO_LINKS,
            NO_LOCKS,
            "inject=fsync:error=EINVAL",
            "inject=fdatasync:error=EINVAL",
            "inject=chmod,fchmod,fchmodat:error=EPERM",
        ],
        said: Some("cannot lock"),
    },
];

pub(super) fn trials(has_tools: bool) -> impl Iterator<Item = Trial> {
    LACKS.iter().map(move |lack| {
        let name = format!("a_file_system_without_{}", lack.name);
        Trial::test(name, move || {
            is_enough(lack);
            Ok::<(), Failed>(())
        })
        .with_ignored_flag(!has_tools)
    })
}

/// A bag is made, a run that was killed is resumed, and a file that is there is not replaced.
fn is_enough(lack: &Lack) {
    let site = site();
    let ended = site
        .program
        .run(below(&site.export_to("j.zip"), lack))
        .expect_status(0);
    if let Some(said) = lack.said {
        let times = ended.stderr.matches(said).count();
        assert_eq!(times, 1, "{}", ended.stderr);
    }
    Bag::read(&site.path("j.zip")).check();
    site.check_no_ticket_left();
    let taken = site.program.run(below(&site.export_to("j.zip"), lack));
    taken.expect_status(2);
    let mut replaced = site.export_to("j.zip");
    replaced.arg("--force");
    site.program.run(below(&replaced, lack)).expect_status(0);
    Bag::read(&site.path("j.zip")).check();
    assert_eq!(site.listing(), ["j.zip"]);
    is_resumed(lack);
}

fn is_resumed(lack: &Lack) {
    let site = Site::new(
        env!("CARGO_BIN_EXE_uforge-export-under-test"),
        super::slow_downloads(),
    );
    site.was_killed();
    let mut child = site.program.spawn(below(&site.export_to("j.tar"), lack));
    let asked = || {
        site.platform().count_requests(
            &"GET users/*/appliances/202/exports/*/downloads"
                .parse()
                .expect("a pattern"),
        ) > 0
    };
    assert!(child.wait_until(asked), "{}", child.said());
    super::kill_traced(child.id());
    child.wait();
    let ended = site
        .program
        .run(below(&site.export_to("j.tar"), lack))
        .expect_status(0);
    ended.expect_word("Resuming the run that was interrupted");
    Bag::read(&site.path("j.tar")).check();
    assert_eq!(site.listing(), ["j.tar"]);
}

fn below(command: &Command, lack: &Lack) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qqq", "-o", "/dev/null", "-I", "1"]);
    let calls = "trace=renameat2,link,linkat,fsync,fdatasync,flock,chmod,fchmod,fchmodat";
    strace.args(["-e", calls]);
    for injection in lack.injections {
        strace.args(["-e", injection]);
    }
    super::below(strace, command)
}
