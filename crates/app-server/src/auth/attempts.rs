//! Failed attempts, counted per address and login, so that passwords cannot be guessed through the service.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use domain::model::UserId;

use super::expiring::ExpiringMap;

/// How long a failed attempt counts.
const WINDOW: Duration = Duration::from_mins(1);
/// Failed attempts at one login from one address.
const PER_LOGIN: u32 = 5;
/// Failed attempts from one address, whatever the login. Many people may share one behind a proxy.
const PER_ADDRESS: u32 = 50;
/// Logins, and addresses, whose failed attempts are counted at the same time.
const RECORDED: usize = 4096;

/// Counts failed attempts in memory of a fixed size.
#[derive(Debug)]
pub(super) struct Attempts {
    by_login: ExpiringMap<(IpAddr, UserId), u32>,
    by_address: ExpiringMap<IpAddr, u32>,
}

impl Attempts {
    pub(super) fn new() -> Self {
        Self {
            by_login: ExpiringMap::new(RECORDED),
            by_address: ExpiringMap::new(RECORDED),
        }
    }

    /// How long this caller has to wait before the next attempt, where it has to.
    pub(super) fn wait(&self, from: IpAddr, login: &UserId, now: Duration) -> Option<Duration> {
        let network = network(from);
        let login = self
            .by_login
            .get(&(network, login.clone()), now)
            .filter(|(count, _)| **count >= PER_LOGIN);
        let address = self
            .by_address
            .get(&network, now)
            .filter(|(count, _)| **count >= PER_ADDRESS);
        [login, address]
            .into_iter()
            .flatten()
            .map(|(_, until)| until.saturating_sub(now))
            .max()
    }

    /// Records a failed attempt. A window begins with its first one.
    pub(super) fn failed(&mut self, from: IpAddr, login: &UserId, now: Duration) {
        let network = network(from);
        count(&mut self.by_login, (network, login.clone()), now);
        count(&mut self.by_address, network, now);
    }

    /// Forgets the failed attempts: the right password was given.
    pub(super) fn succeeded(&mut self, from: IpAddr, login: &UserId) {
        self.by_login.remove(&(network(from), login.clone()));
    }
}

fn count<K: std::hash::Hash + Eq + Clone>(map: &mut ExpiringMap<K, u32>, key: K, now: Duration) {
    let (count, until) = map
        .get(&key, now)
        .map_or((0, now + WINDOW), |(count, until)| (*count, until));
    map.insert(key, count.saturating_add(1), until, now);
}

/// Whoever has one IPv6 address has the 2^64 beside it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let high = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(high))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    #[test]
    fn guessing_one_password_is_slowed_down_for_the_guesser_alone() {
        let mut attempts = Attempts::new();
        let guesser: IpAddr = "2001:db8::1".parse().unwrap();
        let neighbour: IpAddr = "2001:db8::2".parse().unwrap();
        let other: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..PER_LOGIN {
            assert_eq!(attempts.wait(guesser, &login("john"), Duration::ZERO), None);
            attempts.failed(guesser, &login("john"), Duration::ZERO);
        }
        let wait = |from| attempts.wait(from, &login("john"), Duration::from_secs(1));
        assert_eq!(wait(guesser), Some(Duration::from_secs(59)));
        assert_eq!(wait(neighbour), Some(Duration::from_secs(59)));
        assert_eq!(wait(other), None);
        assert_eq!(attempts.wait(guesser, &login("john"), WINDOW), None);
    }

    #[test]
    fn trying_many_logins_from_one_address_is_slowed_down_too() {
        let mut attempts = Attempts::new();
        let from: IpAddr = "192.0.2.1".parse().unwrap();
        for number in 0..PER_ADDRESS {
            attempts.failed(from, &login(&format!("user{number}")), Duration::ZERO);
        }
        assert!(attempts.wait(from, &login("new"), Duration::ZERO).is_some());
    }
}
