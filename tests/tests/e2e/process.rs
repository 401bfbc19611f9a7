//! What surrounds a process: a standard error that takes nothing, signals, files that Windows wrote, variables, a terminal.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sandbox::Scenario;
use serde_json::Value;
use tests::kit::{Program, Signal, Site, quick};

use crate::site;

const SERVER: &str = env!("CARGO_BIN_EXE_uforge-export-server-under-test");
const PATIENCE: Duration = Duration::from_mins(1);

fn slow() -> Scenario {
    let mut scenario = quick();
    scenario.timing.export_millis = 60_000;
    scenario
}

/// An export that waits for the platform.
fn waiting(site: &Site, command: Command) -> tests::kit::Child {
    let mut child = site.program.spawn(command);
    let asked = || {
        let starts = "POST users/*/*/*/exports".parse().unwrap();
        site.platform().count_requests(&starts) > 0
    };
    assert!(child.wait_until(asked), "{}", child.said());
    child
}

/// `command`, run by a shell that does something before.
pub(crate) fn shell(site: &Site, before: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{before} exec \"$0\" \"$@\""))
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .env("HOME", site.program.home())
        .env("TMPDIR", site.program.home())
        .current_dir(site.program.home())
        .stdin(Stdio::null());
    shell
}

#[test]
fn lines_that_cannot_be_written_end_no_work() {
    let site = site(quick());
    for (number, (before, flags)) in [
        ("exec 2>/dev/full;", &["-vv"][..]),
        ("exec 2>/dev/full;", &["-vv", "--progress", "json"]),
        ("exec 2>/dev/full;", &["--progress", "bar"]),
        ("exec 2>&-;", &["-vv"]),
    ]
    .into_iter()
    .enumerate()
    {
        let mut export = site.export_to(&format!("{number}.zip"));
        export.args(flags);
        site.program
            .run(shell(&site, before, &export))
            .expect_status(0);
        let mut verify = site.program.command(["verify"]);
        verify.arg(site.path(&format!("{number}.zip")));
        site.program
            .run(shell(&site, before, &verify))
            .expect_status(0);
    }
}

#[test]
fn a_hang_up_ends_a_run_as_a_termination_does() {
    let site = site(slow());
    site.leaves_run_files("an interrupted run is kept");
    let child = waiting(&site, site.export_to("j.zip"));
    let at = Instant::now();
    send("HUP", child.id());
    let ended = child
        .wait()
        .expect_status(129)
        .expect_word("the same command resumes");
    site.check_no_ticket_left_after(at, &ended);
}

#[test]
fn what_is_ignored_stays_ignored() {
    let site = site(slow());
    site.leaves_run_files("an interrupted run is kept");
    let export = shell(&site, "trap '' HUP INT;", &site.export_to("j.zip"));
    let mut child = waiting(&site, export);
    send("HUP", child.id());
    send("INT", child.id());
    // Were they not ignored, one of them would decide the exit status.
    let at = Instant::now();
    child.signal(Signal::Terminate);
    let ended = child.wait().expect_status(143);
    site.check_no_ticket_left_after(at, &ended);
}

fn send(signal: &str, process: u32) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{signal} {process}")])
        .status();
    assert!(sent.unwrap().success());
}

/// The ways in which Windows writes a text, and the way in which an old Macintosh did.
fn as_editors_write(text: &str) -> [Vec<u8>; 4] {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(bytes).collect()
    };
    [
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        text.replace("\r\n", "\r").into_bytes(),
    ]
}

