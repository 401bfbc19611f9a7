//! The UForge behind the service.

use std::sync::Arc;
use std::time::Duration;

use adapters_http::{
    ApiSettings, BaseUrl, Credentials as Signature, Proxies, SetUpError, TlsTrust, TrackedStarts,
    UforgeApi,
};
use async_trait::async_trait;
use domain::jobs::RunSettings;
use domain::model::{Facts, Representation, Resource, UserId};
use domain::ports::{ApiError, Clock, Platform, UserDataApi as _};
use domain::workflow::{ExportTimes, Limits};
use secrecy::SecretString;

use super::earlier_bag;
use super::failure::setback_of_set_up;
use super::run::{ForgeRun, RunPlace};
use super::shared_platform::SharedPlatform;
use super::unfinished;
use crate::backend::{
    Assignment, Backend, Credentials, IdentifyError, LeftOver, People, Run, Setback, SharedUse,
    SignIn, Unfinished, setback_of_runs,
};
use crate::causes::Causes;
use crate::metrics::{MeteredApi, Metrics};

/// How long the platform may be silent when it is asked who a caller is: somebody waits for it.
const IDENTIFY_SILENCE: Duration = Duration::from_secs(15);

/// The UForge behind the service, and the real workflow.
pub(super) struct Forge {
    pub(super) base: BaseUrl,
    pub(super) trust: TlsTrust,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    /// The service's own way to sign in, where the operator gave one.
    pub(super) service: Option<Signature>,
    /// How long the exports of all runs took.
    pub(super) times: Arc<ExportTimes>,
}

fn signature(credentials: &Credentials) -> Signature {
    Signature::Password {
        login: credentials.login.as_str().to_owned(),
        password: credentials.password.clone(),
    }
}

impl Forge {
    fn api(
        &self,
        user: UserId,
        credentials: Signature,
        silence: Duration,
    ) -> Result<MeteredApi<UforgeApi>, SetUpError> {
        let inner = UforgeApi::new(ApiSettings {
            base: self.base.clone(),
            user,
            credentials,
            silence,
            document_limit_bytes: Limits::DOCUMENT_BYTES,
            trust: self.trust.clone(),
            proxies: Proxies::FromEnvironment,
            user_agent: concat!("uforge-export-server/", env!("CARGO_PKG_VERSION")).to_owned(),
        })?;
        Ok(MeteredApi {
            inner,
            metrics: Arc::clone(&self.metrics),
        })
    }

    /// For a run of this person's data.
    fn api_for(
        &self,
        user: &UserId,
        sign_in: &SignIn,
        shared: Option<SharedUse>,
    ) -> Result<TrackedStarts, SetUpError> {
        let signature = match (sign_in, &self.service) {
            (SignIn::Person(credentials), _) => signature(credentials),
            (SignIn::Service, Some(service)) => service.clone(),
            // Nobody offers what is not there; the platform would refuse it.
            (SignIn::Service, None) => Signature::Password {
                login: String::new(),
                password: SecretString::default(),
            },
        };
        let api = self.api(user.clone(), signature, Limits::SILENCE)?;
        let Some(shared) = shared else {
            return Ok(TrackedStarts::new(Arc::new(api)));
        };
        Ok(TrackedStarts::new(Arc::new(SharedPlatform {
            inner: api,
            shared,
            clock: Arc::clone(&self.clock),
        })))
    }

    /// Reads `users/{user}` with these credentials: who that is, in the platform's own word.
    async fn ask_who(
        &self,
        credentials: &Credentials,
        user: &UserId,
    ) -> Result<UserId, IdentifyError> {
        let api = match self.api(user.clone(), signature(credentials), IDENTIFY_SILENCE) {
            Ok(api) => api,
            Err(SetUpError::ColonInLogin { .. } | SetUpError::DotLogin { .. }) => {
                return Err(IdentifyError::Refused);
            }
            Err(error) => return Err(IdentifyError::Platform(unprepared(&error))),
        };
        match api.document(Resource::User, Representation::Xml).await {
            Ok(document) => login_of(&document.facts).ok_or(IdentifyError::Nameless),
            Err(ApiError::Unauthorized { .. }) => Err(IdentifyError::Refused),
            // Nobody of this login, or no UForge at this address.
            Err(error @ ApiError::NotFound { .. }) => match api.platform().await {
                Err(ApiError::NotFound { .. } | ApiError::NotUForge { .. }) => {
                    Err(IdentifyError::WrongAddress(error))
                }
                _ => Err(IdentifyError::Unknown),
            },
            Err(ApiError::Forbidden { .. }) => Err(IdentifyError::Forbidden),
            Err(error) => Err(IdentifyError::Platform(error)),
        }
    }

