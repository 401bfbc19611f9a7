//! Appliances, bundles and cloud accounts: few facts each; their documents are made when they are asked for.

use jiff::{SignedDuration, Timestamp};

use domain::model::OutputFormat;

use crate::archive::{Archive, ArchiveSource, System, archive_of, mix};
use crate::scenario::{ItemKind, Names, Scenario};

use super::picture::{Picture, picture};
use crate::hexadecimal::hexadecimal;

/// One appliance, bundle or cloud account.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    pub(crate) id: i64,
    /// Its place among its kind when the data was made, which chooses what it is an example of.
    pub(crate) place: usize,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) revision: i64,
    pub(crate) created: Timestamp,
    pub(crate) last_modified: Timestamp,
    /// All that is drawn for this item follows from it.
    pub(crate) seed: u64,
    /// The `size` of its document, where the scenario gives one.
    pub(crate) size: Option<i64>,
    /// The archive that it was imported from.
    pub(crate) imported: Option<Imported>,
}

/// Where an imported item came from.
#[derive(Clone, Debug)]
pub(crate) struct Imported {
    pub(crate) archive: Archive,
    /// Whether it is marked as imported.
    pub(crate) is_tagged: bool,
}

const APPLIANCES: [(&str, &str, &str); 8] = [
    (
        "nginx reverse proxy",
        "1.4",
        "Terminates TLS in front of the web tier; Let's Encrypt & own CA.",
    ),
    (
        "PostgreSQL 9.6 replica",
        "2.0",
        "Streaming replica with pgBackRest <base backups every night>.",
    ),
    (
        "Jenkins build server",
        "2.138",
        "CI master with the plug-ins of team \"Forge\".",
    ),
    (
        "Équipe marketing – WordPress",
        "4.9",
        "Site vitrine, thème maison, sauvegardes quotidiennes.",
    ),
    (
        "Grafana + Prometheus",
        "5.2",
        "Monitoring of the lab. Dashboards in /srv/dashboards.",
    ),
    (
        "golden-image-hardened",
        "2018.07",
        "CIS level 1, no root login, auditd.",
    ),
    ("Kafka broker", "1.1", "Three of them make a cluster."),
    ("監視サーバー", "3.4", "Zabbix for the Tokyo office."),
];

const SYSTEMS: [(&str, &str); 4] = [
    ("CentOS", "7"),
    ("Debian", "9"),
    ("Ubuntu", "16.04"),
    ("Debian", "8"),
];

const SOFTWARE: [(&str, &str, &str); 6] = [
    (
        "wordpress-theme-maison",
        "1.2",
        "The theme of the marketing site.",
    ),
    (
        "internal-ca",
        "2018",
        "Certificates of the company's own CA and a script that trusts them.",
    ),
    (
        "jdk8-oracle",
        "8u181",
        "Unpacked JDK for the build servers.",
    ),
    (
        "backup agent",
        "0.9.1-rc2",
        "Copies /srv to the vault; R&D only.",
    ),
    ("Überwachung", "3.0", "Agent der Überwachung (Zabbix)."),
    ("audit-rules", "5", "auditd rules of the security team."),
];

/// Names that have broken programs before.
fn hostile_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "../../../etc/passwd",
        "..\\..\\windows\\system32",
        "/absolute/path",
        "CON",
        "nul.txt",
        "LPT1.tar.gz",
        "name with\ttab, line\nfeed and\rreturn",
        "\u{7f}\u{85}\u{9b}controls",
        "\u{202e}gpj.exe",
        "🦀🔥👩‍👩‍👧‍👦",
        "Case",
        "case",
        "CASE",
        "...",
        ".",
        "~",
        "-rf *",
        "$(reboot)`id`",
        "<script>alert('x')</script>",
        "\" onmouseover=\"alert(1)",
        "]]>&lt;&amp;",
        "a\u{0308}nd \u{e4}nd",
        "trailing dot.",
        "trailing space ",
        "",
    ]
    .map(str::to_owned)
    .into();
    names.push("x".repeat(300));
    names.push("é".repeat(300));
    names
}

/// The demo's own "today": what happened, happened before.
const TODAY: i64 = 1_790_000_000;

