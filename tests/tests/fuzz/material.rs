//! What the readers are fed with: the fuzzer's own bytes, texts put together from pieces that matter, real files that were damaged.

/// Real files, and pieces that mean something to the reader.
pub(crate) struct Material {
    real: Vec<Vec<u8>>,
    pieces: &'static [&'static str],
}

impl Material {
    pub(crate) fn new(
        real: impl IntoIterator<Item = impl Into<Vec<u8>>>,
        pieces: &'static [&'static str],
    ) -> Self {
        Self {
            real: real.into_iter().map(Into::into).collect(),
            pieces,
        }
    }

    /// The same choices make the same bytes.
    pub(crate) fn make(&self, choices: &[u8]) -> Vec<u8> {
        let mut choices = Choices(choices);
        match choices.below(8) {
            0 => choices.0.to_vec(),
            1 | 2 => self.put_together(&mut choices),
            _ => self.damaged(&mut choices),
        }
    }

    fn put_together(&self, choices: &mut Choices<'_>) -> Vec<u8> {
        let mut made = Vec::new();
        while !choices.0.is_empty() && made.len() < 4_000 {
            made.extend_from_slice(self.piece(choices).as_bytes());
        }
        made
    }

    fn piece(&self, choices: &mut Choices<'_>) -> &'static str {
        let which = choices.below(self.pieces.len());
        self.pieces.get(which).copied().unwrap_or_default()
    }

    fn damaged(&self, choices: &mut Choices<'_>) -> Vec<u8> {
        let which = choices.below(self.real.len());
        let mut bytes = self.real.get(which).cloned().unwrap_or_default();
        for _ in 0..choices.below(7) {
            let at = choices.below(bytes.len() + 1);
            let end = bytes.len().min(at + choices.below(64));
            match choices.below(7) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..end)),
                2 => drop(bytes.splice(at..at, self.piece(choices).bytes())),
                3 => drop(bytes.splice(at..end, self.piece(choices).bytes())),
                4 => bytes
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|byte| *byte ^= choices.byte()),
                5 => {
                    let again = bytes.get(at..end).unwrap_or_default();
                    let again = again.repeat(1 + choices.below(40));
                    drop(bytes.splice(at..at, again));
                }
                _ => {
                    let own = choices.take(8);
                    drop(bytes.splice(at..end, own.iter().copied()));
                }
            }
        }
        bytes
    }
}

/// Bytes read as decisions; after their end every decision is the first.
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn take(&mut self, many: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(many.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A number below this one; 0 below 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let digits = if limit <= 256 { 1 } else { 3 };
        let number = self
            .take(digits)
            .iter()
            .fold(0, |number, byte| number << 8 | usize::from(*byte));
        number.checked_rem(limit).unwrap_or(0)
    }
}
