//! The header of a gzip member: read to know where it ends.

use flate2::Crc;

use crate::ports::CheckFailure;

/// A member's header (RFC 1952 §2.3), read byte by byte: of its fields only those that say its length are kept.
pub(super) struct Header {
    stranger: CheckFailure,
    part: HeaderPart,
    flags: u8,
    sum: Crc,
}

#[derive(Clone, Copy)]
enum HeaderPart {
    Fixed(usize),
    ExtraLengthLow,
    ExtraLengthHigh(u8),
    Extra(u16),
    Name,
    Comment,
    SumLow,
    SumHigh(u8),
}

pub(super) const FLAG_SUM: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;
const FLAGS_RESERVED: u8 = 0b1110_0000;
const FIXED_BYTES: usize = 10;

impl Header {
    /// The first member's: a stranger is no gzip at all.
    pub(super) fn first() -> Self {
        Self::where_a_stranger_is(CheckFailure::NotGzip)
    }

    /// A further member's: a stranger is what follows the end.
    pub(super) fn further() -> Self {
        Self::where_a_stranger_is(CheckFailure::TrailingBytes)
    }

    fn where_a_stranger_is(stranger: CheckFailure) -> Self {
        Self {
            stranger,
            part: HeaderPart::Fixed(0),
            flags: 0,
            sum: Crc::new(),
        }
    }

    /// Reads on; true when the header has ended.
    pub(super) fn take(&mut self, chunk: &mut &[u8]) -> Result<bool, CheckFailure> {
        while let Some((&byte, rest)) = chunk.split_first() {
            *chunk = rest;
            match self.take_byte(byte)? {
                Some(part) => self.part = part,
                None => return Ok(true),
            }
        }
        Ok(false)
    }

    fn take_byte(&mut self, byte: u8) -> Result<Option<HeaderPart>, CheckFailure> {
        // The header's own sum covers all of it but itself.
        let sum_before = (self.sum.sum() & 0xffff).to_le_bytes();
        self.sum.update(&[byte]);
        Ok(match self.part {
            HeaderPart::Fixed(at) => {
                self.check_fixed(at, byte)?;
                if at + 1 < FIXED_BYTES {
                    Some(HeaderPart::Fixed(at + 1))
                } else {
                    self.after_fixed()
                }
            }
            HeaderPart::ExtraLengthLow => Some(HeaderPart::ExtraLengthHigh(byte)),
            HeaderPart::ExtraLengthHigh(low) => match u16::from_le_bytes([low, byte]) {
                0 => self.after_extra(),
                length => Some(HeaderPart::Extra(length)),
            },
            HeaderPart::Extra(1) => self.after_extra(),
            HeaderPart::Extra(left) => Some(HeaderPart::Extra(left - 1)),
            HeaderPart::Name if byte == 0 => self.after_name(),
            HeaderPart::Comment if byte == 0 => self.after_comment(),
            HeaderPart::Name | HeaderPart::Comment => Some(self.part),
            HeaderPart::SumLow if byte == sum_before[0] => Some(HeaderPart::SumHigh(sum_before[1])),
            HeaderPart::SumHigh(expected) if byte == expected => None,
            HeaderPart::SumLow | HeaderPart::SumHigh(_) => return Err(CheckFailure::Damaged),
        })
    }

    fn check_fixed(&mut self, at: usize, byte: u8) -> Result<(), CheckFailure> {
        match (at, byte) {
            (0, 0x1f) | (1, 0x8b) | (2, 8) => Ok(()),
            (0..=2, _) => Err(self.stranger.clone()),
            (3, flags) if flags & FLAGS_RESERVED != 0 => Err(CheckFailure::Damaged),
            (3, flags) => {
                self.flags = flags;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn after_fixed(&self) -> Option<HeaderPart> {
        if self.flags & FLAG_EXTRA != 0 {
            Some(HeaderPart::ExtraLengthLow)
        } else {
            self.after_extra()
        }
    }

    fn after_extra(&self) -> Option<HeaderPart> {
        if self.flags & FLAG_NAME != 0 {
            Some(HeaderPart::Name)
        } else {
            self.after_name()
        }
    }

    fn after_name(&self) -> Option<HeaderPart> {
        if self.flags & FLAG_COMMENT != 0 {
            Some(HeaderPart::Comment)
        } else {
            self.after_comment()
        }
    }

    fn after_comment(&self) -> Option<HeaderPart> {
        (self.flags & FLAG_SUM != 0).then_some(HeaderPart::SumLow)
    }
}
