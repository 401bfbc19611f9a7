//! What was typed: the command line as clap reads it, without a thought about what it means.
//!
//! [`crate::settings`] lays these over the files and the environment. Begin with [`Arguments`].

mod connection;
mod general;
mod import;
mod output;
mod selection;
mod since;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use connection::ConnectionArguments;
pub(crate) use general::GeneralArguments;
pub(crate) use import::ImportArguments;
pub(crate) use output::OutputArguments;
pub(crate) use selection::SelectionArguments;
pub(crate) use since::SinceArguments;

use crate::settings::Layer;

const ABOUT: &str =
    "Exports all of a person's data from a UForge AppCenter into one checked archive";

const EXAMPLES: &str = "\
EXAMPLES
  Try it, without any server:
    uforge-export demo

  Everything of yours into the working directory (asks for the password):
    uforge-export export -a https://uforge.example.com/api -u john

  In a script; standard output gets the bag's path, standard error JSON lines:
    uforge-export export -a https://uforge.example.com/api -u john \\
        --password-file /run/secrets/uforge --progress json -o /backup/

  As an administrator, another person's data, encrypted:
    uforge-export export -a https://uforge.example.com/api -u admin --as jane \\
        --encrypt-to age1… -o jane.zip.age

  Check what came, and later what has changed on the platform since:
    uforge-export verify --deep uforge-john-20261124T101500Z.zip
    uforge-export verify uforge-john-20261124T101500Z.zip \\
        --against -a https://uforge.example.com/api -u john

EXIT STATUS
  0  everything selected is in the bag
  1  failed: there is no usable bag; what can be resumed was kept
  2  usage or configuration error; nothing was sent
  3  a valid bag, but some items are missing from it; verify --against: the
     platform has what the bag lacks
  4  the server refused the credentials
  5  verify, import: the bag is damaged
  129, 130, 143  interrupted by SIGHUP, SIGINT, SIGTERM (128 and the signal's
     number): the same command resumes where it stopped";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "uforge-export",
    bin_name = "uforge-export",
    version,
    about = ABOUT,
    after_help = EXAMPLES,
    term_width = 80,
    max_term_width = 80,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) general: GeneralArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Export one person's data into one bag
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(Box<ExportArguments>),
    /// Do the same against an embedded sandbox: needs no server
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(Box<DemoArguments>),
    /// Say what an export would contain; starts and changes nothing
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(Box<PlanArguments>),
    /// Check every byte of a finished bag again
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Box<VerifyArguments>),
    /// Say what is in a bag
    List(ListArguments),
    /// Import appliances and software of a bag into a UForge
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(Box<ImportArguments>),
    /// Run the embedded UForge alone, to try things against
    #[command(after_help = SANDBOX_EXAMPLES)]
    Sandbox(SandboxArguments),
    /// Discard an unfinished run and its tickets on the server
    Discard(Box<DiscardArguments>),
    /// Print the effective configuration and where each value comes from
    #[command(after_help = CONFIG_HELP)]
    Config(Box<ConfigArguments>),
    /// Print the completions for a shell
    Completions(CompletionsArguments),
    /// Print the manual page
    Man,
}

const EXPORT_EXAMPLES: &str = "\
EXAMPLES
  uforge-export export -a https://uforge.example.com/api -u john
  uforge-export export -c ~/.hammr/credentials.yml -o /backup/ -f tar.gz
  uforge-export export -a … -u john --include profile,appliances --appliance 201
  uforge-export export -u john --password-file pw -o - | ssh nas dd of=john.zip
  uforge-export export -a … -u john -o john.zip --receipt john.receipt.json \
      --sign-key ~/.minisign/minisign.key
  uforge-export export -a … -u john --since uforge-john-20261124T101500Z.zip

SECTIONS
  profile, appliances, mysoftware, cloud-accounts, artifact-accounts, api-keys,
  ssh-keys, workspaces, workspace-comments, organizations, roles, quotas, usage,
  statistics, activities, images, published-images, imports, exports, scans,
  scanned-instances, migrations, deployments, blueprints

The same command, given again, resumes where an interrupted run stopped.";

const DEMO_EXAMPLES: &str = "\
EXAMPLES
  uforge-export demo
  uforge-export demo -o demo.tar.gz --progress plain";

const PLAN_EXAMPLES: &str = "\
EXAMPLES
  uforge-export plan -a https://uforge.example.com/api -u john
  uforge-export plan -c credentials.yml --json | jq .items
  uforge-export plan -a … -u john --since uforge-john-20261124T101500Z.zip";

