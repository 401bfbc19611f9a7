//! A document as JSON, beside its XML.

use super::document::Fetch;
use crate::model::{Representation, Resource};
use crate::ports::{ApiError, Document};
use crate::workflow::attempt::Problem;
use crate::workflow::json::is_not_offered;

impl Fetch<'_> {
    /// A document as JSON; `None` where the platform does not offer it.
    pub(super) async fn as_json(self, resource: Resource) -> Result<Option<Document>, Problem> {
        let turn = self.json.turn(resource).await;
        if self.json.is_refused(resource) {
            return Ok(None);
        }
        let is_worth_it = |error: &ApiError| self.json.is_worth_another(error);
        let answer = self
            .ask_for_while(resource, Representation::Json, is_worth_it)
            .await;
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
