//! CONNECTION as it is meant.

use std::time::Duration;

use domain::model::UserId;
use domain::workflow::Limits;

use super::{Inputs, Layer, Layers, Origin, SettingsError, Sourced, check_range};
use crate::compose::{self, read_pem};
use crate::credentials::{self, Method, Secret};

/// CA files have a few KiB; a whole system's bundle has some 250.
const CACERT_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// Where the platform is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerAddress {
    /// The base URL without a slash at its end.
    pub(crate) url: String,
    /// Host, and port where one is given.
    pub(crate) host: String,
    /// Whether bytes to it are encrypted.
    pub(crate) encrypted: bool,
}

impl ServerAddress {
    /// Whether it is this machine: no network, no proxy.
    pub(crate) fn is_loopback(&self) -> bool {
        let name = self.host_name();
        name.eq_ignore_ascii_case("localhost")
            || name
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// Whether both are on one host, by whatever door (`http://host:9090/ufws`, `https://host/api`).
    pub(crate) fn is_on_host_of(&self, other: &Self) -> bool {
        self.host_name().eq_ignore_ascii_case(other.host_name())
            || (self.is_loopback() && other.is_loopback())
    }

    /// The host without its port.
    fn host_name(&self) -> &str {
        let name = match self.host.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => self.host.split(':').next(),
        };
        name.unwrap_or_default()
    }
}

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

impl UnsignedConnection {
    /// Reads it from the inputs.
    pub(crate) fn of(inputs: &mut Inputs) -> Result<Self, SettingsError> {
        let server = server(inputs)?;
        let login = login(inputs, "user", |layer| &layer.user)?.ok_or(SettingsError::NoUser)?;
        let other = login_of_other(inputs)?;
        let supervisor = inputs.layers.pick_or(|layer| &layer.supervisor, false);
        let (mode, user) = match (supervisor.value, other) {
            (true, None) => return Err(SettingsError::SupervisorOfNobody),
            (true, Some(other)) => (Mode::Supervisor, other),
            (false, other) => (Mode::Direct, other.unwrap_or_else(|| login.clone())),
        };
        let timeout = timeout(&inputs.layers)?;
        let trust = trust(inputs)?;
        let method = credentials::choose(
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
    let silence = Limits::SILENCE.as_secs();
    let timeout = layers.pick_or(|layer| &layer.timeout, silence);
    check_range("timeout", timeout, Layer::TIMEOUT).map(Duration::from_secs)
}

fn server(inputs: &Inputs) -> Result<ServerAddress, SettingsError> {
    let url = inputs
        .layers
        .pick(|layer| &layer.url)
        .ok_or(SettingsError::NoUrl)?;
    compose::server_address(&url.value).map_err(|source| SettingsError::Url {
        origin: url.origin,
        source,
    })
}

fn login(
    inputs: &Inputs,
    key: &'static str,
    of: impl Fn(&Layer) -> &Option<String>,
) -> Result<Option<UserId>, SettingsError> {
    inputs
        .layers
        .pick(of)
        .map(|Sourced { value, origin }| {
            UserId::parse(&value).map_err(|source| SettingsError::Login {
                key,
                origin,
                source,
            })
        })
        .transpose()
}

fn login_of_other(inputs: &Inputs) -> Result<Option<UserId>, SettingsError> {
    login(inputs, "as", |layer| &layer.as_user)
}

fn trust(inputs: &Inputs) -> Result<Trust, SettingsError> {
    if inputs.layers.pick_or(|layer| &layer.insecure, false).value {
        return Ok(Trust::Any);
    }
    let Some(Sourced {
        value: path,
        origin,
    }) = inputs.layers.pick(|layer| &layer.cacert)
    else {
        return Ok(Trust::System);
    };
    let pem = read_pem(&path, CACERT_LIMIT_BYTES)
        .map_err(|source| SettingsError::of_file("cacert", origin, path, source))?;
    Ok(Trust::Extra { pem })
}

fn warn(inputs: &mut Inputs, server: &ServerAddress, trust: &Trust, method: &Method) {
    if matches!(trust, Trust::Any) {
        let origin = inputs
            .layers
            .pick(|layer| &layer.insecure)
            .map_or(Origin::Default, |insecure| insecure.origin);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str) -> ServerAddress {
        ServerAddress {
            url: String::new(),
            host: host.to_owned(),
            encrypted: false,
        }
    }

    #[test]
    fn one_host_has_many_doors() {
        for (one, other, expected) in [
            ("uforge.example.com", "UForge.example.com:9090", true),
            ("localhost:1", "127.0.0.1:2", true),
            ("[::1]:1", "localhost", true),
            ("[2001:db8::1]:1", "[2001:db8::1]", true),
            ("[2001:db8::1]", "[2001:db8::2]", false),
            ("uforge.example.com", "uforge.example.org", false),
            ("127.0.0.1", "uforge.example.org", false),
        ] {
            assert_eq!(at(one).is_on_host_of(&at(other)), expected, "{one} {other}");
        }
    }

    #[test]
    fn loopback_is_recognised_in_every_spelling() {
        for (host, expected) in [
            ("localhost:8080", true),
            ("127.0.0.1:1", true),
            ("127.1.2.3", true),
            ("[::1]:80", true),
            ("[::1]", true),
            ("uforge.example.com", false),
            ("10.0.0.1:80", false),
            ("localhost.example.com", false),
        ] {
            assert_eq!(at(host).is_loopback(), expected, "{host}");
        }
    }
}
