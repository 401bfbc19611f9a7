//! A document as JSON, beside its XML.

use super::document::Fetch;
use crate::model::{Representation, Resource};
use crate::ports::Document;
use crate::workflow::attempt::Problem;
use crate::workflow::json::is_not_offered;

impl Fetch<'_> {
    /// A document as JSON; `None` where the platform does not offer it.
    pub(super) async fn as_json(self, resource: Resource) -> Result<Option<Document>, Problem> {
        let turn = self.json.turn(resource).await;
        if self.json.is_refused(resource) {
            return Ok(None);
        }
        let answer = self.ask_for(resource, Representation::Json).await;
        // Recorded while the turn is held: the next request would otherwise ask in vain.
        self.json.learn(resource, &answer);
        drop(turn);
        match answer {
            Ok(document) => Ok(Some(document)),
            Err(problem) if is_not_offered(&problem) || self.json.is_refused(resource) => Ok(None),
            Err(other) => Err(other),
        }
    }
}
