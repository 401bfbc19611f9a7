//! Which request goes wrong, and how: the scenario's rules first, then the dice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::archive::mix;
use crate::scenario::{Chaos, ChaosKind, Damage, Fault, Framing, RequestFault};

/// More resources than this are not counted one by one; the dice then start anew.
const COUNTED_RESOURCES: usize = 100_000;

/// Decides for every request, and counts what it has decided.
pub(super) struct Faults {
    rules: Vec<RequestFault>,
    chaos: Option<Chaos>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// How many requests each rule has matched.
    matched: Vec<u32>,
    resources: HashMap<String, Counts>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    requests: u64,
    in_a_row: u32,
}

/// What strikes a request.
pub(super) enum Strike {
    Rule(Fault),
    /// Which kind, and a number to draw the rest from.
    Chaos(ChaosKind, u64),
}

impl Faults {
    pub(super) fn new(rules: Vec<RequestFault>, chaos: Option<Chaos>) -> Self {
        let memory = Memory {
            matched: vec![0; rules.len()],
            resources: HashMap::new(),
        };
        Self {
            rules,
            chaos,
            memory: Mutex::new(memory),
        }
    }

    /// What strikes this request, if anything. Of several rules that match, all count and the first that is due strikes.
    pub(super) fn strike(&self, method: &str, path: &[String]) -> Option<Strike> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = None;
        for (rule, matched) in self.rules.iter().zip(&mut memory.matched) {
            if rule.request.matches(method, path) {
                *matched = matched.saturating_add(1);
                let since = (*matched + 1).saturating_sub(rule.first);
                if due.is_none() && since > 0 && rule.times.cover(since) {
                    due = Some(Strike::Rule(rule.fault.clone()));
                }
            }
        }
        due.or_else(|| self.roll(&mut memory, method, path))
    }

    fn roll(&self, memory: &mut Memory, method: &str, path: &[String]) -> Option<Strike> {
        let chaos = self.chaos.as_ref()?;
        if chaos
            .spare
            .iter()
            .any(|spared| spared.matches(method, path))
        {
            return None;
        }
        if memory.resources.len() >= COUNTED_RESOURCES {
            memory.resources.clear();
        }
        let resource = format!("{method} {}", path.join("/"));
        let label = resource
            .bytes()
            .fold(chaos.seed, |sum, byte| mix(sum ^ u64::from(byte)));
        let counts = memory.resources.entry(resource).or_default();
        counts.requests += 1;
        let dice = mix(label ^ counts.requests);
        let unlucky = share(dice) < chaos.probability && counts.in_a_row < chaos.in_a_row;
        counts.in_a_row = if unlucky { counts.in_a_row + 1 } else { 0 };
        let kinds: &[ChaosKind] = if chaos.kinds.is_empty() {
            &ChaosKind::ALL
        } else {
            &chaos.kinds
        };
        let dice = mix(dice);
        let place = usize::try_from(dice % kinds.len() as u64).unwrap_or(0);
        unlucky.then(|| Strike::Chaos(kinds[place], mix(dice)))
    }
}

/// Between 0 and 1.
#[expect(
    clippy::cast_precision_loss,
    reason = "a die needs no more than the precision of a double"
)]
fn share(dice: u64) -> f64 {
    (dice >> 11) as f64 / (1u64 << 53) as f64
}

/// What chaos does to a request before anything is known of its answer.
pub(super) fn chaotic_fault(kind: ChaosKind, dice: u64) -> Option<Fault> {
    match kind {
        ChaosKind::Reset => Some(Fault::Reset),
        ChaosKind::LostAnswer => Some(Fault::LostAnswer),
        ChaosKind::Stall if dice.is_multiple_of(2) => Some(Fault::Stall),
        ChaosKind::ServerError => {
            let status = if dice.is_multiple_of(2) { 502 } else { 503 };
            let retry_after = dice.is_multiple_of(3).then_some(0);
            Some(if dice.is_multiple_of(5) {
                Fault::ProxyError {
                    status,
                    retry_after,
                }
            } else {
                Fault::Refuse {
                    status,
                    retry_after,
                }
            })
        }
        ChaosKind::Slow => {
            let bytes_per_second = 200_000 + u32::try_from(dice % 1_000_000).unwrap_or(0);
            Some(Fault::Slow { bytes_per_second })
        }
        ChaosKind::Stall | ChaosKind::Truncate => None,
    }
}

/// What chaos does to a body of this length.
pub(super) fn chaotic_damage(
    kind: ChaosKind,
    dice: u64,
    length: u64,
    archive: bool,
) -> Option<Damage> {
    let after = mix(dice) % length.max(1);
    match kind {
        ChaosKind::Stall => Some(Damage::Stalled { after }),
        // Without framing or document around it, only an archive's own end shows that it is cut.
        ChaosKind::Truncate if archive && dice.is_multiple_of(4) => {
            Some(Damage::SilentlyTruncated {
                after,
                framing: Framing::Close,
            })
        }
        ChaosKind::Truncate => {
            let framing = if dice.is_multiple_of(2) {
                Framing::Length
            } else {
                Framing::Chunked
            };
            Some(Damage::Truncated { after, framing })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Times;
    use proptest::prelude::*;

    fn rule(request: &str, first: u32, times: Times) -> RequestFault {
        RequestFault {
            request: request.parse().unwrap(),
            first,
            times,
            fault: Fault::Reset,
        }
    }

    fn struck(faults: &Faults, path: &str) -> bool {
        let path: Vec<String> = path.split('/').map(str::to_owned).collect();
        faults.strike("GET", &path).is_some()
    }

    #[test]
    fn a_rule_strikes_from_its_first_request_on_as_often_as_it_says() {
        let faults = Faults::new(vec![rule("GET a", 2, Times::First(2))], None);
        let seen: Vec<bool> = (0..5).map(|_| struck(&faults, "a")).collect();
        assert_eq!(seen, [false, true, true, false, false]);
        assert!(!struck(&faults, "b"));
    }

    #[test]
    fn a_rule_can_strike_always() {
        let faults = Faults::new(vec![rule("* **", 1, Times::Always)], None);
        assert!((0..100).all(|_| struck(&faults, "a/b")));
    }

    fn chaos(seed: u64) -> Faults {
        let chaos = Chaos {
            seed,
            probability: 0.5,
            in_a_row: 2,
            kinds: vec![],
            spare: vec!["GET status".parse().unwrap()],
        };
        Faults::new(vec![], Some(chaos))
    }

    proptest! {
        #[test]
        fn chaos_is_the_same_for_the_same_seed_and_lets_every_third_through(seed: u64) {
            let (first, second) = (chaos(seed), chaos(seed));
            let seen: Vec<bool> = (0..50).map(|_| struck(&first, "users/jo")).collect();
            // Other requests in between change nothing.
            let again: Vec<bool> = (0..50).map(|_| { struck(&second, "other"); struck(&second, "users/jo") }).collect();
            prop_assert_eq!(&seen, &again);
            prop_assert!(seen.windows(3).all(|window| window.contains(&false)));
            prop_assert!(!struck(&first, "status"));
        }
    }

    #[test]
    fn chaos_strikes_about_as_often_as_it_should() {
        let chaos = Chaos {
            seed: 5,
            probability: 0.1,
            in_a_row: 9,
            kinds: vec![],
            spare: vec![],
        };
        let faults = Faults::new(vec![], Some(chaos));
        let count = (0..10_000).filter(|_| struck(&faults, "a")).count();
        assert!((800..1200).contains(&count), "{count}");
    }
}
