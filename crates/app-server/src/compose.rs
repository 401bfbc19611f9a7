//! Puts the service together: the only place that names concrete adapters.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapters_archive::{
    OpenRun, OpenedRun, Replace, RunFiles, RunSettings, Target, UnfinishedPolicy, open_run,
};
use adapters_clock::SystemClock;
use adapters_http::{
    ApiSettings, BaseUrl, BaseUrlError, Credentials as SignIn, Proxies, SetUpError, TlsTrust,
    UforgeApi,
};
pub(crate) use adapters_process::{LossyStderr, Signals, TextFileError, read_pem};
use async_trait::async_trait;
use domain::jobs::JobFailure;
use domain::model::{Order, Representation, Resource, UserId};
use domain::ports::{
    ApiError, ArchiveSink, Clock, Journal, NoProgress, Platform, Progress, UserDataApi,
};
use domain::report::export_json;
use domain::workflow::{Limits, Ports, RunError, abandon, export};
use secrecy::SecretString;
use thiserror::Error;

use crate::backend::{
    Assignment, Backend, Credentials, Exported, IdentifyError, Run, storage_failure,
};
use crate::causes::{Causes, for_operator};
use crate::settings::{Settings, Trust};
use adapters_http::TrackedStarts;

/// How long the platform may be silent when it is asked who a caller is: somebody waits for it.
const IDENTIFY_SILENCE: Duration = Duration::from_secs(15);

