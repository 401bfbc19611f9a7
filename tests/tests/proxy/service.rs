//! A platform, the service as an operator starts it, and a proxy before it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use domain::model::Sha256Hasher;
use sandbox::{Running, Scenario};
use tempfile::TempDir;
use tests::kit::start;
use tokio::runtime::Runtime;

use crate::certificates::{Certificates, NAME};
use crate::client::Client;
use crate::proxies::{Kind, Ports, Proxy};

/// All three, and the files of it all.
pub(crate) struct Site {
    proxy: Proxy,
    service: Child,
    platform: Running,
    certificates: Certificates,
    folder: TempDir,
    // Dropped last: the platform lives on it.
    _runtime: Runtime,
}

impl Site {
    pub(crate) fn start(kind: Kind, scenario: Scenario) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let platform = runtime.block_on(start(scenario));
        let folder = tempfile::tempdir().expect("a folder");
        let certificates = Certificates::new(folder.path());
        let ports = Ports::free();
        let (service, url) = serve(platform.url(), folder.path(), &ports);
        Self {
            proxy: Proxy::start(kind, &ports, &url, &certificates, folder.path()),
            service,
            platform,
            certificates,
            folder,
            _runtime: runtime,
        }
    }

    pub(crate) fn client(&self) -> Client {
        let announced = self.platform.announcement();
        Client {
            port: self.proxy.port,
            authority: self.certificates.authority.clone(),
            login: announced.user,
            password: announced.password,
        }
    }

    pub(crate) fn clear_port(&self) -> u16 {
        self.proxy.clear_port
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // One that has ended cannot be killed.
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}

fn serve(platform: &str, folder: &Path, ports: &Ports) -> (Child, String) {
    let mut service = Command::new(env!("CARGO_BIN_EXE_uforge-export-server-under-test"))
        .args(["--url", platform, "--listen", "127.0.0.1:0"])
        .args(["--trusted-proxy", "127.0.0.1", "--public-url"])
        .arg(format!("https://{NAME}:{}", ports.tls))
        .arg("--data")
        .arg(folder.join("data"))
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(folder.join("service.log")).expect("a file"))
        .spawn()
        .expect("the service starts");
    let mut line = String::new();
    let output = service.stdout.take().expect("its output");
    BufReader::new(output)
        .read_line(&mut line)
        .expect("its first line");
    let announced: serde_json::Value = serde_json::from_str(&line).expect("it listens");
    let url = announced["url"].as_str().expect("a URL").to_owned();
    (service, url)
}

/// The sum of a file.
pub(crate) fn sha256(file: &Path) -> String {
    let mut file = File::open(file).expect("a file");
    let mut sum = Sha256Hasher::default();
    let mut piece = vec![0; 1024 * 1024];
    loop {
        match file.read(&mut piece).expect("it is read") {
            0 => return sum.finish().to_string(),
            length => sum.update(&piece[..length]),
        }
    }
}
