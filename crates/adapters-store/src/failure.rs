//! What statements fail with, whatever the engine and the port.

use std::marker::PhantomData;

use domain::jobs::{AuditError, CampaignStoreError, IdempotencyError, JobId, JobStoreError};

use crate::columns::RowError;

/// An engine, by the type that sqlx has for it.
pub(crate) trait Engine {
    /// Whether the disk, or the quota, is full.
    fn is_full(error: &sqlx::Error) -> bool;
}

/// An error of a port.
pub(crate) trait PortError {
    /// There is no space.
    fn no_space(source: RowError) -> Self;
    /// The store does not answer, or what it says cannot be read.
    fn unavailable(source: RowError) -> Self;
    /// Whether that is what happened: there is no space.
    fn is_no_space(&self) -> bool;
}

/// What statements fail with, until it is known what that means to a caller of the port.
pub(crate) struct Failure<D, E>(E, PhantomData<fn() -> D>);

impl<D, E: PortError> Failure<D, E> {
    /// Whether the disk, or the quota, is full.
    pub(crate) fn is_full(&self) -> bool {
        self.0.is_no_space()
    }
}

impl<D: Engine, E: PortError> From<sqlx::Error> for Failure<D, E> {
    fn from(error: sqlx::Error) -> Self {
        let port_error = if D::is_full(&error) {
            E::no_space
        } else {
            E::unavailable
        };
        Self(port_error(said_once(error)), PhantomData)
    }
}

/// An error of the engine that says what caused it, and each cause once: sqlx has an error's cause in its text and names it as its cause
/// too, and adds the line of PostgreSQL's own source that reports it.
pub(crate) fn said_once(error: sqlx::Error) -> RowError {
    Box::new(SaidOnce(error))
}

#[derive(Debug)]
struct SaidOnce(sqlx::Error);

impl std::fmt::Display for SaidOnce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(error) = self.0.as_database_error() else {
            return self.0.fmt(f);
        };
        f.write_str(error.message())?;
        match error.code() {
            Some(code) => write!(f, " (code {code})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SaidOnce {}

impl<D, E: PortError> From<RowError> for Failure<D, E> {
    fn from(error: RowError) -> Self {
        Self(E::unavailable(error), PhantomData)
    }
}

impl<D, E: PortError> From<serde_json::Error> for Failure<D, E> {
    fn from(error: serde_json::Error) -> Self {
        Self(E::unavailable(Box::new(error)), PhantomData)
    }
}

impl<D, E: PortError> From<E> for Failure<D, E> {
    fn from(error: E) -> Self {
        Self(error, PhantomData)
    }
}

/// The errors that have variants of their own for both.
macro_rules! port_errors {
    ($($error:ty),+) => {$(
        impl PortError for $error {
            fn no_space(source: RowError) -> Self {
                Self::NoSpace(source)
            }

            fn unavailable(source: RowError) -> Self {
                Self::Unavailable(source)
            }

            fn is_no_space(&self) -> bool {
                matches!(self, Self::NoSpace(_))
            }
        }
    )+};
}

port_errors!(JobStoreError, IdempotencyError, AuditError);

impl PortError for CampaignStoreError {
    fn no_space(source: RowError) -> Self {
        JobStoreError::NoSpace(source).into()
    }

    fn unavailable(source: RowError) -> Self {
        JobStoreError::Unavailable(source).into()
    }

    fn is_no_space(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_no_space())
    }
}

/// What it means to a caller of the port.
macro_rules! from_failures {
    ($($error:ty),+) => {$(
        impl<D> From<Failure<D, Self>> for $error {
            fn from(failure: Failure<D, Self>) -> Self {
                failure.0
            }
        }
    )+};
}

from_failures!(
    JobStoreError,
    CampaignStoreError,
    IdempotencyError,
    AuditError
);

/// Campaigns are kept in the store of jobs.
impl<D> From<Failure<D, JobStoreError>> for Failure<D, CampaignStoreError> {
    fn from(failure: Failure<D, JobStoreError>) -> Self {
        Self(failure.0.into(), PhantomData)
    }
}

/// What an error of a statement means to a caller of the port.
pub(crate) fn port_error<D: Engine, E: PortError>(error: sqlx::Error) -> E {
    Failure::<D, E>::from(error).0
}

pub(crate) fn unknown(id: &JobId) -> JobStoreError {
    JobStoreError::Unknown { id: id.clone() }
}

pub(crate) fn conflict(id: &JobId) -> JobStoreError {
    JobStoreError::Conflict { id: id.clone() }
}

pub(crate) fn lost(id: &JobId) -> JobStoreError {
    JobStoreError::Lost { id: id.clone() }
}
