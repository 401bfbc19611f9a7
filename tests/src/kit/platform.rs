//! The sandbox on a free loopback port.

use std::time::Duration;

use adapters_http::{ApiSettings, BaseUrl, Credentials, Proxies, TlsTrust, UforgeApi};
use domain::model::{Order, UserId};
use domain::workflow::Limits;
use sandbox::{Running, Scenario};

/// Starts a platform.
///
/// # Panics
///
/// Where loopback has no free port.
pub async fn start(scenario: Scenario) -> Running {
    let any = "127.0.0.1:0".parse().expect("an address");
    sandbox::serve(any, scenario).await.expect("a free port")
}

/// A scenario written in TOML on top of little data and short times. It must not begin with a table of its own for `[data]` or
/// `[timing]`.
///
/// # Panics
///
/// Where it is no scenario.
pub fn small(toml: &str) -> Scenario {
    let mut scenario = Scenario::from_toml(toml).expect("a scenario");
    scenario.data.appliances = 3;
    scenario.data.software = 2;
    scenario.data.accounts = 3;
    scenario.data.others = 2;
    scenario.data.archive_bytes = 6_000;
    scenario.timing.export_millis = 5;
    scenario.timing.slots = 4;
    scenario
}

/// What the HTTP adapter needs to sign in as the sandbox's person.
///
/// # Panics
///
/// Where the sandbox announces nonsense.
pub fn settings_for(platform: &Running) -> ApiSettings {
    let announced = platform.announcement();
    settings_at(platform.url(), &announced.user, &announced.password)
}

/// The same for a platform of another process.
///
/// # Panics
///
/// Where it is announced with nonsense.
pub fn settings_at(url: &str, user: &str, password: &str) -> ApiSettings {
    ApiSettings {
        base: BaseUrl::parse(url).expect("a URL"),
        user: UserId::parse(user).expect("a login"),
        credentials: Credentials::Password {
            login: user.to_owned(),
            password: password.to_owned().into(),
        },
        silence: Duration::from_secs(20),
        document_limit_bytes: Limits::DOCUMENT_BYTES,
        trust: TlsTrust::System,
        proxies: Proxies::Direct,
        user_agent: "uforge-export/test".to_owned(),
    }
}

/// The HTTP adapter, signed in as the sandbox's person.
///
/// # Panics
///
/// Where the sandbox announces nonsense.
pub fn api_for(platform: &Running) -> UforgeApi {
    UforgeApi::new(settings_for(platform)).expect("settings")
}

/// An order for all that the sandbox's person has.
///
/// # Panics
///
/// Where the sandbox announces nonsense.
pub fn order_for(platform: &Running) -> Order {
    let mut order = domain::testing::order();
    order.user = UserId::parse(&platform.announcement().user).expect("a login");
    platform.url().clone_into(&mut order.source);
    order
}
