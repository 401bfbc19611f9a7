//! Where a platform is.

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

    /// Whether both are on one host, whatever scheme, port and path (`http://host:9090/ufws`, `https://host/api`).
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
    fn one_host_has_many_addresses() {
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
