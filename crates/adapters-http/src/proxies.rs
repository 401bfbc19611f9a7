//! Which proxy stands between, if any: the environment's variables, read as curl reads them.
//!
//! All requests of one client go to one server, so this is decided once, before the first of them. The HTTP library's own
//! reading is not used: it knows neither `*` nor ports in `NO_PROXY`, and passes over a proxy that it cannot read.

use std::ffi::OsString;
use std::net::IpAddr;

use reqwest::Url;

use crate::config::{BaseUrl, SetUpError};

/// The proxy for a server.
#[derive(Clone)]
pub(crate) struct ProxyServer {
    /// With the credentials for it, where there are any.
    pub(crate) url: Url,
    /// Host and port, for messages.
    pub(crate) name: String,
}

/// The proxy that these variables name for this server; none where they exclude it.
pub(crate) fn for_server(
    base: &BaseUrl,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<ProxyServer>, SetUpError> {
    let url = Url::parse(base.as_str()).map_err(|_| SetUpError::NoHost)?;
    let Some((name, value)) = named(url.scheme(), &variable)? else {
        return Ok(None);
    };
    let excluded = first_set(&["no_proxy", "NO_PROXY"], &variable)?;
    if excluded.is_some_and(|(_, list)| is_excluded(&url, &list)) {
        return Ok(None);
    }
    server(&value)
        .map(Some)
        .ok_or(SetUpError::ProxyUrl { variable: name })
}

/// The first of these variables that is set, even where it is empty: that overrides the later ones.
fn first_set(
    names: &[&'static str],
    variable: &impl Fn(&str) -> Option<OsString>,
) -> Result<Option<(&'static str, String)>, SetUpError> {
    for name in names {
        if let Some(value) = variable(name) {
            let value = value
                .into_string()
                .map_err(|_| SetUpError::ProxyNotUtf8 { variable: name })?;
            return Ok(Some((name, value.trim().to_owned())));
        }
    }
    Ok(None)
}

/// The variable that names the proxy for this scheme, and its value.
fn named(
    scheme: &str,
    variable: &impl Fn(&str) -> Option<OsString>,
) -> Result<Option<(&'static str, String)>, SetUpError> {
    let own: &[&'static str] = match scheme {
        "https" => &["https_proxy", "HTTPS_PROXY"],
        // A CGI script gets a caller's header `Proxy` as HTTP_PROXY.
        _ if variable("REQUEST_METHOD").is_some() => &["http_proxy"],
        _ => &["http_proxy", "HTTP_PROXY"],
    };
    let found = match first_set(own, variable)? {
        Some(found) => Some(found),
        None => first_set(&["all_proxy", "ALL_PROXY"], variable)?,
    };
    Ok(found.filter(|(_, value)| !value.is_empty()))
}

/// A proxy's URL; without a scheme it is an HTTP proxy.
fn server(value: &str) -> Option<ProxyServer> {
    let url = if value.contains("://") {
        Url::parse(value).ok()?
    } else {
        Url::parse(&format!("http://{value}")).ok()?
    };
    let default_port = match url.scheme() {
        "http" => 80,
        "https" => 443,
        "socks4" | "socks4a" | "socks5" | "socks5h" => 1080,
        _ => return None,
    };
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let name = format!("{host}:{}", url.port().unwrap_or(default_port));
    Some(ProxyServer { url, name })
}

/// Whether a server is on the list of those that are reached directly.
fn is_excluded(url: &Url, list: &str) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let host = plain_host(host);
    let port = url.port_or_known_default();
    list.split(|c: char| c == ',' || c == ';' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .any(|entry| matches_entry(entry, &host, port))
}

/// Lower case, no brackets, no dot at the end.
fn plain_host(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn matches_entry(entry: &str, host: &str, port: Option<u16>) -> bool {
    if entry == "*" {
        return true;
    }
    let (pattern, only_port) = without_port(entry);
    if only_port.is_some() && only_port != port {
        return false;
    }
    match host.parse::<IpAddr>() {
        Ok(address) => matches_address(pattern, address.to_canonical()),
        Err(_) => matches_name(pattern, host),
    }
}

/// `host:port`, `[address]:port`, or neither.
fn without_port(entry: &str) -> (&str, Option<u16>) {
    let Some((host, port)) = entry.rsplit_once(':') else {
        return (entry, None);
    };
    let is_bare_v6 = host.contains(':') && !host.ends_with(']');
    match port.parse() {
        Ok(port) if !is_bare_v6 => (host, Some(port)),
        _ => (entry, None),
    }
}

/// An address, or a network in CIDR notation.
fn matches_address(pattern: &str, address: IpAddr) -> bool {
    let (network, bits) = match pattern.split_once('/') {
        Some((network, bits)) => (network, Some(bits)),
        None => (pattern, None),
    };
    let Ok(network) = plain_host(network).parse::<IpAddr>() else {
        return bits.is_none() && plain_host(pattern) == "localhost" && address.is_loopback();
    };
    let network = network.to_canonical();
    match bits.map(str::parse::<u32>) {
        None => network == address,
        Some(Ok(bits)) => same_network(network, address, bits),
        Some(Err(_)) => false,
    }
}

fn same_network(network: IpAddr, address: IpAddr, bits: u32) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if bits <= 32 => {
            let differing = network.to_bits() ^ address.to_bits();
            differing.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if bits <= 128 => {
            let differing = network.to_bits() ^ address.to_bits();
            differing.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// A host's name, or a domain: `example.com`, `.example.com` and `*.example.com` all hold the name and all below it.
fn matches_name(pattern: &str, host: &str) -> bool {
    let pattern = plain_host(pattern);
    let domain = pattern.strip_prefix('*').unwrap_or(&pattern);
    let domain = domain.trim_start_matches('.');
    if domain.is_empty() {
        return false;
    }
    host == domain
        || host
            .strip_suffix(domain)
            .is_some_and(|before| before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(base: &str, variables: &[(&str, &str)]) -> Result<Option<String>, SetUpError> {
        let base = BaseUrl::parse(base).unwrap();
        let look_up = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(*value))
        };
        Ok(for_server(&base, look_up)?.map(|proxy| proxy.name))
    }

    fn is_direct(base: &str, no_proxy: &str) -> bool {
        let variables = [("ALL_PROXY", "proxy:3128"), ("NO_PROXY", no_proxy)];
        proxy(base, &variables).unwrap().is_none()
    }

    #[test]
    fn a_server_on_the_list_is_reached_directly() {
        for (base, list) in [
            ("https://uforge.example.com/api", "*"),
            ("https://uforge.example.com/api", "other, *"),
            ("https://uforge.example.com/api", "uforge.example.com"),
            ("https://UForge.Example.com./api", "uforge.example.COM."),
            ("https://uforge.example.com/api", "a.b,example.com"),
            ("https://uforge.example.com/api", " .example.com "),
            ("https://uforge.example.com/api", "a.b  example.com"),
            ("https://uforge.example.com/api", "*.example.com"),
            ("https://uforge.example.com/api", "uforge.example.com:443"),
            ("http://10.1.2.3:9090/ufws", "10.1.2.3"),
            ("http://10.1.2.3:9090/ufws", "10.1.2.3:9090"),
            ("http://10.1.2.3:9090/ufws", "10.0.0.0/8"),
            ("http://10.1.2.3:9090/ufws", "0.0.0.0/0"),
            ("http://[fd00::1]:8080/api", "fd00::1"),
            ("http://[fd00::1]:8080/api", "[fd00::1]"),
            ("http://[fd00::1]:8080/api", "[fd00::1]:8080"),
            ("http://[fd00::1]:8080/api", "fd00::/8"),
            ("http://[fd00::1]:8080/api", "[fd00::]/8"),
            ("http://localhost:8080/api", "localhost"),
            ("http://127.0.0.1:8080/api", "localhost"),
            ("http://[::1]:8080/api", "localhost,127.0.0.1"),
        ] {
            assert!(is_direct(base, list), "{base} {list}");
        }
    }

    #[test]
    fn every_other_server_is_reached_through_the_proxy() {
        for (base, list) in [
            ("https://uforge.example.com/api", ""),
            ("https://uforge.example.com/api", ","),
            ("https://uforge.example.com/api", "."),
            ("https://uforge.example.com/api", "ple.com"),
            ("https://uforge.example.com/api", "a.uforge.example.com"),
            ("https://uforge.example.com/api", "uforge.example.com:8443"),
            ("http://10.1.2.3:9090/ufws", "10.1.2.30"),
            ("http://10.1.2.3:9090/ufws", "10.1.2.3:80"),
            ("http://10.1.2.3:9090/ufws", "11.0.0.0/8"),
            ("http://10.1.2.3:9090/ufws", "10.0.0.0/33"),
            ("http://10.1.2.3:9090/ufws", "3"),
            ("http://[fd00::1]:8080/api", "fd01::/16"),
            ("http://[fd00::1]:8080/api", "fd00::2"),
        ] {
            assert!(!is_direct(base, list), "{base} {list}");
        }
    }

    #[test]
    fn the_variables_are_those_of_curl() {
        let (plain, tls) = ("http://h/api", "https://h/api");
        for (base, variables, expected) in [
            (plain, &[("HTTP_PROXY", "http://p:1/")][..], Some("p:1")),
            (
                plain,
                &[("HTTP_PROXY", "p"), ("http_proxy", "q:2")],
                Some("q:2"),
            ),
            (
                plain,
                &[("HTTP_PROXY", "p"), ("REQUEST_METHOD", "GET")],
                None,
            ),
            (
                plain,
                &[("http_proxy", "p"), ("REQUEST_METHOD", "GET")],
                Some("p:80"),
            ),
            (plain, &[("HTTPS_PROXY", "p")], None),
            (tls, &[("HTTP_PROXY", "p")], None),
            (tls, &[("https_proxy", "socks5h://u:s@p")], Some("p:1080")),
            (tls, &[("ALL_PROXY", "https://p")], Some("p:443")),
            (tls, &[("all_proxy", "p"), ("HTTPS_PROXY", "")], None),
            (
                tls,
                &[("HTTPS_PROXY", "p"), ("no_proxy", ""), ("NO_PROXY", "*")],
                Some("p:80"),
            ),
        ] {
            let found = proxy(base, variables).unwrap();
            assert_eq!(found.as_deref(), expected, "{base} {variables:?}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_read_is_an_error_that_names_the_variable_only() {
        for value in [
            "http://u:hunter2@",
            "ftp://u:hunter2@p",
            "http://u:hunter2@p:x",
            "://",
        ] {
            let error = proxy("http://h/api", &[("HTTP_PROXY", value)]).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains("HTTP_PROXY"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        // Where it is not used it does not matter.
        let variables = [("HTTP_PROXY", "://"), ("NO_PROXY", "h")];
        assert_eq!(proxy("http://h/api", &variables).unwrap(), None);
    }
}
