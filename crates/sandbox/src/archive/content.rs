//! Which files an export archive holds: what an importer of templates expects.

use domain::model::OutputFormat;

use super::recipe::{Recipe, text};
use super::tar_gz::{Archive, ArchiveFile, FileContent};

/// The template or bundle file, in the notation that an export asks for.
fn described(format: OutputFormat, stem: &str, recipe: &Recipe) -> ArchiveFile {
    let (ending, content) = match format {
        OutputFormat::Yaml => ("yml", recipe.to_yaml()),
        OutputFormat::Json => ("json", recipe.to_json()),
    };
    ArchiveFile {
        path: format!("{stem}.{ending}"),
        content: FileContent::Bytes(content.into_bytes()),
    }
}

/// What an archive is made from.
pub(crate) struct ArchiveSource {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) revision: i64,
    pub(crate) description: String,
    /// The operating system of an appliance; a bundle has none.
    pub(crate) system: Option<System>,
    pub(crate) logo: Vec<u8>,
    pub(crate) seed: u64,
    /// About how long the archive is to be.
    pub(crate) bytes: u64,
    /// Whether what is in it compresses.
    pub(crate) compressible: bool,
}

impl ArchiveSource {
    /// The file that makes it long.
    fn payload(&self, bytes: u64) -> FileContent {
        let seed = self.seed;
        if self.compressible {
            FileContent::Compressible { seed, bytes }
        } else {
            FileContent::Noise { seed, bytes }
        }
    }
}

pub(crate) struct System {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) arch: String,
}

/// What all the small files of an archive take.
const SMALL_FILES_BYTES: u64 = 12_000;

/// The archive that the platform makes of `source`.
pub(crate) fn archive_of(source: &ArchiveSource, format: OutputFormat) -> std::io::Result<Archive> {
    let payload = source.bytes.saturating_sub(SMALL_FILES_BYTES).max(512);
    match &source.system {
        Some(system) => Archive::build(appliance_files(source, system, payload, format)),
        None => Archive::build(bundle_files(source, payload, format)),
    }
}

fn appliance_files(
    source: &ArchiveSource,
    system: &System,
    payload: u64,
    format: OutputFormat,
) -> Vec<ArchiveFile> {
    let folder = format!("bundles/{}-data/1.0", path_part(&source.name));
    let archive = format!("{folder}/application.bin");
    let read_me = format!("{folder}/README.txt");
    let script = "config/first-boot.sh".to_owned();
    let logo = "logo/logo.png".to_owned();
    let bundle = Recipe::Map(vec![
        ("name", text(format!("{} data", source.name))),
        ("version", text("1.0")),
        (
            "files",
            Recipe::List(vec![
                file_entry("application.bin", &archive),
                file_entry("README.txt", &read_me),
            ]),
        ),
    ]);
    let boot = Recipe::Map(vec![
        ("name", text("first-boot.sh")),
        ("type", text("bootscript")),
        ("source", text(script.as_str())),
        ("order", Recipe::Number(1)),
        ("frequency", text("firstboot")),
    ]);
    let stack = Recipe::Map(vec![
        ("name", text(source.name.as_str())),
        ("version", text(source.version.as_str())),
        ("revision", Recipe::Number(source.revision.unsigned_abs())),
        ("description", text(source.description.as_str())),
        ("os", operating_system(system)),
        ("installation", installation()),
        ("config", Recipe::List(vec![boot])),
        ("bundles", Recipe::List(vec![bundle])),
        ("image", text(logo.as_str())),
    ]);
    vec![
        described(format, "template", &Recipe::Map(vec![("stack", stack)])),
        small(
            script,
            format!(
                "#!/bin/sh\n# Runs once.\nhostnamectl set-hostname demo-{}\n",
                source.seed % 100
            ),
        ),
        ArchiveFile {
            path: logo,
            content: FileContent::Bytes(source.logo.clone()),
        },
        small(
            read_me,
            format!("Data of {}, version {}.\n", source.name, source.version),
        ),
        ArchiveFile {
            path: archive,
            content: source.payload(payload),
        },
    ]
}

fn operating_system(system: &System) -> Recipe {
    let packages = ["nginx", "postgresql", "openssh-server"]
        .map(|name| Recipe::Map(vec![("name", text(name))]));
    Recipe::Map(vec![
        ("name", text(system.name.as_str())),
        ("version", text(system.version.as_str())),
        ("arch", text(system.arch.as_str())),
        ("profile", text("Minimal")),
        ("pkgs", Recipe::List(packages.into())),
    ])
}

fn installation() -> Recipe {
    Recipe::Map(vec![
        ("keyboard", text("us")),
        ("timezone", text("Europe/Paris")),
        ("swapSize", Recipe::Number(1024)),
        ("diskSize", Recipe::Number(12288)),
        ("welcomeMessage", text("Authorised users only")),
        ("firewall", Recipe::Flag(true)),
    ])
}

fn bundle_files(source: &ArchiveSource, payload: u64, format: OutputFormat) -> Vec<ArchiveFile> {
    let folder = format!(
        "bundles/{}/{}",
        path_part(&source.name),
        path_part(&source.version)
    );
    let install = format!("{folder}/install.sh");
    let archive = format!("{folder}/content.bin");
    let logo = "logo/logo.png".to_owned();
    let bundle = Recipe::Map(vec![
        ("name", text(source.name.as_str())),
        ("version", text(source.version.as_str())),
        ("revision", Recipe::Number(source.revision.unsigned_abs())),
        ("description", text(source.description.as_str())),
        ("category", text("Software Development")),
        ("image", text(logo.as_str())),
        (
            "files",
            Recipe::List(vec![
                file_entry("install.sh", &install),
                file_entry("content.bin", &archive),
            ]),
        ),
    ]);
    vec![
        described(format, "bundle", &bundle),
        small(
            install,
            "#!/bin/sh\nset -e\ncp content.bin /opt/\n".to_owned(),
        ),
        ArchiveFile {
            path: logo,
            content: FileContent::Bytes(source.logo.clone()),
        },
        ArchiveFile {
            path: archive,
            content: source.payload(payload),
        },
    ]
}

fn file_entry(name: &str, source: &str) -> Recipe {
    Recipe::Map(vec![
        ("name", text(name)),
        ("source", text(source)),
        ("destination", text("/opt/demo")),
    ])
}

fn small(path: String, content: String) -> ArchiveFile {
    ArchiveFile {
        path,
        content: FileContent::Bytes(content.into_bytes()),
    }
}

/// The platform removes from a path what an URI or a file name cannot hold.
fn path_part(name: &str) -> String {
    let kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let plain: String = name.chars().filter(kept).take(30).collect();
    match plain.trim_matches('.') {
        "" => "unnamed".to_owned(),
        part => part.to_owned(),
    }
}
