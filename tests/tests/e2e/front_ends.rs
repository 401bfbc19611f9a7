//! What stands before a platform, or in its place: front ends that change answers, proxies, other services.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use tests::kit::{Bag, Site, quick};

use crate::site;

/// What a front end does with a request.
type Change = fn(&str) -> Option<Vec<u8>>;

/// A server in front of the platform: answers itself, or passes requests on. It lives as long as the process.
struct FrontEnd {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl FrontEnd {
    fn before(site: &Site, change: Change) -> Self {
        let platform = site.announcement().url;
        let platform = platform
            .trim_start_matches("http://")
            .trim_end_matches("/api")
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (platform, seen) = (platform.clone(), Arc::clone(&seen));
                thread::spawn(move || answer(&client.unwrap(), &platform, &seen, change));
            }
        });
        Self { port, heads }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn count(&self, is_it: impl Fn(&str) -> bool) -> usize {
        let heads = self.heads.lock().unwrap();
        heads.iter().filter(|head| is_it(head)).count()
    }
}

/// One request on a connection of its own.
fn answer(client: &TcpStream, platform: &str, seen: &Mutex<Vec<String>>, change: Change) {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    seen.lock().unwrap().push(head.clone());
    let answer = change(&head).unwrap_or_else(|| passed_on(&head, platform));
    let _ = (&mut &*client).write_all(&answer);
}

/// The platform's answer. Requests to a proxy name the platform in their first line.
fn passed_on(head: &str, platform: &str) -> Vec<u8> {
    let head = head
        .replacen(&format!("http://{platform}"), "", 1)
        .replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut server = TcpStream::connect(platform).unwrap();
    server.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    answer
}

fn refusal(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into()
}

fn wants_json(head: &str) -> bool {
    head.contains("accept: application/json")
}

fn is_signed(head: &str) -> bool {
    head.contains("\r\nauthorization:") || head.contains("signature=")
}

/// `command` for the platform behind this front end.
fn behind(site: &Site, command: &str, front: &FrontEnd) -> Command {
    let mut behind = site.program.command([command]);
    behind
        .args([
            "-a",
            &format!("{}/api", front.url()),
            "-u",
            &site.announcement().user,
        ])
        .arg("--password-file")
        .arg(site.program.home().join("password"));
    behind
}

#[test]
fn json_that_a_platform_does_not_offer_is_no_failure() {
    let site = site(quick());
    let front = FrontEnd::before(&site, |head| {
        wants_json(head).then(|| refusal("406 Not Acceptable"))
    });
    let mut command = behind(&site, "export", &front);
    command.arg("-o").arg(site.path("john.zip"));
    let ended = site.program.run(command).expect_status(0);
    assert!(
        ended
            .stderr
            .contains("does not offer JSON: documents are kept as XML only"),
        "{}",
        ended.stderr
    );
    assert!(front.count(wants_json) <= 2);
    let bag = Bag::read(&site.path("john.zip"));
    bag.check();
    assert_eq!(bag.export_json()["outcome"], "complete");
    assert!(bag.payload().keys().all(|path| !path.contains(".json")));
}

#[test]
fn one_refused_sign_in_is_one_request() {
    let site = site(quick());
    site.program.private_file("password", "wrong\n");
    for command in ["plan", "export"] {
        let front = FrontEnd::before(&site, |_| None);
        let ended = site.program.run(behind(&site, command, &front));
        ended.expect_status(4);
        assert_eq!(front.count(is_signed), 1, "{command}");
    }
    let front = FrontEnd::before(&site, |_| None);
    let mut keys = site
        .program
        .command(["plan", "-u", &site.announcement().user]);
    keys.args(["-a", &format!("{}/api", front.url())])
        .args(["-k", &site.announcement().publickey, "--secretkey-file"])
        .arg(site.program.private_file("secret", "wrong\n"));
    site.program.run(keys).expect_status(4);
    assert_eq!(front.count(is_signed), 1);
}

#[test]
fn a_proxy_gets_nothing_that_is_for_a_host_without_one() {
    let site = site(quick());
    for (without, goes_through) in [
        ("*", false),
        ("127.0.0.1", false),
        ("127.0.0.0/8", false),
        ("example.com", true),
    ] {
        let proxy = FrontEnd::before(&site, |_| None);
        let mut command = site.signed_in("plan");
        command
            .env("HTTP_PROXY", proxy.url())
            .env("NO_PROXY", without);
        site.program.run(command).expect_status(0);
        assert_eq!(proxy.count(|_| true) > 0, goes_through, "{without}");
    }
}

#[test]
fn a_proxy_that_wants_a_password_or_is_none_is_reported_as_the_proxy_s_fault() {
    let site = site(quick());
    let proxy = FrontEnd::before(&site, |_| {
        Some(refusal("407 Proxy Authentication Required"))
    });
    let mut command = site.signed_in("plan");
    command.env("http_proxy", proxy.url());
    let ended = site.program.run(command).expect_status(1);
    ended
        .expect_word("the proxy `127.0.0.1:")
        .expect_word("(407)");
    assert_eq!(proxy.count(|_| true), 1);
    let mut command = site.signed_in("plan");
    command.env("ALL_PROXY", "ftp://john:hunter2@proxy");
    let ended = site.program.run(command).expect_status(2);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    ended.expect_word("ALL_PROXY");
}

#[test]
fn an_address_without_a_uforge_is_reported_as_that() {
    let site = site(quick());
    let root = site.announcement().url.trim_end_matches("/api").to_owned();
    for (path, command) in [
        ("/API", "plan"),
        ("/ui", "export"),
        ("/api/users/jleaver", "plan"),
    ] {
        let mut asked = site.program.command([command, "-u", "jleaver"]);
        asked
            .args(["-a", &format!("{root}{path}"), "--password-file"])
            .arg(site.program.home().join("password"));
        let ended = site.program.run(asked).expect_status(1);
        ended
            .expect_word("there is no UForge at")
            .expect_word("the URL should be the API's");
    }
    let other = FrontEnd::before(&site, |_| Some(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()));
    let ended = site.program.run(behind(&site, "plan", &other));
    ended
        .expect_status(1)
        .expect_word("does not speak HTTP")
        .expect_word("check the port");
}
