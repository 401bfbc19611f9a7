//! nginx and Caddy as processes of their own, with the files of `deploy/`.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::certificates::{Certificates, NAME};

/// Which one.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
}

/// A proxy that runs. Dropped, it ends.
pub(crate) struct Proxy {
    process: Child,
    /// With TLS.
    pub(crate) port: u16,
    /// Without.
    pub(crate) clear_port: u16,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
        }
    }
}

/// The ports that a proxy is to have, before it has them: what it stands before has to know its name.
pub(crate) struct Ports {
    pub(crate) tls: u16,
    pub(crate) clear: u16,
}

impl Ports {
    /// Two that are free now. Neither proxy can be asked to choose.
    pub(crate) fn free() -> Self {
        let take = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = |taken: &TcpListener| taken.local_addr().expect("an address").port();
        let (tls, clear) = (take(), take());
        Self {
            tls: port(&tls),
            clear: port(&clear),
        }
    }
}

impl Proxy {
    /// Starts one before a service, with everything that it writes in this folder.
    pub(crate) fn start(
        kind: Kind,
        ports: &Ports,
        service: &str,
        certificates: &Certificates,
        folder: &Path,
    ) -> Self {
        let mut command = match kind {
            Kind::Nginx => nginx(ports, service, certificates, folder),
            Kind::Caddy => caddy(ports, service, certificates, folder),
        };
        let log = folder.join("proxy.log");
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).expect("a file"))
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", kind.name()));
        let mut proxy = Self {
            process,
            port: ports.tls,
            clear_port: ports.clear,
        };
        proxy.wait(&log);
        proxy
    }

    fn wait(&mut self, log: &Path) {
        let from = Instant::now();
        let takes = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        while !(takes(self.port) && takes(self.clear_port)) {
            let ended = self.process.try_wait().expect("a child");
            if ended.is_some() || from.elapsed() > Duration::from_secs(90) {
                let said = fs::read_to_string(log).unwrap_or_default();
                panic!("the proxy did not start:\n{said}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx ends its workers when it is asked to; a kill would leave them.
        let _ = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status();
        let _ = self.process.wait();
    }
}

/// The file of `deploy/` with these of its words replaced, each of which has to be there.
fn example(name: &str, replaced: &[(&str, &str)]) -> String {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = workspace.join("deploy").join(name);
    let mut text = fs::read_to_string(&path).expect("an example");
    for (old, new) in replaced {
        assert!(text.contains(old), "no `{old}` in deploy/{name}");
        text = text.replace(old, new);
    }
    text
}

fn program(name: &str) -> PathBuf {
    let tools = std::env::var_os(crate::TOOLS).expect("the tests are not run without it");
    let unpacked = PathBuf::from(tools);
    let inside = ["usr/sbin", "usr/bin"].map(|folder| unpacked.join(folder).join(name));
    let found = inside.into_iter().find(|path| path.exists());
    found.unwrap_or_else(|| name.into())
}

fn nginx(ports: &Ports, service: &str, certificates: &Certificates, folder: &Path) -> Command {
    let address = service.strip_prefix("http://").expect("plain HTTP");
    let port = ports.tls;
    let site = example(
        "nginx/uforge-export.conf",
        &[
            ("listen [::]:80;", ""),
            ("listen [::]:443 ssl http2;", ""),
            ("listen 80;", &format!("listen 127.0.0.1:{};", ports.clear)),
            ("listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl")),
            (
                "/etc/nginx/tls/exports.crt",
                &display(&certificates.certificate),
            ),
            ("/etc/nginx/tls/exports.key", &display(&certificates.key)),
            ("127.0.0.1:8081", address),
        ],
    );
    let at = display(folder);
    // What Debian's own file has around it, with everything in this folder.
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = kinds.map(|kind| format!("{kind}_temp_path {at}/{kind};\n"));
    let whole = format!(
        "daemon off;\npid {at}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\ngzip on;\n{}{site}}}\n",
        temporary.concat()
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, whole).expect("a file");
    let mut command = Command::new(program("nginx"));
    command.arg("-p").arg(folder).arg("-c").arg(&file);
    command.args(["-e", "stderr"]);
    command
}

fn caddy(ports: &Ports, service: &str, certificates: &Certificates, folder: &Path) -> Command {
    let named = "{$PUBLIC_NAME:exports.example.com} {\n";
    let (certificate, key) = (
        display(&certificates.certificate),
        display(&certificates.key),
    );
    let site = example(
        "caddy/Caddyfile",
        &[(named, &format!("{named}\ttls {certificate} {key}\n"))],
    );
    // Its ports, and no second server for its own administration.
    let global = format!(
        "{{\n\tadmin off\n\tdefault_bind 127.0.0.1\n\thttp_port {}\n\thttps_port {}\n}}\n",
        ports.clear, ports.tls
    );
    let file = folder.join("Caddyfile");
    fs::write(&file, global + &site).expect("a file");
    let mut command = Command::new(program("caddy"));
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&file)
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("PUBLIC_NAME", NAME)
        .env("SERVER", service.strip_prefix("http://").expect("plain"));
    command
}

fn display(path: &Path) -> String {
    path.display().to_string()
}