/// How long a run that is stopped waits for answers to what it has asked for.
const LAST_ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// Why the parts do not fit together. Nothing was sent.
#[derive(Debug, Error)]
pub(crate) enum ComposeError {
    /// The address of the platform cannot be used.
    #[error("the URL of the UForge cannot be used")]
    Url(#[source] BaseUrlError),
    /// Requests to the platform cannot be made.
    #[error("could not set the connection to the UForge up")]
    Connection(#[source] SetUpError),
}

/// Time.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::start())
}

/// The UForge behind the service, and the real workflow.
pub(crate) fn backend(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Backend>, ComposeError> {
    let forge = Forge {
        base: BaseUrl::parse(&settings.url).map_err(ComposeError::Url)?,
        trust: match &settings.trust {
            Trust::System => TlsTrust::System,
            Trust::ExtraCa(pem) => TlsTrust::ExtraCa(pem.clone()),
            Trust::AcceptAny => TlsTrust::AcceptAny,
        },
        clock: Arc::clone(clock),
    };
    // A CA file without a certificate should stop the start, not the first caller.
    forge.anonymous().map_err(ComposeError::Connection)?;
    Ok(Arc::new(forge))
}

struct Forge {
    base: BaseUrl,
    trust: TlsTrust,
    clock: Arc<dyn Clock>,
}

impl Forge {
    fn api(
        &self,
        user: UserId,
        credentials: &Credentials,
        silence: Duration,
    ) -> Result<UforgeApi, SetUpError> {
        UforgeApi::new(ApiSettings {
            base: self.base.clone(),
            user,
            credentials: SignIn::Password {
                login: credentials.login.as_str().to_owned(),
                password: credentials.password.clone(),
            },
            silence,
            document_limit_bytes: Limits::DOCUMENT_BYTES,
            trust: self.trust.clone(),
            proxies: Proxies::FromEnvironment,
            user_agent: concat!("uforge-export-server/", env!("CARGO_PKG_VERSION")).to_owned(),
        })
    }

    /// For the one question that needs no credentials.
    fn anonymous(&self) -> Result<UforgeApi, SetUpError> {
        #[expect(clippy::expect_used, reason = "the text is a login")]
        let login = UserId::parse("nobody").expect("a login");
        let credentials = Credentials {
            login: login.clone(),
            password: SecretString::default(),
        };
        self.api(login, &credentials, IDENTIFY_SILENCE)
    }
}

#[async_trait]
impl Backend for Forge {
    fn source(&self) -> &str {
        self.base.as_str()
    }

    async fn platform(&self) -> Result<Platform, ApiError> {
        match self.anonymous() {
            Ok(api) => api.platform().await,
            Err(error) => Err(unprepared(&error)),
        }
    }

    async fn identify(&self, credentials: &Credentials) -> Result<UserId, IdentifyError> {
        let login = credentials.login.clone();
        let api = match self.api(login.clone(), credentials, IDENTIFY_SILENCE) {
            Ok(api) => api,
            Err(SetUpError::ColonInLogin { .. } | SetUpError::DotLogin { .. }) => {
                return Err(IdentifyError::Refused);
            }
            Err(error) => return Err(IdentifyError::Platform(unprepared(&error))),
        };
        match api.document(Resource::User, Representation::Xml).await {
            Ok(document) => Ok(document
                .facts
                .objects
                .first()
                .and_then(|user| UserId::parse(user.name.as_deref()?).ok())
                .unwrap_or(login)),
            Err(ApiError::Unauthorized { .. }) => Err(IdentifyError::Refused),
            // Nobody of this login, or no UForge at this address.
            Err(error @ ApiError::NotFound { .. }) => match api.platform().await {
                Err(ApiError::NotFound { .. } | ApiError::NotUForge { .. }) => {
                    Err(IdentifyError::WrongAddress(error))
                }
                _ => Err(IdentifyError::Refused),
            },
            Err(ApiError::Forbidden { .. }) => Err(IdentifyError::Forbidden),
            Err(error) => Err(IdentifyError::Platform(error)),
        }
    }

    async fn prepare(&self, assignment: Assignment) -> Result<Box<dyn Run>, JobFailure> {
        let Assignment {
            order,
            credentials,
            workplace,
        } = assignment;
        let api = self
            .api(order.user.clone(), &credentials, Limits::SILENCE)
            .map_err(|error| failure(&error, None))?;
        let run = open_archive(workplace, &order).await?;
        Ok(Box::new(ForgeRun {
            api: TrackedStarts::new(Arc::new(api)),
            clock: Arc::clone(&self.clock),
            journal: run.journal,
            sink: Some(run.sink),
            run_files: Some(run.run_files),
            order,
        }))
    }
}

/// A set-up that worked at the start and does not now: the machine's certificate store went away, or its file descriptors.
fn unprepared(error: &SetUpError) -> ApiError {
    ApiError::NoAnswer {
        request: "GET status".to_owned(),
        sent: false,
        detail: Causes(error).to_string(),
    }
}

/// Opens the bag in the job's workplace. The disk is asked off the runtime's own threads.
async fn open_archive(workplace: PathBuf, order: &Order) -> Result<OpenRun, JobFailure> {
    let file = format!("{}.{}", order.bag_name.as_str(), order.format.ending());
    let settings = RunSettings {
        target: Target::File {
            path: workplace.join(file),
            replace: Replace::Refuse,
        },
        format: order.format,
        top: order.bag_name.clone(),
        fingerprint: order.fingerprint(),
        user: order.user.clone(),
        source: order.source.clone(),
        encryption: None,
        unfinished: UnfinishedPolicy::Discard,
    };
    let opened = tokio::task::spawn_blocking(|| open_run(settings)).await;
    match opened {
        Ok(Ok(OpenedRun::Ready(run))) => Ok(run),
        Ok(Ok(OpenedRun::AlreadyComplete { bag, .. })) => {
            tracing::error!(?bag, "an empty workplace held a finished bag");
            Err(storage_failure())
        }
        Ok(Err(error)) => {
            tracing::error!(error = %Causes(&error), "an archive could not be begun");
            Err(storage_failure())
        }
        Err(error) => {
            tracing::error!(%error, "an archive could not be begun");
            Err(storage_failure())
        }
    }
}

/// The workflow against a UForge, into a file in the job's workplace.
struct ForgeRun {
    api: TrackedStarts,
    clock: Arc<dyn Clock>,
    journal: Arc<dyn Journal>,
    sink: Option<Box<dyn ArchiveSink>>,
    run_files: Option<RunFiles>,
    order: Order,
}

impl ForgeRun {
    fn ports<'a>(&'a self, progress: &'a dyn Progress) -> Ports<'a> {
        Ports {
            api: &self.api,
            clock: &*self.clock,
            journal: &*self.journal,
            progress,
        }
    }
}

#[async_trait]
impl Run for ForgeRun {
    async fn export(&mut self, progress: &dyn Progress) -> Result<Exported, JobFailure> {
        let Some(sink) = self.sink.take() else {
            return Err(JobFailure {
                message: "this run is over".to_owned(),
                hint: None,
            });
        };
        let outcome = export(self.ports(progress), sink, &self.order)
            .await
            .map_err(|error| run_failure(&error))?;
        if let Some(run_files) = self.run_files.take() {
            run_files.remove();
        }
        Ok(Exported {
            completeness: outcome.report.completeness,
            report: export_json(&outcome.report).into(),
            bag: outcome.bag,
        })
    }

    async fn abandon(&mut self) -> Vec<String> {
        // Its files are closed first, so that nothing is written while they are deleted.
        self.sink = None;
        let answered = self.api.settle(LAST_ANSWERS_WITHIN).await;
        let abandoned = abandon(self.ports(&NoProgress), answered).await;
        let left = abandoned.left.iter();
        let left = left.map(|(ticket, error)| format!("{ticket} is left on the platform: {error}"));
        let unresolved = abandoned.unresolved.iter().map(|item| {
            format!("an export ticket of {item} may be left on the platform: its start was never answered")
        });
        left.chain(unresolved).collect()
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
        RunError::Sink(_) | RunError::Journal(_) => {
            tracing::error!(error = %Causes(error), "a run could not write its archive");
            return storage_failure();
        }
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
        let hint = run_failure(&RunError::Platform(unknown)).hint.unwrap();
        assert_eq!(hint, for_operator(&remedy));
        let passing = ApiError::Interrupted {
            request: "GET users/john".to_owned(),
            received: 3,
        };
        let hint = run_failure(&RunError::Platform(passing)).hint.unwrap();
        assert_eq!(hint, "ask for the export again when the platform is back");
    }
}
