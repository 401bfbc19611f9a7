//! An address's share of the connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::network::network;

/// Counts the connections of each address.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    most: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place for one connection. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    shares: Shares,
    network: IpAddr,
}

impl Shares {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            taken: Arc::default(),
        }
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection, unless all of this address's are taken.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Share> {
        let network = network(address);
        let mut all = self.taken();
        let taken = all.get(&network).copied().unwrap_or(0);
        if taken >= self.most {
            return None;
        }
        all.insert(network, taken + 1);
        Some(Share {
            shares: self.clone(),
            network,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = self.shares.taken();
        match all.get_mut(&self.network) {
            Some(taken) if *taken > 1 => *taken -= 1,
            _ => {
                all.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_its_share_and_another_does_not_notice() {
        let shares = Shares::new(2);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let held = [
            shares.enter(address("2001:db8::1")),
            shares.enter(address("2001:db8::2")),
        ];
        assert!(held.iter().all(Option::is_some));
        assert!(shares.enter(address("2001:db8::3")).is_none());
        assert!(shares.enter(address("2001:db8:0:1::1")).is_some());
        assert!(shares.enter(address("192.0.2.1")).is_some());
        drop(held);
        assert!(shares.taken().is_empty());
    }
}
