//! Ordering a campaign, for administrators: the form, what it comes to, and the order.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use uuid::Uuid;

use super::export::order_in_words;
use super::form::{Fields, Format, Kind, formats, kinds};
use super::frame::{Frame, Visit, html};
use crate::api::{self, NewCampaign, Service, go, read_form};
use crate::auth::Caller;
use crate::place::Place;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "page/campaign_order.html")]
struct OrderPage {
    frame: Frame,
    kinds: Vec<Kind>,
    formats: Vec<Format>,
    whom: Whom,
    /// What was filled in is no order.
    is_incomplete: bool,
}

#[derive(Template)]
#[template(path = "page/campaign_confirm.html")]
struct ConfirmOrderPage {
    frame: Frame,
    /// For whom it is, in a sentence.
    people: String,
    holds: String,
    is_since_last: bool,
    /// The form as it was filled in.
    filled: Filled,
    /// The same order sent twice is one campaign.
    key: String,
}

/// Names and values of a form.
type Filled = Vec<(String, String)>;

/// For whom, as it was filled in.
#[derive(Default)]
struct Whom {
    choice: String,
    users: String,
    organization: String,
}

impl Whom {
    fn is_users(&self) -> bool {
        !self.is_organization() && !self.is_everyone()
    }

    fn is_organization(&self) -> bool {
        self.choice == "organization"
    }

    fn is_everyone(&self) -> bool {
        self.choice == "everyone"
    }

    fn of(filled: &[(String, String)]) -> Self {
        let value = |wanted: &str| {
            let field = filled.iter().rev().find(|(name, _)| name == wanted);
            field.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Self {
            choice: value("whom"),
            users: value("users"),
            organization: value("organization"),
        }
    }

    /// The field of the order; what belongs to another choice does not count.
    fn field(&self) -> (&'static str, Value) {
        if self.is_everyone() {
            return ("everyone", Value::from(true));
        }
        if self.is_organization() {
            let number = self.organization.trim();
            let number = number
                .parse::<i64>()
                .map_or(Value::from(number), Value::from);
            return ("organization", number);
        }
        let logins = self.users.split(['\n', ',', ';']).map(str::trim);
        let logins = logins.filter(|login| !login.is_empty());
        ("users", logins.map(Value::from).collect())
    }
}

/// The form in the words of the interface, so that the same rules hold; and its key, where it has one.
fn order(filled: &[(String, String)]) -> Result<(NewCampaign, Option<String>), Problem> {
    let mut fields = Fields::default();
    let (mut since, mut key) = (None, None);
    for (name, value) in filled.iter().cloned() {
        match (name.as_str(), value.as_str()) {
            ("whom", "users" | "organization" | "everyone") | ("users" | "organization", _) => {}
            ("since", "last") => since = Some(value),
            ("key", _) => key = Some(value),
            _ => fields.take(&name, value)?,
        }
    }
    let (whom, people) = Whom::of(filled).field();
    let mut order = fields.into_order();
    order.insert(whom.to_owned(), people);
    order.extend(since.map(|since| ("since".to_owned(), Value::from(since))));
    let order = serde_json::from_value(Value::Object(order));
    let order = order.map_err(|error| Problem::InvalidOrder {
        detail: error.to_string(),
    })?;
    Ok((order, key))
}

/// The form.
pub(super) async fn show(visit: Visit, caller: Caller) -> Result<Response, Problem> {
    api::administrator(&caller)?;
    Ok(html(&page(&visit, &caller, Whom::default(), false)))
}

fn page(visit: &Visit, caller: &Caller, whom: Whom, is_incomplete: bool) -> OrderPage {
    let words = visit.words();
    OrderPage {
        frame: Frame::for_person(visit, caller),
        kinds: kinds(words),
        formats: formats(words),
        whom,
        is_incomplete,
    }
}

/// What the order comes to. Nothing is ordered yet.
pub(super) async fn confirm(
    State(service): State<Service>,
    visit: Visit,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    api::administrator(&caller)?;
    let filled = read_form::<Filled>(request, &service).await?;
    let proposal = match order(&filled) {
        Ok((order, _)) => api::propose(&service, &caller, order).await,
        Err(error) => Err(error),
    };
    let proposal = match proposal {
        Err(Problem::InvalidOrder { .. }) => {
            let page = page(&visit, &caller, Whom::of(&filled), true);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&page)).into_response());
        }
        other => other?,
    };
    let words = visit.words();
    Ok(html(&ConfirmOrderPage {
        frame: Frame::for_person(&visit, &caller),
        people: (words.campaign_for)(&proposal.order.audience, proposal.people),
        holds: order_in_words(words, &proposal.order.request),
        is_since_last: proposal.order.since.is_some(),
        filled,
        key: Uuid::now_v7().to_string(),
    }))
}

/// Takes the order.
pub(super) async fn take(
    State(service): State<Service>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    api::administrator(&caller)?;
    let filled = read_form::<Filled>(request, &service).await?;
    let (order, key) = order(&filled)?;
    api::order_campaign(&service, &caller, order, key.as_deref()).await?;
    Ok(go(&Place::Campaigns, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &[(&str, &str)]) -> Result<String, Problem> {
        let filled = form.iter();
        let filled: Filled = filled
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        order(&filled).map(|(order, _)| format!("{order:?}"))
    }

    #[test]
    fn only_what_belongs_to_the_choice_counts() {
        let all = [("users", "ann\r\nbob, cid;"), ("organization", "7")];
        let with = |whom| read(&[&[("whom", whom)], &all[..]].concat()).unwrap();
        let users = with("users");
        for login in ["ann", "bob", "cid"] {
            assert!(users.contains(&format!("\"{login}\"")), "{users}");
        }
        assert!(users.contains("organization: None"));
        let organization = with("organization");
        assert!(organization.contains("users: None") && organization.contains('7'));
        let everyone = with("everyone");
        assert!(everyone.contains("everyone: Some(true)") && everyone.contains("users: None"));
    }

    #[test]
    fn nonsense_is_refused() {
        for form in [
            [("whom", "nobody")],
            [("since", "first")],
            [("surprise", "1")],
            [("organization", "x")],
        ] {
            let whom = [("whom", "organization")];
            assert!(read(&[&whom[..], &form].concat()).is_err(), "{form:?}");
        }
    }
}
