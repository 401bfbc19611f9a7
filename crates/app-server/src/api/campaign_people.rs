//! For whom a campaign is, by the platform's word.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use domain::model::UserId;
use domain::ports::ApiError;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::campaign_request::Whom;
use super::service::Service;
use crate::auth::Caller;
use crate::backend::{IdentifyError, People};
use crate::problem::Problem;

/// Of so many people the platform is asked one by one who they are, of more by its list of everybody.
const ASKED_ONE_BY_ONE: usize = 50;
/// How long the platform is asked for a number that can be done without.
const NUMBER_WITHIN: Duration = Duration::from_secs(5);
/// Questions to the platform at the same time.
const QUESTIONS_AT_ONCE: usize = 4;

/// Everybody whom a campaign is for.
pub(super) async fn people_of(
    service: &Service,
    caller: &Caller,
    whom: Whom,
) -> Result<Vec<UserId>, Problem> {
    match whom {
        Whom::Named(people) => named(service, caller, people).await,
        Whom::Listed(which) => {
            let people = service.backend.people(&caller.credentials, &which).await;
            people.map_err(|error| of_people(error, which))
        }
    }
}

/// How many people a campaign would be for, where the platform says that soon.
pub(super) async fn number_of(
    service: &Service,
    caller: &Caller,
    whom: Whom,
) -> Result<Option<u64>, Problem> {
    if let Whom::Named(people) = whom {
        return Ok(Some(people.len() as u64));
    }
    let people = tokio::time::timeout(NUMBER_WITHIN, people_of(service, caller, whom));
    match people.await {
        Ok(people) => Ok(Some(people?.len() as u64)),
        Err(_) => Ok(None),
    }
}

/// These people, each by the login that the platform knows them by: exports belong to whoever it says somebody is. Whom it does not
/// know stays as they were named, and their export says so. Where it does not let the caller read one of them, nothing is ordered: the
/// service may sign in with an account that may read everybody.
async fn named(
    service: &Service,
    caller: &Caller,
    people: Vec<UserId>,
) -> Result<Vec<UserId>, Problem> {
    if people.len() > ASKED_ONE_BY_ONE {
        let everyone = People::Everyone;
        match service.backend.people(&caller.credentials, &everyone).await {
            Ok(known) => return Ok(listed(known, people)),
            // Who may not read the list may all the same read these people.
            Err(IdentifyError::Forbidden) => {}
            Err(error) => return Err(of_people(error, everyone)),
        }
    }
    let asked = stream::iter(people).map(|user| async move {
        match service.backend.look_up(&caller.credentials, &user).await {
            Ok(known) => Ok(known),
            Err(IdentifyError::Unknown) => Ok(user),
            Err(error) => Err(of_people(error, People::Everyone)),
        }
    });
    let found: BTreeSet<UserId> = asked
        .buffer_unordered(QUESTIONS_AT_ONCE)
        .try_collect()
        .await?;
    Ok(found.into_iter().collect())
}

/// The same of many, with the platform's list of everybody, which the caller may read.
fn listed(known: Vec<UserId>, people: Vec<UserId>) -> Vec<UserId> {
    let known: BTreeSet<UserId> = known.into_iter().collect();
    let lower = |user: &UserId| user.as_str().to_lowercase();
    let by_lower: HashMap<String, &UserId> = known.iter().map(|user| (lower(user), user)).collect();
    let as_known = people.into_iter().map(|user| {
        if known.contains(&user) {
            return user;
        }
        let other = by_lower.get(&lower(&user)).copied();
        other.cloned().unwrap_or(user)
    });
    let found: BTreeSet<UserId> = as_known.collect();
    found.into_iter().collect()
}

/// Why the platform does not say who they are.
fn of_people(error: IdentifyError, which: People) -> Problem {
    match (error, which) {
        (IdentifyError::Platform(ApiError::NotFound { .. }), People::Members(org)) => {
            Problem::InvalidOrder {
                detail: format!("the platform knows no organization `{org}`"),
            }
        }
        (IdentifyError::Refused, _) => Problem::Forbidden,
        (IdentifyError::Forbidden, _) => Problem::ForbiddenPerson,
        (error, _) => Problem::PlatformUnavailable { cause: Some(error) },
    }
}
