//! CONNECTION: which platform, who signs in, whose data.

use std::path::PathBuf;

use clap::Args;

use crate::settings::Layer;

/// The flags under CONNECTION. A secret is never one of them: it would show in `ps`.
#[derive(Debug, Default, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "these are help texts: marks would be shown"
)]
#[command(next_help_heading = "CONNECTION")]
pub(crate) struct ConnectionArguments {
    /// Base URL, for example https://uforge.example.com/api [env: UFORGE_URL]
    #[arg(short = 'a', long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Who authenticates [env: UFORGE_USER]
    #[arg(short = 'u', long, value_name = "LOGIN")]
    pub(crate) user: Option<String>,
    /// Whose data to export, if not LOGIN's own
    #[arg(long = "as", value_name = "UID")]
    pub(crate) as_user: Option<String>,
    /// Authenticate as `LOGIN\UID` (supervisor mode); needs --as
    #[arg(long)]
    pub(crate) supervisor: bool,
    /// The password is the first line of FILE; '-' is standard input
    /// [env: UFORGE_PASSWORD]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["publickey", "secretkey_file"])]
    pub(crate) password_file: Option<PathBuf>,
    /// API key pair instead of a password [env: UFORGE_PUBLICKEY]
    #[arg(short = 'k', long, value_name = "KEY")]
    pub(crate) publickey: Option<String>,
    /// Its secret key is the first line of FILE; '-' is standard input
    /// [env: UFORGE_SECRETKEY]
    #[arg(long, value_name = "FILE")]
    pub(crate) secretkey_file: Option<PathBuf>,
    /// Credentials file of the official client (.yml or .json)
    /// [default: ~/.hammr/credentials.yml, then .json]
    #[arg(short = 'c', long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
    /// Extra trusted CA, or the server's own certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Accept any certificate (warns on every run)
    #[arg(long)]
    pub(crate) insecure: bool,
    /// No byte received for this long fails a request [default: 120]
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: Option<u64>,
}

impl ConnectionArguments {
    pub(crate) fn fill(self, layer: &mut Layer) {
        layer.url = self.url;
        layer.user = self.user;
        layer.as_user = self.as_user;
        layer.supervisor = self.supervisor.then_some(true);
        layer.password_file = self.password_file;
        layer.publickey = self.publickey;
        layer.secretkey_file = self.secretkey_file;
        layer.credentials = self.credentials;
        layer.cacert = self.cacert;
        layer.insecure = self.insecure.then_some(true);
        layer.timeout = self.timeout;
    }
}
