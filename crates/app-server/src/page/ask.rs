//! `POST /exports`: the form becomes an order, the same as a program's.

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;

use super::form::Fields;
use crate::api::{self, NewExport, Service, go, read_form};
use crate::auth::Caller;
use crate::place::Place;
use crate::problem::Problem;

/// Takes the order, and goes to the page of its export.
pub(super) async fn ask(
    State(service): State<Service>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let filled = read_form::<Vec<(String, String)>>(request, &service).await?;
    let stored = api::ask(&service, &caller, order(filled)?, None).await?;
    Ok(go(&Place::Export(stored.job.id), None))
}

/// The form in the words of the interface, so that the same rules hold.
fn order(filled: Vec<(String, String)>) -> Result<NewExport, Problem> {
    let mut fields = Fields::default();
    let mut user = None;
    for (name, value) in filled {
        match name.as_str() {
            "user" => user = Some(value.trim().to_owned()).filter(|login| !login.is_empty()),
            _ => fields.take(&name, value)?,
        }
    }
    let mut order = fields.into_order();
    order.extend(user.map(|login| ("user".to_owned(), Value::from(login))));
    serde_json::from_value(Value::Object(order)).map_err(|error| Problem::InvalidOrder {
        detail: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::jobs::JobRequest;
    use domain::model::{BagFormat, Secrets, Section, UserId};

    fn read(form: &[(&str, &str)]) -> Result<JobRequest, Problem> {
        let filled = form
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        order(filled.collect())?.into_request(&UserId::parse("john").unwrap())
    }

    #[test]
    fn an_untouched_form_asks_for_everything() {
        let untouched = [("what", "everything"), ("format", "zip"), ("user", " ")];
        let everything = JobRequest::everything_of(UserId::parse("john").unwrap());
        assert_eq!(read(&untouched).unwrap(), everything);
        // What was ticked before the person decided for everything does not count.
        let ticked = [("what", "everything"), ("include", "profile")];
        assert_eq!(read(&ticked).unwrap(), everything);
    }

    #[test]
    fn what_is_chosen_is_ordered() {
        let request = read(&[
            ("what", "some"),
            ("include", "profile"),
            ("include", "ssh-keys"),
            ("format", "tar.gz"),
            ("redact_secrets", "true"),
            ("user", "mary"),
        ])
        .unwrap();
        let sections = request.selection.sections.into_iter().collect::<Vec<_>>();
        assert_eq!(sections, [Section::Profile, Section::SshKeys]);
        assert_eq!(request.format, BagFormat::TarGz);
        assert_eq!(request.secrets, Secrets::Redact);
        assert_eq!(request.user.as_str(), "mary");
    }

    #[test]
    fn nothing_chosen_and_nonsense_are_refused() {
        for form in [
            [("what", "some")],
            [("format", "rar")],
            [("user", "a\nb")],
            [("what", "all")],
            [("redact_secrets", "maybe")],
            [("surprise", "1")],
        ] {
            assert!(read(&form).is_err(), "{form:?}");
        }
    }
}
