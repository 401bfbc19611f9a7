//! Settings of both programs: where they come from, and what is said of wrong ones before anything happens.

use std::fs;
use std::path::PathBuf;

use tests::kit::{Ended, Program, Signal};

const EXPORT: &str = env!("CARGO_BIN_EXE_uforge-export-under-test");
const SERVER: &str = env!("CARGO_BIN_EXE_uforge-export-server-under-test");

/// A configuration file of the program's user.
fn user_file(program: &Program, name: &str, text: &str) -> PathBuf {
    let folder = program.home().join("config/uforge-export");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// The lines of `config`, with one space where there are several.
fn lines(ended: &Ended) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    ended.out().lines().map(words).collect()
}

#[track_caller]
fn check_lines(ended: &Ended, expected: &[String]) {
    let shown = lines(ended);
    for line in expected {
        assert!(shown.contains(line), "{line}: {shown:#?}");
    }
}

#[test]
fn config_shows_each_value_of_an_export_with_its_origin() {
    let program = Program::new(EXPORT);
    let user = user_file(
        &program,
        "config.toml",
        "url = 'https://h/api'\rjobs = 8\rnotice = 'notice.txt'\r",
    );
    fs::write(
        program.home().join("named.toml"),
        "downloads = 1\njobs = 9\n",
    )
    .unwrap();
    let mut config = program.command(["config", "--config", "named.toml", "--timeout", "5"]);
    config
        .env("UFORGE_USER", "john")
        .env("UFORGE_PASSWORD", "hunter2");
    let ended = program.run(config).expect_status(0);
    let (user, folder) = (user.display(), user.parent().unwrap().display());
    check_lines(
        &ended,
        &[
            format!("url = \"https://h/api\" # {user}"),
            format!("notice = \"{folder}/notice.txt\" # {user}"),
            "user = \"john\" # environment (UFORGE_USER)".to_owned(),
            "jobs = 9 # named.toml".to_owned(),
            "timeout = 5 # command line (--timeout)".to_owned(),
            "max-wait = \"30m\" # default".to_owned(),
        ],
    );
    assert!(!ended.out().contains("hunter2"));
}

#[test]
fn a_server_is_set_up_by_a_file() {
    let server = Program::new(SERVER);
    let text = "url = 'http://127.0.0.1:9/api'\ndata = 'exports'\nlisten = '127.0.0.1:0'\n";
    let user = user_file(&server, "server.toml", text);
    let data = user.with_file_name("exports");
    let mut running = server.spawn(server.command([""; 0]));
    assert!(running.wait_until(|| data.join("jobs.sqlite").exists()));
    running.signal(Signal::Terminate);
    running.wait().expect_status(0);
}

#[test]
fn config_shows_each_value_of_a_server_with_its_origin_and_starts_nothing() {
    let server = Program::new(SERVER);
    let user = user_file(
        &server,
        "server.toml",
        "data = 'exports'\nadmin = ['root']\n",
    );
    let named = server.home().join("named.toml");
    fs::write(&named, "url = 'https://h/api'\nkeep-archive = '2d'\n").unwrap();
    let mut config = server.command(["config", "--config", "named.toml", "-j", "3"]);
    config.env("UFORGE_EXPORT_LISTEN", "127.0.0.1:9");
    let ended = server.run(config).expect_status(0);
    let (user, folder) = (user.display(), user.parent().unwrap().display());
    check_lines(
        &ended,
        &[
            "url = \"https://h/api\" # named.toml".to_owned(),
            format!("data = \"{folder}/exports\" # {user}"),
            format!("admin = [\"root\"] # {user}"),
            "listen = \"127.0.0.1:9\" # environment (UFORGE_EXPORT_LISTEN)".to_owned(),
            "jobs = 3 # command line (--jobs)".to_owned(),
            "keep-archive = \"2d\" # named.toml".to_owned(),
            "give-up-after = \"1d\" # default".to_owned(),
        ],
    );
    // What a server would not start with is said, after what there is.
    let ended = server.run_with(["config"]).expect_status(2);
    assert!(ended.out().contains("exports"), "{}", ended.out());
    ended.expect_word("--url <URL>");
    let ended = server.run_with(["config", "--url", "https://john:hunter2@h"]);
    let ended = ended
        .expect_status(2)
        .expect_word("must not hold a user name");
    assert!(!(ended.out() + &ended.stderr).contains("hunter2"));
    assert!(!server.home().join("config/uforge-export/exports").exists());
}

#[test]
fn a_server_refuses_nonsense_before_anything_happens() {
    let server = Program::new(SERVER);
    let data = server.home().join("config/uforge-export/exports");
    let enough = "url = 'http://127.0.0.1:9/api'\ndata = 'exports'\nlisten = '127.0.0.1:0'\n";
    for (wrong, key) in [
        ("jobz = 3", "`jobz`"),
        ("jobs = 0", "`jobs`"),
        ("jobs = 'many'", "`jobs`"),
        ("keep-archive = 7", "`keep-archive`"),
        ("insecure = 'no'", "`insecure`"),
        ("trusted-proxy = '10.0.0.0/8'", "`trusted-proxy`"),
        ("password = 'hunter2'", "`password`"),
    ] {
        user_file(&server, "server.toml", &format!("{enough}{wrong}\n"));
        for command in [&[""; 0][..], &["config"]] {
            let ended = server.run_with(command).expect_status(2);
            let ended = ended.expect_word("server.toml").expect_word(key);
            assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
            assert_eq!(ended.out(), "");
        }
    }
    user_file(&server, "server.toml", enough);
    let missing = server.run_with(["--config", "none.toml"]);
    missing.expect_status(2).expect_word("none.toml");
    let mut wrong = server.command([""; 0]);
    wrong.env("UFORGE_EXPORT_JOBS", "0");
    let ended = server.run(wrong).expect_status(2);
    ended.expect_word("UFORGE_EXPORT_JOBS");
    assert!(!data.exists());
}
