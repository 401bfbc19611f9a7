//! Failed attempts, counted by address and login, by address, and by login, so that passwords cannot be guessed through the
//! service, from one place or from many.

use std::net::IpAddr;
use std::time::Duration;

use domain::model::UserId;

use super::expiring::ExpiringMap;
use crate::network::network;

/// How long a failed attempt from an address counts.
const WINDOW: Duration = Duration::from_mins(1);
/// Failed attempts at one login from one address.
const PER_PAIR: u32 = 5;
/// Failed attempts at one login from an address from which it has signed in before.
const PER_KNOWN_PAIR: u32 = 20;
/// Failed attempts from one address, whatever the login. Many people may share one behind a proxy.
const PER_ADDRESS: u32 = 50;
/// How long a failed attempt at a login counts, wherever it comes from.
const LOGIN_WINDOW: Duration = Duration::from_mins(15);
/// Failed attempts at one login from all addresses.
const PER_LOGIN: u32 = 30;
/// How long it is known from where a login has signed in.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);
/// Entries of each kind at the same time.
const RECORDED: usize = 16_384;

/// A login as it is counted: platforms that ignore case and outer blanks give one account many spellings.
type Spelling = String;

/// Counts failed attempts in memory of a fixed size.
#[derive(Debug)]
pub(super) struct Attempts {
    by_pair: ExpiringMap<(IpAddr, Spelling), u32>,
    by_address: ExpiringMap<IpAddr, u32>,
    by_login: ExpiringMap<Spelling, u32>,
    known: ExpiringMap<(IpAddr, Spelling), ()>,
}

impl Attempts {
    pub(super) fn new() -> Self {
        Self {
            by_pair: ExpiringMap::new(RECORDED),
            by_address: ExpiringMap::new(RECORDED),
            by_login: ExpiringMap::new(RECORDED),
            known: ExpiringMap::new(RECORDED),
        }
    }

    /// How long this caller has to wait before the next attempt, where they have to. What others do from elsewhere, or with other
    /// logins, does not hold up whoever comes from an address from which they have signed in before.
    pub(super) fn wait(&self, from: IpAddr, login: &UserId, now: Duration) -> Option<Duration> {
        let network = network(from);
        let pair = (network, spelling(login));
        let is_known = self.known.get(&pair, now).is_some();
        let per_pair = if is_known { PER_KNOWN_PAIR } else { PER_PAIR };
        let own = self.by_pair.get(&pair, now).over(per_pair);
        let others = [
            self.by_address.get(&network, now).over(PER_ADDRESS),
            self.by_login.get(&pair.1, now).over(PER_LOGIN),
        ];
        let others = others.into_iter().flatten().filter(|_| !is_known);
        let until = own.into_iter().chain(others).max()?;
        Some(until.saturating_sub(now))
    }

    /// Records a failed attempt. A window begins with its first one.
    pub(super) fn failed(&mut self, from: IpAddr, login: &UserId, now: Duration) {
        let network = network(from);
        let login = spelling(login);
        count(&mut self.by_pair, (network, login.clone()), WINDOW, now);
        count(&mut self.by_address, network, WINDOW, now);
        count(&mut self.by_login, login, LOGIN_WINDOW, now);
    }

    /// The right password was given: forgets the failed attempts of this caller, and records where they are.
    pub(super) fn succeeded(&mut self, from: IpAddr, login: &UserId, now: Duration) {
        let pair = (network(from), spelling(login));
        self.by_pair.remove(&pair);
        self.known.insert(pair, (), now + KNOWN_FOR, now);
    }
}

/// A count and when it runs out.
trait Counted {
    /// When it runs out, where it has reached the limit.
    fn over(self, limit: u32) -> Option<Duration>;
}

impl Counted for Option<(&u32, Duration)> {
    fn over(self, limit: u32) -> Option<Duration> {
        self.filter(|(count, _)| **count >= limit)
            .map(|(_, until)| until)
    }
}

fn count<K: std::hash::Hash + Eq + Clone>(
    map: &mut ExpiringMap<K, u32>,
    key: K,
    window: Duration,
    now: Duration,
) {
    let (count, until) = map
        .get(&key, now)
        .map_or((0, now + window), |(count, until)| (*count, until));
    map.insert(key, count.saturating_add(1), until, now);
}

fn spelling(login: &UserId) -> Spelling {
    login.as_str().trim().to_lowercase()
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
        for _ in 0..PER_PAIR {
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

    #[test]
    fn guessing_one_password_from_many_addresses_shuts_its_owner_out_of_no_usual_place() {
        let mut attempts = Attempts::new();
        let home: IpAddr = "192.0.2.1".parse().unwrap();
        let elsewhere: IpAddr = "192.0.2.2".parse().unwrap();
        attempts.succeeded(home, &login("john"), Duration::ZERO);
        for number in 0..PER_LOGIN {
            let from = IpAddr::V4((0x0a00_0000 + number).into());
            // Another spelling is the same account.
            let spelling = if number % 2 == 0 { "john" } else { "JOHN" };
            attempts.failed(from, &login(spelling), Duration::ZERO);
        }
        let wait = |from, name: &str| attempts.wait(from, &login(name), Duration::ZERO);
        assert_eq!(wait(elsewhere, "john"), Some(LOGIN_WINDOW));
        assert_eq!(wait(home, "john"), None);
        assert_eq!(wait(elsewhere, "mary"), None);
    }

    #[test]
    fn an_address_that_is_known_is_no_way_to_guess_without_end() {
        let mut attempts = Attempts::new();
        let home: IpAddr = "192.0.2.1".parse().unwrap();
        attempts.succeeded(home, &login("john"), Duration::ZERO);
        for _ in 0..PER_KNOWN_PAIR {
            assert_eq!(attempts.wait(home, &login("john"), Duration::ZERO), None);
            attempts.failed(home, &login("john"), Duration::ZERO);
        }
        assert!(
            attempts
                .wait(home, &login("john"), Duration::ZERO)
                .is_some()
        );
    }
}