#[test]
fn files_that_any_editor_wrote_are_read_as_they_are_meant() {
    let site = site(quick());
    let announced = site.announcement();
    let file = |name: &str| site.path(name);
    let official = format!(
        "user: {}\r\npassword: {}\r\nurl: {}\r\n",
        announced.user, announced.password, announced.url
    );
    let settings = format!(
        "url = '{}'\r\nuser = '{}'\r\npassword-file = 'pw'\r\n",
        announced.url, announced.user
    );
    let texts = [
        ("pw", format!("{}\r\n", announced.password)),
        ("secret", format!("{}\r\n", announced.secretkey)),
        ("c.yml", official),
        ("u.toml", settings),
    ];
    for way in 0..4 {
        for (name, text) in &texts {
            fs::write(file(name), &as_editors_write(text)[way]).unwrap();
        }
        let plan = |flags: &[&str], named: &str| {
            let mut plan = site.program.command(["plan"]);
            plan.args(flags).arg(file(named));
            site.program.run(plan).expect_status(0);
        };
        let who = ["-a", &announced.url, "-u", &announced.user];
        plan(&[&who[..], &["--password-file"]].concat(), "pw");
        let keys = ["-k", &announced.publickey, "--secretkey-file"];
        plan(&[&who[..], &keys[..]].concat(), "secret");
        plan(&["-c"], "c.yml");
        plan(&["--config"], "u.toml");
    }
}

#[test]
fn a_passphrase_that_windows_wrote_opens_with_the_real_one() {
    let site = site(quick());
    fs::write(site.path("plain"), "pass phrase").unwrap();
    let [marked, ..] = as_editors_write("pass phrase\r\n");
    fs::write(site.path("marked"), marked).unwrap();
    let mut export = site.export_to("j.zip.age");
    export.arg("--passphrase-file").arg(site.path("marked"));
    site.program.run(export).expect_status(0);
    let header = fs::read(site.path("j.zip.age")).unwrap();
    let header = String::from_utf8_lossy(&header[..200]).into_owned();
    let stanza = header.lines().nth(1).unwrap();
    assert!(stanza.ends_with(" 18"), "{stanza}");
    let mut verify = site.program.command(["verify"]);
    verify.arg(site.path("j.zip.age"));
    verify.arg("--passphrase-file").arg(site.path("plain"));
    site.program.run(verify).expect_status(0);
}

#[test]
fn a_bag_that_asks_for_too_much_memory_is_refused_before_it_is_tried() {
    let site = site(quick());
    fs::write(site.path("pp"), "pass phrase").unwrap();
    let asks = |factor: u32| {
        let text = format!(
            "age-encryption.org/v1\n-> scrypt MDAwMDAwMDAwMDAwMDAwMA {factor}\n\
             MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE\n\
             --- MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI\n0123456789abcdef"
        );
        fs::write(site.path("bag.zip.age"), text).unwrap();
    };
    let read = |command: &str, before: &str| {
        let mut read = site.program.command([command]);
        read.arg(site.path("bag.zip.age"));
        read.arg("--passphrase-file").arg(site.path("pp"));
        site.program.run(shell(&site, before, &read))
    };
    for factor in [23, 24, 63, 64, 999] {
        asks(factor);
        for command in ["verify", "list"] {
            read(command, "")
                .expect_status(1)
                .expect_word("4 GiB is the most that is allowed");
        }
    }
    let mut export = site.export_to("j.zip.age");
    export.arg("--passphrase-file").arg(site.path("pp"));
    let export = shell(&site, "ulimit -d 200000;", &export);
    site.program
        .run(export)
        .expect_status(2)
        .expect_word("encrypt to a key with `--encrypt-to`");
    assert_eq!(site.listing(), ["bag.zip.age", "pp"]);
    asks(20);
    read("verify", "ulimit -v 900000;")
        .expect_status(1)
        .expect_word("it needs 1 GiB of memory");
}

#[test]
fn a_variable_that_is_no_text_is_named_and_nothing_is_sent() {
    let site = site(quick());
    for name in ["UFORGE_URL", "UFORGE_USER", "UFORGE_PASSWORD"] {
        let mut plan = site.signed_in("plan");
        plan.env(name, OsString::from_vec(b"j\xf6hn".to_vec()));
        site.program.run(plan).expect_status(2).expect_word(name);
    }
    assert_eq!(site.platform().requests_in_all(), 0);
    let server = Program::new(SERVER);
    for name in ["UFORGE_URL", "UFORGE_EXPORT_LISTEN", "UFORGE_EXPORT_LOG"] {
        let mut serve = server.command(["--data", "d"]);
        serve.env("UFORGE_URL", site.announcement().url);
        serve.env(name, OsString::from_vec(b"\xff".to_vec()));
        server.run(serve).expect_status(2).expect_word(name);
    }
}

