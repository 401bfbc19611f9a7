//! A statement that any engine can run, with what is bound to it.

use domain::jobs::Job;
use sqlx::query::Query;
use sqlx::{Database, Encode, Type};

use crate::columns::{JobColumns, RowError};

/// What can be bound: `$1` first.
pub(crate) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Bytes(Vec<u8>),
}

/// A statement. Lists are bound as JSON: not every engine has arrays.
pub(crate) struct Statement {
    sql: &'static str,
    values: Vec<Value>,
}

impl Statement {
    pub(crate) fn of(sql: &'static str) -> Self {
        Self {
            sql,
            values: Vec::new(),
        }
    }

    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Binds the columns of a job, but for its downloads and its version, to the first parameters.
    pub(crate) fn bind_job(self, job: &Job) -> Result<Self, RowError> {
        let columns = JobColumns::of(job)?;
        Ok(self
            .bind(columns.id)
            .bind(columns.owner)
            .bind(columns.request)
            .bind(columns.requested)
            .bind(columns.began)
            .bind(columns.state)
            .bind(columns.waiting_for)
            .bind(columns.retry_at)
            .bind(columns.give_up_at)
            .bind(columns.ended_at)
            .bind(columns.failure)
            .bind(columns.resumable_until)
            .bind(columns.ready_at)
            .bind(columns.expires_at)
            .bind(columns.bag)
            .bind(columns.completeness)
            .bind(columns.paused_since)
            .bind(columns.deaths)
            .bind(columns.notes))
    }

    /// The same for an engine.
    pub(crate) fn query<D>(self) -> Query<'static, D, D::Arguments>
    where
        D: Database,
        Option<String>: Encode<'static, D> + Type<D>,
        Option<i64>: Encode<'static, D> + Type<D>,
        Vec<u8>: Encode<'static, D> + Type<D>,
    {
        let query = sqlx::query(self.sql);
        self.values
            .into_iter()
            .fold(query, |query, value| match value {
                Value::Text(text) => query.bind(text),
                Value::Integer(number) => query.bind(number),
                Value::Bytes(bytes) => query.bind(bytes),
            })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}
