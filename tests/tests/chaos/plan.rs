//! What a seed means: which platform, which faults, which flags, which instants.

use sandbox::Scenario;
use sandbox::scenario::{Chaos, Framing, Ranges};

/// Replays one seed.
pub(crate) const ONE_SEED: &str = "UFORGE_EXPORT_CHAOS_SEED";
/// Runs the seeds from 1 to this number, or from one number to another: `501-1000`.
pub(crate) const MANY_SEEDS: &str = "UFORGE_EXPORT_CHAOS_SEEDS";
/// Sections of every shape: that the others are fetched alike is tested elsewhere.
pub(crate) const SELECTION: [&str; 2] = [
    "--include",
    "profile,appliances,mysoftware,cloud-accounts,ssh-keys,exports,workspaces,workspace-comments",
];
/// About how many requests an undisturbed run makes. One that goes on makes fewer: it is killed earlier.
const REQUESTS: u64 = 90;
/// What the program says when all is fetched and the bag is being closed and published.
pub(crate) const CLOSING: &str = "closing the bag";

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kill {
    pub(crate) instant: Instant,
    /// And then so long.
    pub(crate) then_micros: u64,
}

/// What is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instant {
    /// The platform has had so many requests of this run.
    Requests(u64),
    /// It says [`CLOSING`].
    Closing,
}

/// What a seed means.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) scenario: Scenario,
    pub(crate) output: &'static str,
    pub(crate) flags: Vec<String>,
    pub(crate) kills: Vec<Kill>,
}

/// The data that lie on the platform, whatever the seed.
pub(crate) fn data() -> Scenario {
    let mut scenario = tests::kit::quick();
    scenario.data.accounts = 3;
    scenario.data.others = 2;
    // Long enough that a kill can come in the middle of one, and its partial download be worth resuming.
    scenario.data.archive_bytes = 600_000;
    scenario
}

impl Plan {
    /// Whether the bag is to be encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.output.strip_suffix(".age").is_some()
    }

    /// The same seed gives the same plan.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut scenario = data();
        scenario.timing.slots = dice.pick([1, 2, 3, 4]);
        scenario.timing.export_millis = 10 + dice.below(80);
        scenario.downloads.framing = dice.pick([Framing::Length, Framing::Chunked, Framing::Close]);
        scenario.downloads.ranges = dice.pick([Ranges::Ignored, Ranges::Honoured]);
        // One in four platforms never ends what it does not answer: then only the program's own patience helps.
        let (stall_millis, silence) =
            dice.pick([(None, 2), (Some(150), 10), (Some(150), 10), (Some(150), 10)]);
        scenario.timing.stall_millis = stall_millis;
        scenario.chaos = Some(Chaos {
            seed,
            probability: 0.1,
            in_a_row: 2,
            kinds: Vec::new(),
            spare: Vec::new(),
        });
        let flags = [
            ("--timeout", silence),
            ("--jobs", 1 + dice.below(4)),
            ("--downloads", 1 + dice.below(3)),
        ];
        let kills = (1..=dice.below(6)).map(|turn| Kill {
            instant: match dice.below(5) {
                0 => Instant::Closing,
                _ => Instant::Requests(1 + dice.below(REQUESTS / turn)),
            },
            then_micros: dice.below(12_000),
        });
        let output = match seed % 7 {
            0 | 3 => "j.zip",
            1 | 4 => "j.tar",
            2 | 5 => "j.tar.gz",
            _ => "j.tar.age",
        };
        Self {
            kills: kills.collect(),
            scenario,
            output,
            flags: flags
                .into_iter()
                .flat_map(|(flag, number)| [flag.to_owned(), number.to_string()])
                .collect(),
        }
    }
}

/// Numbers from a seed (splitmix64, Steele et al. 2014).
struct Dice(u64);

impl Dice {
    /// One of these.
    fn pick<T, const N: usize>(&mut self, from: [T; N]) -> T {
        let place = usize::try_from(self.below(N as u64)).unwrap();
        from.into_iter().nth(place).unwrap()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}
