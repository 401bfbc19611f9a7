//! SELECTION: which part of the data, in which form.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use domain::model::{ObjectId, OutputFormat, Representation, Section};

use crate::settings::Layer;

fn sections() -> impl TypedValueParser<Value = Section> {
    PossibleValuesParser::new(Section::ALL.map(Section::name))
        .try_map(|name| name.parse::<Section>())
}

fn output_formats() -> impl TypedValueParser<Value = OutputFormat> {
    PossibleValuesParser::new(["yaml", "json"]).map(|name| match name.as_str() {
        "json" => OutputFormat::Json,
        _ => OutputFormat::Yaml,
    })
}

fn representations() -> impl TypedValueParser<Value = Representation> {
    PossibleValuesParser::new(["xml", "json"]).map(|name| match name.as_str() {
        "json" => Representation::Json,
        _ => Representation::Xml,
    })
}

/// The flags under SELECTION.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "SELECTION")]
pub(crate) struct SelectionArguments {
    /// Only these sections
    #[arg(long, value_name = "SECTION,…", value_delimiter = ',', hide_possible_values = true, value_parser = sections())]
    pub(crate) include: Option<Vec<Section>>,
    /// All but these sections
    #[arg(long, value_name = "SECTION,…", value_delimiter = ',', hide_possible_values = true, value_parser = sections())]
    pub(crate) exclude: Option<Vec<Section>>,
    /// Only these appliances
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = ObjectId::parse)]
    pub(crate) appliance: Option<Vec<ObjectId>>,
    /// Only these software bundles
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = ObjectId::parse)]
    pub(crate) mysoftware: Option<Vec<ObjectId>>,
    /// The template inside appliance and software archives [default: yaml]
    #[arg(long, value_name = "yaml|json", hide_possible_values = true, value_parser = output_formats())]
    pub(crate) output_format: Option<OutputFormat>,
    /// Representations kept of each document [default: both]
    #[arg(long, value_name = "xml,json", value_delimiter = ',', hide_possible_values = true, value_parser = representations())]
    pub(crate) documents: Option<Vec<Representation>>,
    /// Blank passwords, keys and tokens in documents, leave out certificates
    #[arg(long)]
    pub(crate) redact_secrets: bool,
    /// A section that the server refuses or does not know is exit status 3 too
    #[arg(long)]
    pub(crate) strict: bool,
    /// Put the operator's own text into the bag
    #[arg(long, value_name = "FILE")]
    pub(crate) notice: Option<PathBuf>,
}

impl SelectionArguments {
    pub(crate) fn fill(self, layer: &mut Layer) {
        layer.include = self.include;
        layer.exclude = self.exclude;
        layer.appliance = self.appliance;
        layer.mysoftware = self.mysoftware;
        layer.output_format = self.output_format;
        layer.documents = self.documents;
        layer.redact_secrets = self.redact_secrets.then_some(true);
        layer.strict = self.strict.then_some(true);
        layer.notice = self.notice;
    }
}
