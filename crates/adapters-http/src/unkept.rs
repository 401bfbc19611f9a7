//! Documents of which only the facts are wanted: a long list is read while it arrives, and never in memory as a whole.

use bytes::BytesMut;
use domain::model::{Representation, Resource, Sha256, Sha256Hasher};
use domain::ports::{ApiError, ReadDocument};

use crate::api::UforgeApi;
use crate::body::Body;
use crate::platform_request::PlatformRequest;
use crate::wire::{self, LONG_LIST_BYTES, LongList, MediaType, Unread};

impl UforgeApi {
    /// What is in a document as XML.
    pub(crate) async fn read_as_it_comes(&self, what: Resource) -> Result<ReadDocument, ApiError> {
        let form = Representation::Xml;
        let address = self.paths.resource(what);
        let ask = PlatformRequest::get(&address, form.media_type());
        let request = ask.name();
        let response = self.transport.send(&ask).await?;
        let (label, status) = (MediaType::of(response.headers()), response.status());
        let limit = self.transport.document_limit();
        let mut body = self.transport.document_body(response, &request);
        let beginning = beginning(&mut body, limit).await?;
        let unread = |unread: Unread| {
            let labelled = unread.labelled(label.clone());
            labelled.of(&request, wire::expected(form))
        };
        if beginning.len() > LONG_LIST_BYTES
            && let Some(list) = LongList::begun(&beginning, what).map_err(unread)?
        {
            let mut sum = Sha256Hasher::default();
            sum.update(&beginning);
            drop(beginning);
            return rest_of(list, sum, body, limit, unread).await;
        }
        let bytes = body.whole_after(beginning, limit).await?;
        let bytes = self.transport.unpacked(bytes, status, &request)?;
        let sha256 = Sha256::of(&bytes);
        let facts = self.facts_in(bytes, (what, form), (&request, status, label));
        Ok(ReadDocument {
            facts: facts.await?,
            sha256,
        })
    }
}

/// The first bytes of a body: all of a short one, and enough of a long one to see whether it is read piece by piece.
async fn beginning(body: &mut Body, limit: u64) -> Result<BytesMut, ApiError> {
    let mut beginning = BytesMut::new();
    while beginning.len() <= LONG_LIST_BYTES
        && let Some(chunk) = body.next_within(limit).await?
    {
        beginning.extend_from_slice(&chunk);
    }
    Ok(beginning)
}

/// The facts of a list whose first part was read.
async fn rest_of(
    mut list: LongList,
    mut sum: Sha256Hasher,
    mut body: Body,
    limit: u64,
    unread: impl Fn(Unread) -> ApiError,
) -> Result<ReadDocument, ApiError> {
    while let Some(chunk) = body.next_within(limit).await? {
        sum.update(&chunk);
        list.take(&chunk).map_err(&unread)?;
    }
    Ok(ReadDocument {
        facts: list.end().map_err(&unread)?,
        sha256: sum.finish(),
    })
}
