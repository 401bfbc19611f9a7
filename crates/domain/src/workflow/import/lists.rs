//! The platform's lists of what can be imported: read first, and again where nobody knows what became of an upload.

use super::context::{ImportError, Importing};
use crate::bag::layout;
use crate::model::{ItemKind, ListResource, ObjectFacts, Resource, Section};
use crate::ports::Event;
use crate::workflow::attempt::{Failed, Problem, settle};
use crate::workflow::fetch::Fetch;
use crate::workflow::json::Json;
use crate::workflow::resumed::Resumed;

/// All objects of a kind, page after page. A list that was cut off is none: what it lacks may be what is looked for.
pub(super) async fn objects(
    importing: Importing<'_>,
    kind: ItemKind,
) -> Result<Result<Vec<ObjectFacts>, Failed>, ImportError> {
    let section = Section::of_items(kind);
    let list = match kind {
        ItemKind::Appliance => ListResource::Appliances,
        ItemKind::MySoftware => ListResource::MySoftware,
    };
    let (resumed, json) = (Resumed::default(), Json::default());
    let fetch = Fetch {
        ports: importing.with.ports,
        sink: None,
        order: &importing.order.order,
        resumed: &resumed,
        json: &json,
    };
    let resource = |page| Resource::List(list, page);
    let path = |page, form| layout::list_document(section, page, form);
    let read: Result<_, Problem> = fetch.list(section, resource, path).await;
    let list = match settle(read)? {
        Ok(list) => list,
        Err(failed) => return Ok(Err(failed)),
    };
    if let Some(failed) = list.failed {
        return Ok(Err(failed));
    }
    if let Some(shortfall) = list.shortfall {
        let message = format!("{section}: {shortfall}");
        importing.with.ports.progress.on(&Event::Note { message });
    }
    Ok(Ok(list.objects))
}
