//! Everybody orders an export, and fetches it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use crate::fleet::Fleet;

/// How many people ask at the same time.
const AT_ONCE: usize = 16;

/// How long somebody waits who was asked to come later, or not answered.
const LATER: Duration = Duration::from_millis(250);

/// The login of one of them, counted from 1.
pub(crate) fn login(number: u32) -> String {
    format!("neighbour-{number}")
}

/// Those who ask a service over HTTP.
pub(crate) struct People {
    client: reqwest::Client,
    fleet: Arc<Fleet>,
}

impl People {
    pub(crate) fn of(fleet: &Arc<Fleet>) -> Result<Self, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build();
        Ok(Self {
            client: client.map_err(|error| error.to_string())?,
            fleet: Arc::clone(fleet),
        })
    }

    /// Everybody orders. Gives the path of everybody's export, in their order.
    pub(crate) async fn order(&self) -> Result<Vec<String>, String> {
        let orders = (1..=self.fleet.options.users).map(|number| self.order_of(number));
        let paths = stream::iter(orders).buffered(AT_ONCE);
        paths.collect::<Vec<_>>().await.into_iter().collect()
    }

    async fn order_of(&self, number: u32) -> Result<String, String> {
        loop {
            let sent = self
                .request(reqwest::Method::POST, number, "/api/v1/exports")
                .header("content-type", "application/json")
                .header("idempotency-key", login(number))
                .body(self.fleet.options.order.clone())
                .send();
            if let Ok(answer) = sent.await {
                let status = answer.status().as_u16();
                let text = answer.text().await.unwrap_or_default();
                match status {
                    200..300 => {
                        let record: Value = serde_json::from_str(&text).unwrap_or_default();
                        if let Some(id) = record["id"].as_str() {
                            return Ok(format!("/api/v1/exports/{id}"));
                        }
                        return Err(format!("an order has no id: {text}"));
                    }
                    // Its turn comes later, or the database is away.
                    409 | 429 | 500.. => {}
                    _ => return Err(format!("an order is refused with {status}: {text}")),
                }
            }
            tokio::time::sleep(LATER).await;
        }
    }

    /// What is at a path, as this person gets it.
    pub(crate) async fn get(&self, number: u32, path: &str) -> Result<bytes::Bytes, String> {
        let sent = self.request(reqwest::Method::GET, number, path).send();
        let answer = sent.await.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("{path}: {}", answer.status()));
        }
        answer.bytes().await.map_err(|error| error.to_string())
    }

    fn request(&self, method: reqwest::Method, number: u32, path: &str) -> reqwest::RequestBuilder {
        let webs = &self.fleet.webs;
        let web = &webs[number as usize % webs.len()];
        let password = &self.fleet.forge.platform().scenario().colleague.password;
        self.client
            .request(method, format!("{}{path}", web.name))
            .basic_auth(login(number), Some(password))
    }
}
