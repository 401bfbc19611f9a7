//! Who lives on the platform, and who may do what.

use std::collections::BTreeMap;

use crate::archive::mix;
use crate::document::Element;
use crate::scenario::{ItemKind, Person, Scenario};

use super::data::{self, FIRST_USER_ID, Owner};
use super::items::Item;
use super::refusal::Refusal;

/// Someone with an account on the platform, and all that is theirs except tickets.
pub(crate) struct Resident {
    pub(crate) person: Person,
    pub(crate) administrator: bool,
    pub(crate) seed: u64,
    pub(crate) id: i64,
    pub(crate) others: u32,
    items: BTreeMap<ItemKind, Vec<Item>>,
}

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) login: String,
    pub(crate) administrator: bool,
}

impl Resident {
    fn new(scenario: &Scenario, person: &Person, place: i64, share: Share) -> Self {
        let id = FIRST_USER_ID + place;
        let seed = mix(scenario.seed ^ mix(id.unsigned_abs()));
        let count = |count: u32| match share {
            Share::Everything => count,
            Share::Little => count.min(2),
        };
        let kinds = [
            (ItemKind::Appliance, 201, scenario.data.appliances),
            (ItemKind::Software, 301, scenario.data.software),
            (ItemKind::Account, 401, scenario.data.accounts),
        ];
        let items = |(kind, first, wanted): (ItemKind, i64, u32)| {
            // The ids of other people's things are others.
            let first = first + place * 1000;
            let make = |number: u32| {
                Item::new(
                    scenario,
                    kind,
                    first + i64::from(number),
                    number as usize,
                    seed,
                )
            };
            (kind, (0..count(wanted)).map(make).collect())
        };
        Self {
            person: person.clone(),
            administrator: false,
            seed,
            id,
            others: count(scenario.data.others),
            items: kinds.into_iter().map(items).collect(),
        }
    }

    pub(crate) fn owner(&self) -> Owner<'_> {
        Owner {
            login: &self.person.login,
            seed: self.seed,
            id: self.id,
            administrator: self.administrator,
            others: self.others,
            public_key: &self.person.public_key,
            secret_key: &self.person.secret_key,
        }
    }

    pub(crate) fn items(&self, kind: ItemKind) -> &[Item] {
        self.items.get(&kind).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn item(&self, kind: ItemKind, id: i64) -> Option<&Item> {
        self.items(kind).iter().find(|item| item.id == id)
    }

    pub(crate) fn items_mut(&mut self, kind: ItemKind) -> &mut Vec<Item> {
        self.items.entry(kind).or_default()
    }

    /// The entries of a list that are neither items nor tickets.
    pub(crate) fn entries(&self, collection: &str) -> Option<Vec<Element>> {
        data::entries(&self.owner(), collection)
    }
}

#[derive(Clone, Copy)]
enum Share {
    Everything,
    Little,
}

/// The user with all the data, two others with some of their own, and as many neighbours as are wanted.
pub(crate) fn residents(scenario: &Scenario) -> Vec<Resident> {
    let mut administrator = Resident::new(scenario, &scenario.administrator, 2, Share::Little);
    administrator.administrator = true;
    let neighbours = (1..=scenario.data.neighbours).map(|number| {
        let person = Person {
            login: format!("neighbour-{number}"),
            public_key: format!("{}-{number}", scenario.colleague.public_key),
            ..scenario.colleague.clone()
        };
        Resident::new(scenario, &person, i64::from(number) + 2, Share::Little)
    });
    [
        Resident::new(scenario, &scenario.user, 0, Share::Everything),
        Resident::new(scenario, &scenario.colleague, 1, Share::Little),
        administrator,
    ]
    .into_iter()
    .chain(neighbours)
    .collect()
}

/// Who signs in with a login and a password; `SUPERVISOR\TARGET` acts as the target with the supervisor's password.
pub(crate) fn sign_in(
    residents: &[Resident],
    login: &str,
    password: &str,
) -> Result<Caller, Refusal> {
    let known = |login: &str| {
        residents
            .iter()
            .find(|resident| resident.person.login == login)
    };
    let verified =
        |login: &str| known(login).filter(|resident| resident.person.password == password);
    if let Some(resident) = verified(login) {
        return Ok(Caller {
            login: login.to_owned(),
            administrator: resident.administrator,
        });
    }
    let (supervisor, target) = login.split_once('\\').ok_or_else(Refusal::unauthorized)?;
    let supervisor = verified(supervisor).filter(|resident| resident.administrator);
    match (supervisor, known(target)) {
        (Some(_), Some(target)) => Ok(Caller {
            login: target.person.login.clone(),
            administrator: false,
        }),
        _ => Err(Refusal::unauthorized()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(login: &str, password: &str) -> Option<Caller> {
        sign_in(&residents(&Scenario::default()), login, password).ok()
    }

    #[test]
    fn the_password_has_to_be_the_login_s_own() {
        let scenario = Scenario::default();
        assert_eq!(
            attempt("jleaver", &scenario.user.password).unwrap().login,
            "jleaver"
        );
        assert_eq!(attempt("jleaver", &scenario.colleague.password), None);
        assert_eq!(attempt("nobody", ""), None);
    }

    #[test]
    fn a_supervisor_becomes_the_target_and_nobody_else_does() {
        let scenario = Scenario::default();
        let caller = attempt("admin\\jleaver", &scenario.administrator.password).unwrap();
        assert_eq!(
            caller,
            Caller {
                login: "jleaver".to_owned(),
                administrator: false
            }
        );
        assert_eq!(
            attempt("mkowalski\\jleaver", &scenario.colleague.password),
            None
        );
        assert_eq!(
            attempt("admin\\nobody", &scenario.administrator.password),
            None
        );
    }
}
