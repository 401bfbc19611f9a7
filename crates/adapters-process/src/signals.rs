//! Signals that ask a process to end.

use std::io;

/// A signal that ends a process which does not listen for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: the terminal was closed, or the connection to it was lost.
    HangUp,
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGQUIT: Ctrl-\.
    Quit,
    /// SIGTERM: what `kill`, service managers and container runtimes send.
    Terminate,
    /// Any other, by its number.
    Other(u8),
}

impl Signal {
    /// All that are listened for. SIGPIPE is not among them: Rust programs ignore it.
    #[cfg(unix)]
    fn all() -> impl Iterator<Item = Self> {
        use tokio::signal::unix::SignalKind;
        let others = [
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
            SignalKind::alarm(),
            // SIGXCPU, SIGVTALRM, SIGPROF.
            SignalKind::from_raw(24),
            SignalKind::from_raw(26),
            SignalKind::from_raw(27),
        ];
        let others = others
            .into_iter()
            .chain(of_this_system())
            .filter_map(|kind| u8::try_from(kind.as_raw_value()).ok())
            .map(Self::Other);
        [Self::HangUp, Self::Interrupt, Self::Quit, Self::Terminate]
            .into_iter()
            .chain(others)
    }

    /// Its number.
    pub fn number(self) -> u8 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Quit => 3,
            Self::Terminate => 15,
            Self::Other(number) => number,
        }
    }
}

/// What only some systems have and what ends a process all the same.
#[cfg(target_os = "linux")]
fn of_this_system() -> impl Iterator<Item = tokio::signal::unix::SignalKind> {
    // SIGSTKFLT, SIGIO, SIGPWR, and the real-time signals but those that the C library keeps for itself.
    [16, 29, 30]
        .into_iter()
        .chain(34..=64)
        .map(tokio::signal::unix::SignalKind::from_raw)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn of_this_system() -> impl Iterator<Item = tokio::signal::unix::SignalKind> {
    std::iter::empty()
}

/// SIGXFSZ: a file has reached the size that the process may write (`ulimit -f`).
#[cfg(unix)]
const FILE_TOO_LARGE: u8 = 25;

/// Listens for signals from the moment it is made.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    received: Vec<(Signal, tokio::signal::unix::Signal)>,
}

impl Signals {
    /// From now on signals no longer end the process by themselves. One that is ignored stays ignored: that is how `nohup` and a
    /// shell's `&` work. SIGTERM is always listened for.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = ignored();
        let mut received = Vec::new();
        // Nobody waits for it: with a handler the write fails instead, and that error says which file it is.
        if !is_in(ignored, FILE_TOO_LARGE) {
            drop(signal(SignalKind::from_raw(i32::from(FILE_TOO_LARGE)))?);
        }
        for wanted in Signal::all() {
            if wanted == Signal::Terminate || !is_in(ignored, wanted.number()) {
                let kind = SignalKind::from_raw(i32::from(wanted.number()));
                received.push((wanted, signal(kind)?));
            }
        }
        Ok(Self { received })
    }

    /// From now on signals no longer end the process by themselves.
    #[cfg(not(unix))]
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// The next signal.
    #[cfg(unix)]
    pub async fn next(&mut self) -> Signal {
        use std::task::Poll;
        std::future::poll_fn(|context| {
            for (signal, stream) in &mut self.received {
                if stream.poll_recv(context).is_ready() {
                    return Poll::Ready(*signal);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// The next signal.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::Interrupt
    }
}

/// Whether this signal is ignored by the process now. Where the system does not say, it is not.
pub fn is_ignored(number: u8) -> bool {
    is_in(ignored(), number)
}

/// The set of ignored signals: bit 0 is signal 1.
fn ignored() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| ignored_in(&status))
        .unwrap_or(0)
}

fn ignored_in(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn is_in(set: u64, number: u8) -> bool {
    number
        .checked_sub(1)
        .and_then(|bit| set.checked_shr(u32::from(bit)))
        .is_some_and(|rest| rest & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_systems_own_account() {
        let set = ignored_in("Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001003\n");
        let set = set.unwrap_or(0);
        for (number, expected) in [(1, true), (2, true), (3, false), (13, true), (15, false)] {
            assert_eq!(is_in(set, number), expected, "{number}");
        }
        assert_eq!(ignored_in("Name:\tx\n"), None);
        assert!(!is_in(u64::MAX, 0));
    }

    /// Sends this process a signal from outside, as `kill` does.
    #[cfg(target_os = "linux")]
    fn send(number: u8) {
        let sent = std::process::Command::new("kill")
            .arg(format!("-{number}"))
            .arg(std::process::id().to_string())
            .status();
        assert!(sent.unwrap().success());
    }

    /// One test, since a signal reaches all that listen in a process.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn signals_that_end_a_process_are_listened_for_whatever_their_name() {
        let mut signals = Signals::listen().unwrap();
        // A file that may not grow further is an error of its write, and nothing that ends the process.
        send(FILE_TOO_LARGE);
        // SIGUSR1, SIGSTKFLT, SIGIO, SIGPWR, the first and the last real-time signal.
        for number in [10, 16, 29, 30, 34, 64] {
            send(number);
            assert_eq!(signals.next().await, Signal::Other(number));
        }
    }
}
