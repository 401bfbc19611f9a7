//! What an error of a run means to its job, and what a caller reads of it.

use adapters_http::SetUpError;
use domain::jobs::JobFailure;
use domain::ports::{ApiError, JournalError, SinkError};
use domain::workflow::RunError;

use crate::backend::{
    Setback, SetbackKind, lost, no_space, of_storage, storage_failure, store_away,
};
use crate::causes::{Causes, for_operator};

/// What follows from a run that failed.
pub(super) fn setback_of_run(error: &RunError) -> Setback {
    let kind = match error {
        RunError::Unauthorized { .. } => SetbackKind::SignInRefused,
        RunError::Platform(_) | RunError::WrongAddress { .. } => SetbackKind::PlatformAway,
        RunError::NothingAvailable { source, .. } if may_pass(source) => SetbackKind::PlatformAway,
        RunError::NothingAvailable { .. } | RunError::UnknownIds { .. } => SetbackKind::Final,
        RunError::Sink(error) => return setback_of_sink(error),
        RunError::Journal(JournalError::Io { source, .. }) => return setback_of_disk(source),
        RunError::Journal(JournalError::Lost) => return lost(),
        RunError::Journal(error @ JournalError::Unavailable(_)) => return store_away(error),
    };
    Setback {
        kind,
        failure: run_failure(error),
    }
}

/// Whether the platform would have answered otherwise at another time.
fn may_pass(error: &ApiError) -> bool {
    !matches!(
        error,
        ApiError::Forbidden { .. }
            | ApiError::NotFound { .. }
            | ApiError::Refused { .. }
            | ApiError::NotOffered { .. }
            | ApiError::TooLarge { .. }
    )
}

fn setback_of_sink(error: &SinkError) -> Setback {
    match error {
        SinkError::NoSpace { .. } => no_space(),
        SinkError::Io { source, .. } => setback_of_disk(source),
        SinkError::Lost => lost(),
        error @ SinkError::Unavailable(_) => store_away(error),
        SinkError::CheckFailed { .. }
        | SinkError::Exists { .. }
        | SinkError::Duplicate { .. }
        | SinkError::Stopped => of_storage(error),
    }
}

fn setback_of_disk(error: &std::io::Error) -> Setback {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => no_space(),
        _ => of_storage(error),
    }
}

/// Requests with these credentials cannot be made.
pub(super) fn setback_of_set_up(error: &SetUpError) -> Setback {
    let kind = match error {
        SetUpError::ColonInLogin { .. } | SetUpError::DotLogin { .. } => SetbackKind::Final,
        _ => SetbackKind::PlatformAway,
    };
    Setback {
        kind,
        failure: failure(error, None),
    }
}

/// What a caller reads of a run that failed.
fn run_failure(error: &RunError) -> JobFailure {
    let hint = match error {
        RunError::Unauthorized { .. } => "the password may have changed meanwhile: sign in again",
        RunError::Platform(platform) => {
            if let Some(remedy) = platform.remedy() {
                return failure(error, Some(&for_operator(&remedy)));
            }
            "ask for the export again when the platform is back"
        }
        RunError::WrongAddress { .. } => {
            "contact the operator of this service: its address of the platform is wrong"
        }
        RunError::NothingAvailable { .. } => {
            "ask an administrator of the platform which data you may read"
        }
        RunError::UnknownIds { .. } => "ask again with ids that exist",
        RunError::Sink(_) | RunError::Journal(_) => return storage_failure(),
    };
    failure(error, Some(hint))
}

fn failure(error: &(dyn std::error::Error + 'static), hint: Option<&str>) -> JobFailure {
    JobFailure {
        message: Causes(error).to_string(),
        hint: hint.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_could_not_reach_the_platform_says_what_the_operator_can_change() {
        let unknown = ApiError::UnknownHost {
            request: "GET status".to_owned(),
            host: "uforge.example.com:443".to_owned(),
            detail: "no such name".to_owned(),
        };
        let remedy = unknown.remedy().unwrap();
        let setback = setback_of_run(&RunError::Platform(unknown));
        assert_eq!(setback.kind, SetbackKind::PlatformAway);
        assert_eq!(setback.failure.hint.unwrap(), for_operator(&remedy));
        let passing = ApiError::Interrupted {
            request: "GET users/john".to_owned(),
            received: 3,
        };
        let hint = run_failure(&RunError::Platform(passing)).hint.unwrap();
        assert_eq!(hint, "ask for the export again when the platform is back");
    }

    #[test]
    fn a_full_disk_is_waited_for_and_another_fault_of_it_is_not() {
        let of = |kind: std::io::ErrorKind| {
            let path = "/data/journal".into();
            let source = kind.into();
            setback_of_run(&RunError::Journal(JournalError::Io { path, source })).kind
        };
        assert_eq!(of(std::io::ErrorKind::StorageFull), SetbackKind::NoSpace);
        assert_eq!(of(std::io::ErrorKind::QuotaExceeded), SetbackKind::NoSpace);
        assert_eq!(
            of(std::io::ErrorKind::PermissionDenied),
            SetbackKind::Resumable
        );
    }
}
