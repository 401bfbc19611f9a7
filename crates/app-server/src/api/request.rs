//! The body of `POST /api/v1/exports`.

use std::collections::BTreeSet;

use domain::jobs::JobRequest;
use domain::model::{
    BagFormat, DocumentForms, ObjectId, OutputFormat, Representation, Secrets, Section, Selection,
    Strictness, UserId,
};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// What a caller may say. All of it may be left out; what is not known is refused.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewExport {
    /// Whose data: the caller's own by default, somebody else's where the platform lets the caller read it.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
    user: Option<UserId>,
    /// Sections: all by default.
    #[schema(value_type = Option<Vec<String>>, min_items = 1)]
    include: Option<BTreeSet<Section>>,
    /// Sections that are left out.
    #[schema(value_type = Vec<String>)]
    exclude: BTreeSet<Section>,
    /// These appliances only.
    #[schema(value_type = Option<Vec<i64>>)]
    appliances: Option<BTreeSet<ObjectId>>,
    /// These bundles of software only.
    #[schema(value_type = Option<Vec<i64>>)]
    mysoftware: Option<BTreeSet<ObjectId>>,
    /// The container: `zip`, `tar` or `tar.gz`.
    #[schema(value_type = String, example = "zip")]
    format: Word<BagFormat>,
    /// Representations of each document: `xml`, `json`, or both as by default.
    #[schema(value_type = Option<Vec<String>>)]
    documents: Option<BTreeSet<Word<Representation>>>,
    /// The format of templates in archives: `yaml` or `json`.
    #[schema(value_type = String, example = "yaml")]
    output_format: Word<OutputFormat>,
    /// Blanks secrets.
    redact_secrets: bool,
    /// Fails where a section cannot be had.
    strict: bool,
}

/// One of a few words. A derived `Deserialize` of an enumeration alone also takes `{"zip": null}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Word<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let word: StrDeserializer<'_, D::Error> = word.as_str().into_deserializer();
        T::deserialize(word).map(Self)
    }
}

impl NewExport {
    /// The order, whose person is the caller where none is named.
    pub(crate) fn into_request(self, caller: &UserId) -> Result<JobRequest, Problem> {
        let mut sections = self.include.unwrap_or_else(|| Section::ALL.into());
        sections.retain(|section| !self.exclude.contains(section));
        if sections.is_empty() {
            return Err(invalid("no section is left to export"));
        }
        for (field, section, only) in [
            ("appliances", Section::Appliances, &self.appliances),
            ("mysoftware", Section::MySoftware, &self.mysoftware),
        ] {
            if only.is_some() && !sections.contains(&section) {
                return Err(invalid(&format!(
                    "`{field}` is given but the section `{section}` is not included"
                )));
            }
        }
        Ok(JobRequest {
            user: self.user.unwrap_or_else(|| caller.clone()),
            selection: Selection {
                sections,
                appliances: self.appliances,
                mysoftware: self.mysoftware,
            },
            format: self.format.0,
            documents: forms(self.documents)?,
            output_format: self.output_format.0,
            secrets: if self.redact_secrets {
                Secrets::Redact
            } else {
                Secrets::Keep
            },
            strictness: if self.strict {
                Strictness::EverySection
            } else {
                Strictness::CoreOnly
            },
        })
    }
}

fn forms(documents: Option<BTreeSet<Word<Representation>>>) -> Result<DocumentForms, Problem> {
    let Some(documents) = documents else {
        return Ok(DocumentForms::Both);
    };
    match (
        documents.contains(&Word(Representation::Xml)),
        documents.contains(&Word(Representation::Json)),
    ) {
        (true, true) => Ok(DocumentForms::Both),
        (true, false) => Ok(DocumentForms::Xml),
        (false, true) => Ok(DocumentForms::Json),
        (false, false) => Err(invalid("`documents` names `xml`, `json` or both")),
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::InvalidOrder {
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<JobRequest, String> {
        let john = UserId::parse("john").unwrap();
        let body: NewExport = serde_json::from_str(body).map_err(|error| error.to_string())?;
        body.into_request(&john)
            .map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn nothing_said_is_everything_of_the_caller() {
        let john = UserId::parse("john").unwrap();
        assert_eq!(read("{}"), Ok(JobRequest::everything_of(john)));
    }

    #[test]
    fn the_contract_s_example_is_understood() {
        let request = read(
            r#"{"user":"mary","include":["profile","appliances"],"format":"tar.gz","redact_secrets":true,"appliances":[201]}"#,
        )
        .unwrap();
        assert_eq!(request.user.as_str(), "mary");
        assert_eq!(request.selection.sections.len(), 2);
        assert_eq!(request.format, BagFormat::TarGz);
        assert_eq!(request.secrets, Secrets::Redact);
        assert!(request.selection.appliances.is_some());
    }

    #[test]
    fn what_is_not_understood_is_refused_and_named() {
        for (body, said) in [
            (r#"{"formt":"zip"}"#, "formt"),
            (r#"{"format":"rar"}"#, "rar"),
            (r#"{"format":{"zip":null}}"#, "string"),
            (r#"{"documents":[{"xml":null}]}"#, "string"),
            (r#"{"user":["jane"]}"#, "string"),
            (r#"{"user":"jane","user":"john"}"#, "duplicate"),
            (r#"{"include":["appliance"]}"#, "there are: profile"),
            (r#"{"include":[]}"#, "no section"),
            (
                r#"{"include":["profile"],"exclude":["profile"]}"#,
                "no section",
            ),
            (
                r#"{"include":["profile"],"appliances":[1]}"#,
                "`appliances`",
            ),
            (r#"{"appliances":[0]}"#, "`0`"),
            (r#"{"user":""}"#, "login"),
            (r#"{"documents":[]}"#, "`documents`"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.contains(said), "{body}: {error}");
        }
    }
}
