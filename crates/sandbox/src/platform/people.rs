//! Who lives on the platform, and who may do what.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Index, IndexMut};

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
        let appliances = match share {
            Share::Everything => scenario.data.appliances,
            Share::Little => {
                let own = scenario.data.neighbour_appliances;
                own.unwrap_or(scenario.data.appliances.min(2))
            }
        };
        let kinds = [
            (ItemKind::Appliance, 201, appliances),
            (ItemKind::Software, 301, count(scenario.data.software)),
            (ItemKind::Account, 401, count(scenario.data.accounts)),
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
            (kind, (0..wanted).map(make).collect())
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

/// Everybody, found by their login however many they are.
pub(crate) struct Residents {
    all: Vec<Resident>,
    places: HashMap<String, usize>,
}

impl Residents {
    fn new(all: Vec<Resident>) -> Self {
        let mut places = HashMap::new();
        for (place, resident) in all.iter().enumerate() {
            // Where a scenario gives two the same login, it is the first's.
            let login = resident.person.login.clone();
            places.entry(login).or_insert(place);
        }
        Self { all, places }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resident> {
        self.all.iter()
    }

    /// The user whose data tests ask for.
    pub(crate) fn first(&self) -> Option<&Resident> {
        self.all.first()
    }

    pub(crate) fn first_mut(&mut self) -> Option<&mut Resident> {
        self.all.first_mut()
    }

    pub(crate) fn place(&self, login: &str) -> Option<usize> {
        self.places.get(login).copied()
    }

    pub(crate) fn find(&self, login: &str) -> Option<&Resident> {
        self.all.get(self.place(login)?)
    }
}

impl Index<usize> for Residents {
    type Output = Resident;

    fn index(&self, place: usize) -> &Resident {
        &self.all[place]
    }
}

impl IndexMut<usize> for Residents {
    fn index_mut(&mut self, place: usize) -> &mut Resident {
        &mut self.all[place]
    }
}

/// The user with all the data, two others with some of their own, and as many neighbours as are wanted.
pub(crate) fn residents(scenario: &Scenario) -> Residents {
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
    let known = [
        Resident::new(scenario, &scenario.user, 0, Share::Everything),
        Resident::new(scenario, &scenario.colleague, 1, Share::Little),
        administrator,
    ];
    Residents::new(known.into_iter().chain(neighbours).collect())
}

/// Who signs in with a login and a password; `SUPERVISOR\TARGET` acts as the target with the supervisor's password.
pub(crate) fn sign_in(
    residents: &Residents,
    login: &str,
    password: &str,
) -> Result<Caller, Refusal> {
    let known = |login: &str| residents.find(login);
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
    fn neighbours_have_as_many_appliances_as_a_scenario_says() {
        let mut scenario = Scenario::default();
        scenario.data.neighbours = 3;
        let count = |scenario: &Scenario, login: &str| {
            let residents = residents(scenario);
            residents
                .find(login)
                .unwrap()
                .items(ItemKind::Appliance)
                .len()
        };
        assert_eq!(count(&scenario, "neighbour-3"), 2);
        scenario.data.neighbour_appliances = Some(5);
        assert_eq!(count(&scenario, "neighbour-3"), 5);
        assert_eq!(count(&scenario, "jleaver"), 6);
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
