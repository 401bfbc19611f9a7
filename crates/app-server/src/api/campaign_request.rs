//! The body of `POST /api/v1/campaigns`: for whom, and the fields of an export order.

use std::collections::BTreeSet;
use std::fmt;

use domain::jobs::{Audience, CampaignOrder, Since};
use domain::model::{ObjectId, UserId};
use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::request::NewExport;
use crate::backend::People;
use crate::problem::Problem;

/// What an administrator may say.
#[derive(Debug, Default)]
pub(crate) struct NewCampaign {
    users: Option<BTreeSet<UserId>>,
    organization: Option<ObjectId>,
    everyone: Option<bool>,
    since: Option<Since>,
    what: NewExport,
}

/// For whom a campaign is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// These people.
    Named(Vec<UserId>),
    /// Those that the platform lists.
    Listed(People),
}

/// What is asked for, as it is described in the document of the interface.
#[derive(utoipa::ToSchema)]
#[schema(as = NewCampaign)]
#[expect(dead_code, reason = "describes `NewCampaign`, which is read by hand")]
pub(super) struct NewCampaignSchema {
    /// These people. Exactly one of `users`, `organization` and `everyone` is given.
    users: Option<Vec<String>>,
    /// The members of this organization.
    organization: Option<i64>,
    /// Everybody whom the platform lists, those who are not active included.
    everyone: Option<bool>,
    /// `last`: what has not changed may be taken from each person's last archive in the store.
    since: Option<String>,
    /// Sections: all by default. This and all other fields of an order for an export, but `user`, apply to each person.
    include: Option<Vec<String>>,
}

impl<'de> Deserialize<'de> for NewCampaign {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields(mut fields) = Fields::deserialize(deserializer)?;
        if fields.contains_key("user") {
            return Err(D::Error::custom(
                "unknown field `user`: a campaign is for `users`, an `organization` or `everyone`",
            ));
        }
        Ok(Self {
            users: take(&mut fields, "users")?,
            organization: take(&mut fields, "organization")?,
            everyone: take(&mut fields, "everyone")?,
            since: take(&mut fields, "since")?,
            what: NewExport::deserialize(Value::Object(fields)).map_err(D::Error::custom)?,
        })
    }
}

/// The fields of an object, each of them once: of two values one would be lost.
struct Fields(Map<String, Value>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut read: A) -> Result<Fields, A::Error> {
                let mut fields = Map::new();
                while let Some((name, value)) = read.next_entry::<String, Value>()? {
                    if fields.contains_key(&name) {
                        return Err(A::Error::custom(format!("duplicate field `{name}`")));
                    }
                    fields.insert(name, value);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Once)
    }
}

fn take<T: DeserializeOwned, E: Error>(
    fields: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<T>, E> {
    let Some(value) = fields.remove(name) else {
        return Ok(None);
    };
    let value = Option::<T>::deserialize(value);
    value.map_err(|error| E::custom(format!("`{name}`: {error}")))
}

impl NewCampaign {
    /// For whom it is, and the order.
    pub(super) fn into_order(self, caller: &UserId) -> Result<(Whom, CampaignOrder), Problem> {
        let invalid = |detail: &str| Problem::InvalidOrder {
            detail: detail.to_owned(),
        };
        let (whom, audience) = match (self.users, self.organization, self.everyone) {
            (Some(users), None, None) => {
                if users.is_empty() {
                    return Err(invalid("`users` names nobody"));
                }
                let audience = Audience::Users(users.len() as u64);
                (Whom::Named(users.into_iter().collect()), audience)
            }
            (None, Some(org), None) => {
                let members = People::Members(org);
                (Whom::Listed(members), Audience::Organization(org))
            }
            (None, None, Some(true)) => (Whom::Listed(People::Everyone), Audience::Everyone),
            (None, None, Some(false)) => {
                return Err(invalid(
                    "`everyone` is false, and neither `users` nor an `organization` is given: nobody is named",
                ));
            }
            (users, organization, everyone) => {
                let given = [
                    ("`users`", users.is_some()),
                    ("`organization`", organization.is_some()),
                    ("`everyone`", everyone.is_some()),
                ];
                return Err(Problem::InvalidOrder {
                    detail: not_one_of_three(given),
                });
            }
        };
        let order = CampaignOrder {
            audience,
            request: self.what.into_request(caller)?,
            since: self.since,
        };
        Ok((whom, order))
    }
}

/// What is wrong with an order that names its people in none of the three ways, or in several.
fn not_one_of_three(given: [(&'static str, bool); 3]) -> String {
    let given: Vec<&str> = given
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect();
    let said = match given.as_slice() {
        [] => "none of them is given".to_owned(),
        names => format!("{} are given together", names.join(" and ")),
    };
    format!("exactly one of `users`, `organization` and `everyone` (true) is expected: {said}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<(Whom, CampaignOrder), String> {
        let root = UserId::parse("root").unwrap();
        let body: NewCampaign = serde_json::from_str(body).map_err(|error| error.to_string())?;
        body.into_order(&root)
            .map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn people_are_named_or_listed_by_the_platform() {
        let (whom, order) =
            read(r#"{"users":["ann","bob","ann"],"format":"tar","since":"last"}"#).unwrap();
        assert!(matches!(whom, Whom::Named(people) if people.len() == 2));
        assert_eq!(order.audience, Audience::Users(2));
        assert_eq!(order.since, Some(Since::Last));
        assert_eq!(order.request.format, domain::model::BagFormat::Tar);
        let (whom, _) = read(r#"{"organization":1}"#).unwrap();
        assert!(matches!(whom, Whom::Listed(People::Members(_))));
        let (whom, _) = read(r#"{"everyone":true}"#).unwrap();
        assert_eq!(whom, Whom::Listed(People::Everyone));
    }

    #[test]
    fn what_is_not_understood_is_refused_and_named() {
        for (body, said) in [
            ("{}", "exactly one"),
            (r#"{"everyone":null}"#, "none of them"),
            (r#"{"everyone":false}"#, "`everyone` is false"),
            (
                r#"{"everyone":true,"users":["ann"]}"#,
                "`users` and `everyone` are given",
            ),
            (
                r#"{"everyone":false,"users":["ann"]}"#,
                "`users` and `everyone` are given",
            ),
            (
                r#"{"everyone":false,"organization":2}"#,
                "`organization` and `everyone` are given",
            ),
            (
                r#"{"organization":1,"users":["ann"]}"#,
                "`users` and `organization` are given",
            ),
            (
                r#"{"organization":1,"users":["ann"],"everyone":true}"#,
                "`users` and `organization` and `everyone`",
            ),
            (r#"{"everyone":"yes"}"#, "`everyone`"),
            (
                r#"{"organization":1,"organization":2}"#,
                "duplicate field `organization`",
            ),
            (
                r#"{"everyone":true,"format":"zip","format":"tar"}"#,
                "duplicate field `format`",
            ),
            (r#"{"users":[]}"#, "nobody"),
            (r#"{"users":["ann"],"user":"bob"}"#, "`user`"),
            (r#"{"users":"ann"}"#, "`users`"),
            (r#"{"users":["ann"],"formt":"zip"}"#, "formt"),
            (r#"{"users":["ann"],"since":"first"}"#, "`since`"),
            (r#"{"organization":0}"#, "`organization`"),
            (r#"{"users":["ann"],"include":[]}"#, "no section"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.contains(said), "{body}: {error}");
        }
    }
}
