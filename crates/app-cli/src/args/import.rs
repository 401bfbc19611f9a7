//! `import`: what of a bag, into whose account, and what becomes of conflicts.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::model::{ObjectId, OnConflict, Section};

use super::{ConnectionArguments, OpeningArguments};
use crate::settings::{Layer, ProgressMode};

fn importable() -> impl TypedValueParser<Value = Section> {
    let names = [Section::Appliances, Section::MySoftware].map(Section::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Section>())
}

fn conflicts() -> impl TypedValueParser<Value = OnConflict> {
    PossibleValuesParser::new(["skip", "overwrite", "fail"]).map(|name| match name.as_str() {
        "overwrite" => OnConflict::Overwrite,
        "fail" => OnConflict::Fail,
        _ => OnConflict::Skip,
    })
}

/// `import`.
#[derive(Debug, Args)]
#[command(mut_arg("as_user", |arg| arg.help("Whose account receives, if not LOGIN's own")))]
pub(crate) struct ImportArguments {
    /// The bag
    #[arg(value_name = "BAG")]
    pub(crate) bag: PathBuf,
    #[command(flatten)]
    pub(crate) opening: OpeningArguments,
    #[command(flatten)]
    pub(crate) connection: ConnectionArguments,
    /// Only these sections: appliances, mysoftware
    #[arg(long, value_name = "SECTION,…", value_delimiter = ',', hide_possible_values = true, value_parser = importable(), help_heading = "WHAT")]
    pub(crate) include: Option<Vec<Section>>,
    /// Only these appliances, by their ids in the bag
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = ObjectId::parse, help_heading = "WHAT")]
    pub(crate) appliance: Option<Vec<ObjectId>>,
    /// Only these software bundles, by their ids in the bag
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = ObjectId::parse, help_heading = "WHAT")]
    pub(crate) mysoftware: Option<Vec<ObjectId>>,
    /// Say what would be created, skipped or refused, and why; sends nothing but
    /// GET
    #[arg(long, help_heading = "HOW")]
    pub(crate) dry_run: bool,
    /// skip|overwrite|fail: an object of the same name and version is there
    /// already [default: skip]
    #[arg(long, value_name = "HOW", hide_possible_values = true, value_parser = conflicts(), help_heading = "HOW")]
    pub(crate) on_conflict: Option<OnConflict>,
    /// The platform may use the major version of an operating system
    #[arg(long, help_heading = "HOW")]
    pub(crate) use_major: bool,
    /// Mark objects as imported on the platform [default: true]
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, help_heading = "HOW")]
    pub(crate) tag_imported: Option<bool>,
    /// Imports at the same time on the platform [default: 2]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(Layer::JOBS), help_heading = "HOW")]
    pub(crate) jobs: Option<u64>,
    /// Give up on one import without progress for this long [default: 30m]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, help_heading = "HOW")]
    pub(crate) max_wait: Option<Duration>,
    /// Where the progress of this import is kept, so that the same command goes
    /// on after an interruption [default: .BAG.uforge-import beside the bag]
    #[arg(long, value_name = "FILE", help_heading = "HOW")]
    pub(crate) state: Option<PathBuf>,
    /// auto|bar|plain|json|none: how progress is shown [default: auto]
    #[arg(
        long,
        value_name = "HOW",
        hide_possible_values = true,
        value_enum,
        help_heading = "HOW"
    )]
    pub(crate) progress: Option<ProgressMode>,
    /// Print what it came to as JSON
    #[arg(long, help_heading = "HOW")]
    pub(crate) json: bool,
}

impl ImportArguments {
    /// The layer of the command line: what configuration files may say as well.
    pub(crate) fn layer(&mut self) -> Layer {
        let mut flags = Layer {
            max_wait: self.max_wait,
            progress: self.progress,
            // Standard input can only give one secret.
            passphrase_file: self.opening.passphrase_file.clone(),
            ..Layer::default()
        };
        std::mem::take(&mut self.connection).fill(&mut flags);
        flags
    }
}
