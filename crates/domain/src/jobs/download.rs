//! Who fetched which part of a bag.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::UserId;

/// One download of a bag by one person from one address, however many ranges it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadRecord {
    /// When its last transfer ended.
    pub at: Timestamp,
    /// Who fetched it.
    pub by: UserId,
    /// The network address that it went to.
    pub from: String,
    /// The first byte that was asked for, the lowest of all its transfers.
    pub offset: u64,
    /// Bytes handed over, all transfers together.
    pub bytes: u64,
    /// Transfers that belong to it.
    pub transfers: u64,
    /// Whether the last byte of the bag was handed over and no byte before it is missing.
    pub complete: bool,
    /// Parts that were handed over, as half-open ranges in order that do not touch: at most
    /// [`DownloadRecord::PARTS`].
    #[serde(default)]
    pub parts: Vec<(u64, u64)>,
}

/// One transfer of a bag, or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// When it ended.
    pub at: Timestamp,
    /// Who fetched it.
    pub by: UserId,
    /// The network address that it went to.
    pub from: String,
    /// The first byte asked for.
    pub offset: u64,
    /// Bytes handed over.
    pub bytes: u64,
    /// Size of the whole bag.
    pub size: u64,
}

impl DownloadRecord {
    /// Transfers by the same person from the same address belong together while no more than this passes between them.
    pub const PAUSE: Duration = Duration::from_hours(1);
    /// Parts that are kept apart. More are joined with the bytes between them counted as missing for ever.
    pub const PARTS: usize = 64;

    /// The record of a first transfer.
    pub fn of(transfer: Transfer) -> Self {
        let mut record = Self {
            at: transfer.at,
            by: transfer.by.clone(),
            from: transfer.from.clone(),
            offset: transfer.offset,
            bytes: 0,
            transfers: 0,
            complete: false,
            parts: Vec::new(),
        };
        record.add(&transfer);
        record
    }

    /// Whether a transfer belongs to this download.
    pub fn takes(&self, transfer: &Transfer) -> bool {
        let pause = transfer.at.duration_since(self.at);
        self.by == transfer.by
            && self.from == transfer.from
            && pause.unsigned_abs() <= Self::PAUSE
            && !(self.complete && transfer.offset == 0)
    }

    /// Adds a transfer.
    pub fn add(&mut self, transfer: &Transfer) {
        self.at = self.at.max(transfer.at);
        self.offset = self.offset.min(transfer.offset);
        self.bytes = self.bytes.saturating_add(transfer.bytes);
        self.transfers = self.transfers.saturating_add(1);
        let end = transfer.offset.saturating_add(transfer.bytes);
        if transfer.bytes > 0 && self.parts.len() < Self::PARTS {
            self.parts.push((transfer.offset, end));
            self.join_parts();
        }
        self.complete |= self.parts == [(0, transfer.size)];
    }

    fn join_parts(&mut self) {
        self.parts.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::with_capacity(self.parts.len());
        for (start, end) in self.parts.drain(..) {
            match joined.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        self.parts = joined;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(second: i64, offset: u64, bytes: u64) -> Transfer {
        Transfer {
            at: Timestamp::from_second(second).unwrap(),
            by: UserId::parse("john").unwrap(),
            from: "192.0.2.7".to_owned(),
            offset,
            bytes,
            size: 100,
        }
    }

    #[test]
    fn a_download_in_ranges_is_one_and_complete_when_every_byte_went() {
        let mut record = DownloadRecord::of(transfer(1, 50, 50));
        assert!(!record.complete);
        record.add(&transfer(2, 0, 20));
        assert!(!record.complete);
        record.add(&transfer(3, 10, 40));
        assert!(record.complete);
        assert_eq!((record.offset, record.bytes, record.transfers), (0, 110, 3));
    }

    #[test]
    fn the_end_alone_is_no_whole_download() {
        assert!(!DownloadRecord::of(transfer(1, 99, 1)).complete);
    }

    #[test]
    fn another_person_a_long_pause_or_a_second_whole_download_is_another_record() {
        let whole = DownloadRecord::of(transfer(1, 0, 100));
        assert!(!whole.takes(&transfer(2, 0, 100)));
        assert!(whole.takes(&transfer(2, 10, 1)));
        assert!(!whole.takes(&transfer(4_000, 10, 1)));
        let mary = Transfer {
            by: UserId::parse("mary").unwrap(),
            ..transfer(2, 10, 1)
        };
        assert!(!whole.takes(&mary));
    }

    #[test]
    fn a_thousand_ranges_cost_no_more_than_a_few() {
        let mut record = DownloadRecord::of(transfer(1, 0, 1));
        for number in 0..1000 {
            record.add(&Transfer {
                size: 10_000,
                ..transfer(2, number * 2, 1)
            });
        }
        assert!(record.parts.len() <= DownloadRecord::PARTS);
        assert_eq!(record.transfers, 1001);
    }
}
