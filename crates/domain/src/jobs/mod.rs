//! A job: one order given to the service, from the request to the record that outlives its archive.
//!
//! [`Job`] is a pure state machine; [`JobStore`] records jobs and [`BagStore`] keeps their bags. Who runs a job, and with whose
//! credentials, is the service's matter: neither credentials nor a running workflow are ever part of a job.

mod id;
mod job;
mod ports;
mod request;

pub use crate::progress::RunProgress as JobProgress;
pub use id::{JobId, JobIdError};
pub use job::{
    BagRecord, Delivery, DownloadRecord, Job, JobFailure, JobState, JobStateName, WrongState,
};
pub use ports::{
    BagBody, BagStore, BagStoreError, JobPage, JobStore, JobStoreError, StoredJob, Version,
};
#[cfg(any(test, feature = "testing"))]
pub use ports::{MockBagStore, MockJobStore};
pub use request::JobRequest;
