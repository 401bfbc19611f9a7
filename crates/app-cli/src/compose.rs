//! Puts the program together: the only place that names concrete adapters.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;

use adapters_clock::SystemClock;
use adapters_http::{
    ApiSettings, BaseUrl, BaseUrlError, Credentials, Proxies, SetUpError, TlsTrust, UforgeApi,
};
use domain::ports::{Clock, UserDataApi};
use domain::workflow::Limits;
use sandbox::{Announcement, Running, Scenario, ScenarioError};
use thiserror::Error;

use crate::credentials::Secret;
use crate::settings::{ConnectionSettings, ServerAddress, SignIn, Trust};

/// What this program calls itself to servers and in bags.
pub(crate) const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why the parts do not fit together.
#[derive(Debug, Error)]
pub(crate) enum ComposeError {
    /// The connection cannot be set up; nothing was sent.
    #[error("could not set the connection up")]
    Connection(#[source] SetUpError),
    /// The address of the platform cannot be used.
    #[error("the URL `{url}` cannot be used")]
    Url {
        url: String,
        #[source]
        source: BaseUrlError,
    },
    /// The sandbox's scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The sandbox cannot listen.
    #[error("could not listen on `{address}`")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
}

/// Time.
pub(crate) fn clock() -> impl Clock {
    SystemClock::start()
}

/// Reads the address of a platform.
pub(crate) fn server_address(text: &str) -> Result<ServerAddress, Box<dyn Error + Send + Sync>> {
    let base = BaseUrl::parse(text)?;
    Ok(ServerAddress {
        url: base.as_str().to_owned(),
        host: base.host().to_owned(),
        encrypted: base.is_https(),
    })
}

/// The platform behind a connection.
pub(crate) fn platform(
    connection: &ConnectionSettings,
) -> Result<Box<dyn UserDataApi>, ComposeError> {
    let base = BaseUrl::parse(&connection.server.url).map_err(|source| ComposeError::Url {
        url: connection.server.url.clone(),
        source,
    })?;
    let settings = ApiSettings {
        base,
        user: connection.user.clone(),
        credentials: credentials(&connection.sign_in),
        silence: connection.timeout,
        document_limit_bytes: Limits::DOCUMENT_BYTES,
        trust: match &connection.trust {
            Trust::System => TlsTrust::System,
            Trust::Extra { pem, .. } => TlsTrust::ExtraCa(pem.clone()),
            Trust::Any => TlsTrust::AcceptAny,
        },
        proxies: Proxies::FromEnvironment,
        user_agent: format!("uforge-export/{TOOL_VERSION}"),
    };
    let api = UforgeApi::new(settings).map_err(ComposeError::Connection)?;
    Ok(Box::new(api))
}

fn credentials(sign_in: &SignIn) -> Credentials {
    match sign_in {
        SignIn::Direct {
            login,
            secret: Secret::Password(password),
        } => Credentials::Password {
            login: login.as_str().to_owned(),
            password: password.clone(),
        },
        SignIn::Direct {
            secret: Secret::KeyPair { public, secret },
            ..
        } => Credentials::ApiKey {
            public: public.clone(),
            secret: secret.clone(),
        },
        SignIn::Supervisor { login, password } => Credentials::Supervisor {
            login: login.as_str().to_owned(),
            password: password.clone(),
        },
    }
}

/// The sandbox's description: from a file, or the built-in one.
pub(crate) fn scenario(file: Option<&Path>) -> Result<Scenario, ComposeError> {
    Ok(file.map(Scenario::load).transpose()?.unwrap_or_default())
}

/// A sandbox that listens.
pub(crate) async fn sandbox(
    listen: SocketAddr,
    scenario: Scenario,
) -> Result<(Running, Announcement), ComposeError> {
    let running =
        sandbox::serve(listen, scenario)
            .await
            .map_err(|source| ComposeError::Listen {
                address: listen,
                source,
            })?;
    let announcement = running.announcement();
    Ok((running, announcement))
}
