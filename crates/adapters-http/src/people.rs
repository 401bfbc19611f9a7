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
            let (mut new, mut known_already) = (0, 0);
            for login in page.logins.iter().flatten() {
                match UserId::parse(login) {
                    Ok(user) if known.insert(user.clone()) => {
                        new += 1;
                        found.push(user);
                    }
                    Ok(_) => known_already += 1,
                    Err(error) => tracing::warn!(%error, "somebody on the platform is left out"),
                }
            }
            let entries = page.logins.len() as u64;
            seen += entries;
            // A server that ignores the offset sends the same people again.
            let is_repeated = new == 0 && known_already > 0;
            // A server may send fewer at once than it is asked for: without a total, a page with nobody new is the end.
            let is_whole = page.total.map_or(new == 0, |total| seen >= total);
            if which != People::Everyone || is_whole || entries == 0 || is_repeated {
                if page.total.is_some_and(|total| seen < total) {
                    tracing::warn!(seen, total = ?page.total, "the platform says that it has more people than it lists");
                }
                break;
            }
        }
        Ok(found)
    }
}
