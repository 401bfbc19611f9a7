//! CONNECTION as it is meant.

use std::time::Duration;

use domain::model::UserId;

use super::keys::{self, Key};
use super::layers::number_within;
use super::method::choose;
use super::{Inputs, Layer, Layers, ServerAddress, SettingsError, Sourced};
use crate::compose::{read_pem, server_address};
use crate::credentials::{self, Method, Secret};

/// CA files have a few KiB; a whole system's bundle has some 250.
const CACERT_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// Who signs in, and how.
#[derive(Clone, Debug)]
pub(crate) enum SignIn {
    /// As oneself, or as an administrator who may act on others.
    Direct { login: UserId, secret: Secret },
    /// As `LOGIN\UID`, with the supervisor's password.
    Supervisor {
        login: UserId,
        password: secrecy::SecretString,
    },
}

/// Which certificates are trusted.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// Those of the system.
    System,
    /// And those of this file.
    Extra { pem: Vec<u8> },
    /// Any.
    Any,
}

/// Which platform, who signs in, whose data.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionSettings {
    pub(crate) route: Route,
    pub(crate) server: ServerAddress,
    /// Whose data.
    pub(crate) user: UserId,
    pub(crate) sign_in: SignIn,
    pub(crate) trust: Trust,
    pub(crate) timeout: Duration,
}

/// Everything of a connection but the secret itself, which may have to be asked for.
#[derive(Debug)]
pub(crate) struct UnsignedConnection {
    server: ServerAddress,
    user: UserId,
    login: UserId,
    mode: Mode,
    trust: Trust,
    timeout: Duration,
    method: Method,
}

/// How the platform is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Through the proxy that the environment names, as curl does.
    AsConfigured,
    /// Straight: the platform runs inside this program.
    WithinThisMachine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Direct,
    Supervisor,
}

impl SignIn {
    /// Who authenticates.
    pub(crate) fn login(&self) -> &UserId {
        match self {
            Self::Direct { login, .. } | Self::Supervisor { login, .. } => login,
        }
    }
}

impl UnsignedConnection {
    /// Reads it from the inputs.
    pub(crate) fn of(inputs: &mut Inputs) -> Result<Self, SettingsError> {
        let server = server(&inputs.layers)?;
        let login = login_by(&inputs.layers, keys::USER)?.ok_or(SettingsError::NoUser)?;
        let other = login_by(&inputs.layers, keys::AS)?;
        let supervisor = inputs.layers.get(keys::SUPERVISOR);
        let (mode, user) = match (supervisor.value, other) {
            (true, None) => return Err(SettingsError::SupervisorOfNobody),
            (true, Some(other)) => (Mode::Supervisor, other),
            (false, other) => (Mode::Direct, other.unwrap_or_else(|| login.clone())),
        };
        let timeout = timeout(&inputs.layers)?;
        let trust = trust(inputs)?;
        let method = choose(
            &inputs.layers,
            &inputs.environment,
            inputs.official.as_ref(),
        )?;
        if mode == Mode::Supervisor && matches!(method, Method::KeyPair { .. }) {
            return Err(SettingsError::SupervisorWithKey);
        }
        warn(inputs, &server, &trust, &method);
        Ok(Self {
            server,
            user,
            login,
            mode,
            trust,
            timeout,
            method,
        })
    }

    /// Reads the secret, which at a terminal may take as long as a person does: this blocks.
    pub(crate) fn sign(self) -> Result<ConnectionSettings, SettingsError> {
        let login = self.login;
        let sign_in = match (self.mode, credentials::read(self.method, login.as_str())?) {
            (Mode::Direct, secret) => SignIn::Direct { login, secret },
            (Mode::Supervisor, Secret::Password(password)) => {
                SignIn::Supervisor { login, password }
            }
            (Mode::Supervisor, Secret::KeyPair { .. }) => {
                return Err(SettingsError::SupervisorWithKey);
            }
        };
        Ok(ConnectionSettings {
            route: Route::AsConfigured,
            server: self.server,
            user: self.user,
            sign_in,
            trust: self.trust,
            timeout: self.timeout,
        })
    }
}

pub(super) fn timeout(layers: &Layers) -> Result<Duration, SettingsError> {
    number_within(layers, keys::TIMEOUT, &Layer::TIMEOUT).map(Duration::from_secs)
}

/// Says whether the address and the logins can be any, as far as there are some.
pub(super) fn check_whom(layers: &Layers) -> Result<(), SettingsError> {
    if layers.pick(keys::URL).is_some() {
        server(layers)?;
    }
    login_by(layers, keys::USER)?;
    login_by(layers, keys::AS)?;
    Ok(())
}

fn server(layers: &Layers) -> Result<ServerAddress, SettingsError> {
    let url = layers.pick(keys::URL).ok_or(SettingsError::NoUrl)?;
    server_address(&url.value).map_err(|source| SettingsError::Url {
        origin: url.origin,
        source,
    })
}

fn login_by(layers: &Layers, key: Key<String>) -> Result<Option<UserId>, SettingsError> {
    layers
        .pick(key)
        .map(|Sourced { value, origin }| {
            UserId::parse(&value).map_err(|source| SettingsError::Login {
                key: key.name(),
                origin,
                source,
            })
        })
        .transpose()
}

fn trust(inputs: &Inputs) -> Result<Trust, SettingsError> {
    if inputs.layers.get(keys::INSECURE).value {
        return Ok(Trust::Any);
    }
    let Some(Sourced {
        value: path,
        origin,
    }) = inputs.layers.pick(keys::CACERT)
    else {
        return Ok(Trust::System);
    };
    let pem = read_pem(&path, CACERT_LIMIT_BYTES)
        .map_err(|source| SettingsError::of_file(keys::CACERT.name(), origin, path, source))?;
    Ok(Trust::Extra { pem })
}

fn warn(inputs: &mut Inputs, server: &ServerAddress, trust: &Trust, method: &Method) {
    if matches!(trust, Trust::Any) {
        let origin = inputs.layers.get(keys::INSECURE).origin;
        inputs.warnings.push(format!(
            "certificates are not checked (insecure, from: {origin}): whoever stands between can read and change everything"
        ));
    }
    if !server.encrypted && !server.is_loopback() {
        let what = match method {
            Method::Password(_) => "the password and all data go",
            Method::KeyPair { .. } => "all data goes",
        };
        inputs.warnings.push(format!(
            "{what} over the network unencrypted: `{}` is not https",
            server.url
        ));
    }
}