impl Item {
    pub(crate) fn new(
        scenario: &Scenario,
        kind: ItemKind,
        id: i64,
        place: usize,
        owner_seed: u64,
    ) -> Self {
        let seed = mix(owner_seed ^ mix(id.unsigned_abs() ^ ((kind as u64) << 50)));
        let (name, version, description) = names(scenario.data.names, kind, place);
        let own_name = scenario.item(kind, id).and_then(|item| item.name.clone());
        let own_size = scenario.item(kind, id).and_then(|item| item.size);
        let created = moment(seed, 700);
        Self {
            kind,
            id,
            place,
            name: own_name.unwrap_or(name),
            version,
            description,
            revision: i64::try_from(seed % 7 + 1).unwrap_or(1),
            created,
            last_modified: created.max(moment(mix(seed), 200)),
            seed,
            size: own_size.and_then(|size| i64::try_from(size).ok()),
            imported: None,
        }
    }

    /// Its archive, as an export gives it: of what was imported, byte for byte what was uploaded.
    pub(crate) fn archive(
        &self,
        scenario: &Scenario,
        format: OutputFormat,
    ) -> std::io::Result<Archive> {
        match &self.imported {
            Some(imported) => Ok(imported.archive.clone()),
            None => archive_of(&self.archive_source(scenario), format),
        }
    }

    /// Whether it is marked as imported; some of the demo's are.
    pub(crate) fn is_tagged(&self, of_demo: bool) -> bool {
        self.imported
            .as_ref()
            .map_or(of_demo, |imported| imported.is_tagged)
    }

    /// Somebody edits it.
    pub(crate) fn edit(&mut self, now: Timestamp) {
        self.seed = mix(self.seed);
        self.revision += 1;
        self.last_modified = now;
        self.imported = None;
    }

    pub(crate) fn digest(&self) -> String {
        let halves = [
            mix(self.seed ^ 1).to_be_bytes(),
            mix(self.seed ^ 2).to_be_bytes(),
        ];
        hexadecimal(halves.as_flattened())
    }

    pub(crate) fn system(&self) -> System {
        let (name, version) = SYSTEMS[self.place % SYSTEMS.len()];
        System {
            name: name.to_owned(),
            version: version.to_owned(),
            arch: "x86_64".to_owned(),
        }
    }

    /// The logo's id; not everything has one.
    pub(crate) fn logo_id(&self) -> Option<i64> {
        (self.place % 4 != 3).then_some(self.id * 10 + 3)
    }

    /// The logo's file: of some, only the description was ever made.
    pub(crate) fn logo(&self) -> Option<&'static Picture> {
        (self.place % 4 != 2).then(|| picture(self.id.unsigned_abs()))
    }

    fn archive_source(&self, scenario: &Scenario) -> ArchiveSource {
        let own_size = scenario
            .item(self.kind, self.id)
            .and_then(|item| item.archive_bytes);
        // Sizes differ, so that two archives of a demo are not taken for one another.
        let usual =
            scenario.data.archive_bytes / 2 + mix(self.seed) % scenario.data.archive_bytes.max(1);
        ArchiveSource {
            name: self.name.clone(),
            version: self.version.clone(),
            revision: self.revision,
            description: self.description.clone(),
            system: (self.kind == ItemKind::Appliance).then(|| self.system()),
            logo: picture(self.id.unsigned_abs()).bytes.to_vec(),
            seed: self.seed,
            bytes: own_size.unwrap_or(usual),
            compressible: scenario.data.compressible,
        }
    }
}

fn names(names: Names, kind: ItemKind, place: usize) -> (String, String, String) {
    let known: &[(&str, &str, &str)] = match kind {
        ItemKind::Appliance => &APPLIANCES,
        ItemKind::Software => &SOFTWARE,
        ItemKind::Account => &[("account", "", "")],
    };
    let (name, version, description) = known[place % known.len()];
    let name = match (names, place / known.len()) {
        (Names::Hostile, _) => {
            let hostile = hostile_names();
            hostile[place % hostile.len()].clone()
        }
        (Names::Realistic, 0) => name.to_owned(),
        (Names::Realistic, round) => format!("{name} #{}", round + 1),
    };
    (name, version.to_owned(), description.to_owned())
}

/// Some moment within so many days before the demo's today.
pub(crate) fn moment(seed: u64, days: u64) -> Timestamp {
    let back = i64::try_from(mix(seed) % (days * 86_400)).unwrap_or(0);
    let today = Timestamp::from_second(TODAY).unwrap_or(Timestamp::UNIX_EPOCH);
    today
        .checked_sub(SignedDuration::from_secs(back))
        .unwrap_or(today)
}
