//! An S3 server of somebody else's (moto), as a process of its own on a free port.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tokio::runtime::Builder;

/// A running server, with a bucket in it. Dropped, it is gone.
pub struct S3 {
    /// Where it is reached.
    pub url: String,
    child: Child,
}

impl S3 {
    /// The bucket that is there.
    pub const BUCKET: &str = "bags";
    /// What it takes for keys: it takes any.
    pub const KEYS: [(&str, &str); 3] = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "eu-west-1"),
    ];
    /// Names the folder of its programs.
    pub const TOOLS: &str = "UFORGE_EXPORT_TEST_S3";

    /// Its program, where it is installed: in the folder that [`S3::TOOLS`] names, or where `cargo xtask test` puts it.
    pub fn program() -> Option<PathBuf> {
        let named = std::env::var_os(Self::TOOLS).map(PathBuf::from);
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/moto/bin");
        let programs = named.into_iter().chain([target]);
        let mut programs = programs.map(|folder| folder.join("moto_server"));
        programs.find(|program| program.is_file())
    }

    /// Starts it, and makes the bucket.
    ///
    /// # Panics
    ///
    /// Where it is not installed, or does not start.
    pub fn start() -> Self {
        let program = Self::program().unwrap_or_else(|| {
            panic!(
                "moto is missing, an S3 server: `cargo xtask test` installs it, or name the folder of `moto_server` in {}",
                Self::TOOLS
            )
        });
        let child = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let said = BufReader::new(child.stderr.take().expect("its words"));
        let mut lines = said.lines().map_while(Result::ok);
        let url = lines
            .find_map(|line| Some(line.split_once("Running on ")?.1.trim().to_owned()))
            .expect("it says where it listens");
        // It says more with every request, and stops where nobody reads.
        std::thread::spawn(move || lines.for_each(drop));
        let server = Self { url, child };
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(server.make_bucket());
        server
    }

    async fn make_bucket(&self) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build();
        let region = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
        let bucket = format!("{}/{}", self.url, Self::BUCKET);
        let sent = client.expect("a client").put(bucket).body(region);
        let made = sent.send().await.expect("an answer");
        assert!(made.status().is_success(), "{made:?}");
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