/// A service that runs. Dropped, it is killed.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A service, and where it listens.
fn serve(site: &Site, before: &str) -> (Service, String) {
    let mut serve = Command::new(SERVER);
    serve
        .args(["--listen", "127.0.0.1:0", "--log", "trace", "--data"])
        .arg(site.path("data"))
        .args(["--url", &site.announcement().url]);
    let mut child = shell(site, before, &serve)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let announced: Value = serde_json::from_str(&line).unwrap();
    (
        Service(child),
        announced["url"].as_str().unwrap().to_owned(),
    )
}

fn healthy(url: &str) -> bool {
    let mut stream = std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let asked = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

#[test]
fn the_service_goes_on_when_its_log_cannot_be_written() {
    let site = site(quick());
    let (mut child, url) = serve(&site, "exec 2>/dev/full;");
    for _ in 0..3 {
        assert!(healthy(&url));
    }
    send("TERM", child.0.id());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

#[test]
fn the_service_ends_in_order_with_a_hang_up_unless_it_is_ignored() {
    let site = site(quick());
    let (mut child, _) = serve(&site, "exec 2>/dev/null;");
    send("HUP", child.0.id());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    let (mut child, url) = serve(&site, "trap '' HUP; exec 2>/dev/null;");
    send("HUP", child.0.id());
    assert!(healthy(&url));
    send("TERM", child.0.id());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

/// `plan` at a terminal of its own, made by util-linux' `script`; afterwards `stty` says how the terminal was left.
fn at_a_terminal(site: &Site) -> Child {
    let announced = site.announcement();
    let program = site.program.command([""]).get_program().to_owned();
    let line = format!(
        "sh -c 'echo $$ > pid; exec {} plan -a {} -u {}'; echo status $?; stty -a",
        Path::new(&program).display(),
        announced.url,
        announced.user
    );
    Command::new("script")
        .args(["-q", "-e", "-c", &line, "typescript"])
        .env("HOME", site.program.home())
        .env("SHELL", "/bin/sh")
        .env_remove("UFORGE_PASSWORD")
        .current_dir(site.program.home())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads until these words came.
fn until(child: &mut Child, words: &str) {
    let stdout = child.stdout.as_mut().unwrap();
    let (from, mut said, mut byte) = (Instant::now(), Vec::new(), [0]);
    while !String::from_utf8_lossy(&said).contains(words) {
        assert!(from.elapsed() < PATIENCE);
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "no `{words}`");
        said.extend_from_slice(&byte);
    }
}

/// All that is still said.
fn rest(child: &mut Child) -> String {
    let mut said = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut said).unwrap();
    child.wait().unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_signal_at_the_prompt_gives_the_terminal_back() {
    let site = site(quick());
    for (signal, status) in [
        ("TERM", 143),
        ("HUP", 129),
        ("INT", 130),
        ("QUIT", 131),
        ("USR1", 138),
        ("ALRM", 142),
    ] {
        let mut child = at_a_terminal(&site);
        until(&mut child, "Password of");
        let process = fs::read_to_string(site.program.home().join("pid")).unwrap();
        send(signal, process.trim().parse().unwrap());
        let said = rest(&mut child);
        assert!(said.contains(&format!("status {status}")), "{said}");
        assert!(said.contains(" echo "), "{signal}: {said}");
    }
    assert_eq!(site.platform().requests_in_all(), 0);
}

#[test]
fn enter_alone_is_no_password() {
    let site = site(quick());
    let mut child = at_a_terminal(&site);
    until(&mut child, "Password of");
    let mut keys = child.stdin.take().unwrap();
    keys.write_all(b"\r").unwrap();
    until(&mut child, "Password of");
    assert_eq!(site.platform().requests_in_all(), 0);
    let password = site.announcement().password;
    keys.write_all(format!("{password}\r").as_bytes()).unwrap();
    let said = rest(&mut child);
    assert!(said.contains("status 0"), "{said}");
    assert!(!said.contains(&password), "{said}");
}

#[test]
fn the_demo_fits_80_columns() {
    let site = site(quick());
    let demo = site.program.run_with(["demo"]).expect_status(0);
    for line in demo.stderr.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}
