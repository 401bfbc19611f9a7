//! The platform's lists of people, read to their end, page by page.

use std::collections::BTreeSet;

use domain::model::{ObjectId, UserId};
use domain::ports::ApiError;

use crate::api::UforgeApi;
use crate::paths::Address;
use crate::platform_request::PlatformRequest;
use crate::wire;

/// People that are asked for at once.
const PAGE: u64 = 500;
/// Requests that a list may take.
const MOST_PAGES: usize = 2_000;

/// Which people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum People {
    /// Everybody on the platform, whether active or not.
    Everyone,
    /// The members of an organization.
    Members(ObjectId),
}

impl UforgeApi {
    /// The logins of these people, each once, in the platform's order. Somebody without a usable login is left out.
    pub async fn people(&self, which: People) -> Result<Vec<UserId>, ApiError> {
        let (mut found, mut known, mut seen) = (Vec::new(), BTreeSet::new(), 0);
        for _ in 0..MOST_PAGES {
            let address = match which {
                People::Everyone => Address::users(seen, PAGE),
                People::Members(org) => Address::members(org),
            };
            let ask = PlatformRequest::xml(&address);
            let page = self.read(&ask, wire::people).await?;
            let before = found.len();
            for login in page.logins.iter().flatten() {
                match UserId::parse(login) {
                    Ok(user) if known.insert(user.clone()) => found.push(user),
                    Ok(_) => {}
                    Err(error) => tracing::warn!(%error, "somebody on the platform is left out"),
                }
            }
            let entries = page.logins.len() as u64;
            seen += entries;
            // A server may send fewer at once than it is asked for: without a total the list ends with a page that has nobody new, as
            // it does where the offset is taken no notice of.
            let is_whole = page.total.is_some_and(|total| seen >= total);
            if which != People::Everyone || is_whole || found.len() == before {
                break;
            }
        }
        Ok(found)
    }
}
