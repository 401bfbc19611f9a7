//! The platform's lists of tickets, of exports and of imports alike: read to their end, page by page.

use domain::model::{ListResource, Page, Resource};
use domain::ports::ApiError;

use crate::api::UforgeApi;
use crate::platform_request::PlatformRequest;
use crate::wire::{TicketPage, Unread};

/// Entries that are asked for at once, where the platform does not give the list whole.
const PAGE: u64 = 500;
/// Requests that a list may take.
const MOST_PAGES: usize = 100;

impl UforgeApi {
    /// All tickets of a list, each once; `id` is what makes two of them the same.
    pub(crate) async fn all_tickets<T: Send + 'static, Id: PartialEq>(
        &self,
        list: ListResource,
        reader: fn(&[u8]) -> Result<TicketPage<T>, Unread>,
        id: fn(&T) -> Id,
    ) -> Result<Vec<T>, ApiError> {
        let mut found: Vec<T> = Vec::new();
        let (mut page, mut seen, mut longest) = (Page::Whole, 0, 0);
        for _ in 0..MOST_PAGES {
            let address = self.paths.resource(Resource::List(list, page));
            let part = self.read(&PlatformRequest::xml(&address), reader).await?;
            let (before, readable) = (found.len(), part.tickets.len());
            for ticket in part.tickets {
                if !found.iter().any(|other| id(other) == id(&ticket)) {
                    found.push(ticket);
                }
            }
            // A server that ignores the offset sends the same again. Tickets that cannot be read are no end: others may follow.
            let is_repeated = readable > 0 && found.len() == before;
            seen += part.entries;
            let more = match part.total {
                Some(total) => seen < total,
                // Without a total this may be the first page of many: a shorter page than the one before is the last.
                None => part.entries >= longest,
            };
            if !more || part.entries == 0 || is_repeated {
                break;
            }
            longest = longest.max(part.entries);
            page = Page::From {
                offset: seen,
                count: PAGE,
            };
        }
        Ok(found)
    }
}