    /// For the one question that needs no credentials.
    pub(super) fn anonymous(&self) -> Result<MeteredApi<UforgeApi>, SetUpError> {
        let login = nobody();
        let credentials = Credentials {
            login: login.clone(),
            password: SecretString::default(),
        };
        self.api(login, signature(&credentials), IDENTIFY_SILENCE)
    }
}

#[async_trait]
impl Backend for Forge {
    fn source(&self) -> &str {
        self.base.as_str()
    }

    fn has_service_account(&self) -> bool {
        self.service.is_some()
    }

    async fn check_service(&self) -> Result<(), IdentifyError> {
        let Some(service) = &self.service else {
            return Ok(());
        };
        let own = match service {
            Signature::Password { login, .. } => UserId::parse(login).ok(),
            // Whose keys these are nobody knows: whoever is asked about, a refused signature is answered with 401.
            Signature::ApiKey { .. } | Signature::Supervisor { .. } => None,
        };
        let user = own.unwrap_or_else(nobody);
        let api = self.api(user, service.clone(), IDENTIFY_SILENCE);
        let api = api.map_err(|error| IdentifyError::Platform(unprepared(&error)))?;
        match api.document(Resource::User, Representation::Xml).await {
            Err(ApiError::Unauthorized { .. }) => Err(IdentifyError::Refused),
            Ok(_) | Err(ApiError::NotFound { .. } | ApiError::Forbidden { .. }) => Ok(()),
            Err(error) => Err(IdentifyError::Platform(error)),
        }
    }

    async fn platform(&self) -> Result<Platform, ApiError> {
        match self.anonymous() {
            Ok(api) => api.platform().await,
            Err(error) => Err(unprepared(&error)),
        }
    }

    async fn identify(&self, credentials: &Credentials) -> Result<UserId, IdentifyError> {
        let known = self.ask_who(credentials, &credentials.login).await;
        known.map_err(|error| match error {
            IdentifyError::Unknown => IdentifyError::Refused,
            error => error,
        })
    }

    async fn look_up(
        &self,
        credentials: &Credentials,
        user: &UserId,
    ) -> Result<UserId, IdentifyError> {
        self.ask_who(credentials, user).await
    }

    async fn people(
        &self,
        credentials: &Credentials,
        which: &People,
    ) -> Result<Vec<UserId>, IdentifyError> {
        let api = self.api(
            credentials.login.clone(),
            signature(credentials),
            Limits::SILENCE,
        );
        let api = api.map_err(|error| IdentifyError::Platform(unprepared(&error)))?;
        let which = match which {
            People::Everyone => adapters_http::People::Everyone,
            People::Members(org) => adapters_http::People::Members(*org),
        };
        api.inner.people(which).await.map_err(|error| match error {
            ApiError::Unauthorized { .. } => IdentifyError::Refused,
            ApiError::Forbidden { .. } => IdentifyError::Forbidden,
            error => IdentifyError::Platform(error),
        })
    }

    async fn prepare(&self, assignment: Assignment) -> Result<Box<dyn Run>, Setback> {
        let Assignment {
            mut order,
            sign_in,
            lease,
            runs,
            file,
            shared,
            earlier,
        } = assignment;
        let api = self.api_for(&order.user, &sign_in, shared);
        let api = api.map_err(|error| setback_of_set_up(&error))?;
        let since = match earlier {
            Some(earlier) => Some(earlier_bag::read(earlier, &mut order).await),
            None => None,
        };
        let settings = RunSettings::of(&order, file.clone());
        let opened = unfinished::open(&*runs, &lease, &settings, &api, &*self.clock).await;
        let place = RunPlace { runs, lease, file };
        let opened = opened.map_err(|error| setback_of_runs(&error))?;
        let clock = Arc::clone(&self.clock);
        Ok(Box::new(ForgeRun::new(
            api,
            clock,
            opened,
            order,
            place,
            (since, Arc::clone(&self.times)),
        )))
    }

    async fn abandon_unfinished(
        &self,
        unfinished: Unfinished<'_>,
        sign_in: Option<SignIn>,
    ) -> LeftOver {
        let Unfinished { user, writer, runs } = unfinished;
        let api = sign_in.and_then(|sign_in| self.api_for(user, &sign_in, None).ok());
        unfinished::abandon_unfinished(runs, writer, api.as_ref(), &*self.clock).await
    }
}

/// A login for questions that are about nobody.
fn nobody() -> UserId {
    #[expect(clippy::expect_used, reason = "the text is a login")]
    UserId::parse("nobody").expect("a login")
}

/// The `loginName` of a user document, and nothing else.
fn login_of(facts: &Facts) -> Option<UserId> {
    match &facts.objects[..] {
        [user] => UserId::parse(user.login.as_deref()?).ok(),
        _ => None,
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