const VERIFY_EXAMPLES: &str = "\
EXAMPLES
  uforge-export verify uforge-john-20261124T101500Z.zip
  uforge-export verify --deep --identity ~/.config/age/key.txt jane.zip.age
  uforge-export verify john.zip --against -a https://uforge.example.com/api \\
      -u john --password-file pw
  uforge-export verify john.zip --receipt john.receipt.json --public-key my.pub

Any BagIt tool can check the bytes, and so can `unzip` with `sha256sum -c`.

EXIT STATUS
  0  the bag is whole; with --against: and holds all that the platform has
  3  with --against: the bag is whole, but the platform has what it lacks:
     added or changed since, or missing from it all along; each is named
  5  the bag is damaged, or not the one of the receipt, or its signature is
     wrong; the platform is then not asked";

const IMPORT_EXAMPLES: &str = "\
EXAMPLES
  uforge-export import john.zip --dry-run -a https://new.example.com/api -u john
  uforge-export import john.zip -a https://new.example.com/api -u john
  uforge-export import jane.zip.age --identity ~/.config/age/key.txt \\
      -a … -u admin --as jane --include appliances --json

My software comes first; other sections are not created, and are named with
what has to be done by hand. The same command, given again, resumes an import
that was interrupted, and imports nothing twice.

EXIT STATUS
  0  all of it is there      3  some failed or were refused
  1  nothing could be done   5  archives of the bag are damaged; they were not
  4  wrong credentials          sent, the rest was";

const SANDBOX_EXAMPLES: &str = "\
Standard output gets one line of JSON: url, user, password, publickey, secretkey.
It runs until it is interrupted, which is its normal end: exit status 0.";

const CONFIG_HELP: &str = "\
FILES, lowest first; keys are the long names of the flags
  /etc/uforge-export/config.toml
  $XDG_CONFIG_HOME/uforge-export/config.toml
  --config FILE

The output is itself such a file. Secrets are never printed.";

/// `export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    #[command(flatten)]
    pub(crate) since: SinceArguments,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

impl ExportArguments {
    /// The layer of the command line.
    pub(crate) fn layer(self) -> Layer {
        let mut flags = Layer::default();
        self.connection.fill(&mut flags);
        self.selection.fill(&mut flags);
        self.output.fill(&mut flags);
        flags
    }
}

/// `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    #[command(flatten)]
    pub(crate) since: SinceArguments,
    /// Print JSON instead of a table
    #[arg(long, help_heading = "OUTPUT")]
    pub(crate) json: bool,
}

/// How an encrypted bag is opened.
#[derive(Debug, Default, Args)]
pub(crate) struct OpeningArguments {
    /// age or SSH private key that opens an encrypted bag (repeatable)
    #[arg(long = "identity", value_name = "FILE")]
    pub(crate) identities: Vec<PathBuf>,
    /// First line of FILE opens an encrypted bag ('-': standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "identities")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// `verify`.
#[derive(Debug, Args)]
#[command(mut_group("ConnectionArguments", |group| group.requires("against")))]
pub(crate) struct VerifyArguments {
    /// The bag
    #[arg(value_name = "BAG")]
    pub(crate) bag: PathBuf,
    /// With --against: the platform, as with --url
    #[arg(value_name = "URL", requires = "against", conflicts_with = "url")]
    pub(crate) platform: Option<String>,
    /// Open every inner archive too: its template or bundle file parses, every
    /// file it names is there
    #[arg(long)]
    pub(crate) deep: bool,
    /// Also read the platform's lists and say what has been added or changed
    /// since, by digest and lastModified; nothing is exported or downloaded
    #[arg(long)]
    pub(crate) against: bool,
    /// Print what was found as JSON too
    #[arg(long)]
    pub(crate) json: bool,
    /// Also hold the bag against the receipt of its export
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// minisign public key that has to have signed the receipt (FILE.minisig)
    #[arg(long, value_name = "KEY.pub", requires = "receipt")]
    pub(crate) public_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) opening: OpeningArguments,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}

impl VerifyArguments {
    /// The flags under CONNECTION, with the URL wherever it was typed.
    pub(crate) fn connection(&mut self) -> ConnectionArguments {
        let mut connection = std::mem::take(&mut self.connection);
        connection.url = connection.url.or(self.platform.take());
        connection
    }
}

/// `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// The bag
    #[arg(value_name = "BAG")]
    pub(crate) bag: PathBuf,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) opening: OpeningArguments,
}

/// `sandbox`.
#[derive(Debug, Args)]
pub(crate) struct SandboxArguments {
    /// Where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Data and faults to serve instead of the built-in ones (TOML or JSON)
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
}

/// `discard`.
#[derive(Debug, Args)]
pub(crate) struct DiscardArguments {
    /// The bag that was being made, its work folder, or the folder of both
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
}

/// `config`: those of `export`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    #[command(flatten)]
    pub(crate) export: ExportArguments,
}

/// `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests;
