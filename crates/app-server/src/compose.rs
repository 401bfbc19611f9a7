//! Puts the service together: the only place that names concrete adapters.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use adapters_clock::SystemClock;
use adapters_http::{
    ApiSettings, BaseUrl, BaseUrlError, Credentials as SignIn, Proxies, SetUpError, TlsTrust,
    UforgeApi,
};
use async_trait::async_trait;
use bytes::Bytes;
use domain::jobs::JobFailure;
use domain::model::{Order, Representation, Resource, UserId};
use domain::ports::{ApiError, ArchiveSink, Clock, Journal, Platform, Progress, UserDataApi};
use domain::report::{Report, rendered};
use domain::workflow::{Limits, Ports, RunError, export, withdraw};
use secrecy::SecretString;
use thiserror::Error;

use crate::backend::{Assignment, Backend, Brought, Credentials, IdentifyError, Run};
use crate::problem::Causes;
use crate::settings::{Settings, Trust};

/// How long the platform may be silent when it is asked who a caller is: somebody waits for it.
const IDENTIFY_SILENCE: Duration = Duration::from_secs(15);

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
            Err(ApiError::Unauthorized { .. } | ApiError::NotFound { .. }) => {
                Err(IdentifyError::Refused)
            }
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
        let (sink, journal) = open_run(&workplace, &order).await?;
        Ok(Box::new(ForgeRun {
            api,
            clock: Arc::clone(&self.clock),
            journal,
            sink: Some(sink),
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

type OpenRun = (Box<dyn ArchiveSink>, Arc<dyn Journal>);

#[expect(clippy::unused_async, reason = "the archive adapter will be awaited")]
async fn open_run(workplace: &Path, order: &Order) -> Result<OpenRun, JobFailure> {
    let _ = (workplace, order);
    Err(JobFailure {
        message: "this build cannot write archives yet".to_owned(),
        hint: None,
    })
}

/// The workflow against a UForge, into a file in the job's workplace.
struct ForgeRun {
    api: UforgeApi,
    clock: Arc<dyn Clock>,
    journal: Arc<dyn Journal>,
    sink: Option<Box<dyn ArchiveSink>>,
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
    async fn export(&mut self, progress: &dyn Progress) -> Result<Brought, JobFailure> {
        let Some(sink) = self.sink.take() else {
            return Err(JobFailure {
                message: "this run is over".to_owned(),
                hint: None,
            });
        };
        let outcome = export(self.ports(progress), sink, &self.order)
            .await
            .map_err(|error| run_failure(&error))?;
        Ok(Brought {
            completeness: outcome.report.completeness,
            report: export_json(&outcome.report),
            bag: outcome.bag,
        })
    }

    async fn withdraw(&mut self) -> Vec<String> {
        // Its files are let go first, so that nothing is written while they are deleted.
        self.sink = None;
        match withdraw(self.ports(&domain::ports::NoProgress)).await {
            Ok(withdrawal) => withdrawal
                .left
                .iter()
                .map(|(ticket, error)| format!("{ticket} is left on the platform: {error}"))
                .collect(),
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "a journal could not be kept while tickets were withdrawn");
                vec!["export tickets of this run may be left on the platform".to_owned()]
            }
        }
    }
}

/// `export.json` as it stands in the bag.
fn export_json(report: &Report) -> Bytes {
    rendered(report)
        .into_iter()
        .find(|file| file.path.as_str() == "export.json")
        .map_or_else(|| Bytes::from_static(b"null"), |file| file.bytes)
}

/// What a caller is told of a run that came to nothing. What concerns the service's own disk is for its operator.
fn run_failure(error: &RunError) -> JobFailure {
    let hint = match error {
        RunError::Unauthorized { .. } => "the password may have changed meanwhile: sign in again",
        RunError::Platform(_) => "ask for the export again when the platform is back",
        RunError::NothingAvailable { .. } => {
            "ask an administrator of the platform which data you may read"
        }
        RunError::UnknownIds { .. } => "ask again with ids that exist",
        RunError::Sink(_) | RunError::Journal(_) => {
            tracing::error!(error = %Causes(error), "a run could not write its archive");
            return JobFailure {
                message: "the service could not store the archive".to_owned(),
                hint: Some("tell whoever runs this service".to_owned()),
            };
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
