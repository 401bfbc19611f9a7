//! Closing the gaps between members when the bag is finished: no reader accepts unknown bytes there.
//!
//! Invariant: at every instant each member is whole at the place that the journal records. A member is copied to where no recorded member
//! is, the copy is flushed, the journal records it, and only then may its former place be written over. So a kill at any instant
//! leaves a container that the next run can finish, and nothing is moved in small steps that overlap.
//!
//! The first gap is filled with what follows it. What is longer than the gap goes to the container's end first, which makes the gap
//! longer; so no member is moved more than twice. A flush is paid for each step, not for each member: a gap that is too short for a
//! step that is worth it is made longer in the same way.

use crate::container::Span;

/// A gap is filled when it has this length, or takes all that is left.
const LEAST_BYTES: u64 = 16 * 1024 * 1024;

/// A member that is to be copied to another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// Which, in the list that was given.
    pub(super) member: usize,
    pub(super) from: Span,
    pub(super) to: Span,
}

/// What is to be moved next, all of it to where nothing is now; nothing where there is no gap.
pub(super) fn next_moves(members: &[Span], least: u64) -> Vec<Move> {
    let mut in_order: Vec<(Span, usize)> = members.iter().copied().zip(0..).collect();
    in_order.sort();
    let mut filled = 0;
    let mut behind = in_order.as_slice();
    while let Some(((span, _), rest)) = behind.split_first() {
        if span.offset > filled {
            break;
        }
        filled = filled.max(span.end);
        behind = rest;
    }
    let (Some((following, _)), Some((furthest, _))) = (behind.first(), behind.last()) else {
        return Vec::new();
    };
    let to_gap = moves_to(filled, behind, |moved| filled + moved <= following.offset);
    let is_long_enough = following.offset - filled >= least || to_gap.len() == behind.len();
    if is_long_enough && !to_gap.is_empty() {
        return to_gap;
    }
    let mut before = 0;
    moves_to(furthest.end, behind, |moved| {
        let is_first = before == 0;
        std::mem::replace(&mut before, moved) < least || is_first
    })
}

/// The default of [`next_moves`].
pub(super) fn next(members: &[Span]) -> Vec<Move> {
    next_moves(members, LEAST_BYTES)
}

/// Moves these members one behind the other, as many as `fits` allows, which is asked with the bytes that are then moved in all.
fn moves_to(
    offset: u64,
    members: &[(Span, usize)],
    mut fits: impl FnMut(u64) -> bool,
) -> Vec<Move> {
    let mut in_all = 0;
    let mut moves = Vec::new();
    for &(from, member) in members {
        let Some(to) = from.moved_to(offset + in_all) else {
            break;
        };
        in_all += from.length();
        if !fits(in_all) {
            break;
        }
        moves.push(Move { member, from, to });
    }
    moves
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Does all steps with real bytes; returns how many there were and how many bytes were copied.
    fn close(members: &mut [Span], bytes: &mut Vec<u8>, least: u64) -> (usize, u64) {
        let (mut steps, mut copied) = (0, 0);
        loop {
            let moves = next_moves(members, least);
            if moves.is_empty() {
                return (steps, copied);
            }
            for (number, step) in moves.iter().enumerate() {
                assert_eq!(step.from, members[step.member]);
                assert_eq!(step.from.length(), step.to.length());
                // A kill now leaves every member whole where it is recorded.
                assert!(members.iter().all(|member| !member.overlaps(step.to)));
                let others = moves[..number].iter();
                assert!(others.into_iter().all(|other| !other.to.overlaps(step.to)));
            }
            for step in &moves {
                let range = |span: Span| {
                    usize::try_from(span.offset).unwrap()..usize::try_from(span.end).unwrap()
                };
                bytes.resize(bytes.len().max(range(step.to).end), 0);
                bytes.copy_within(range(step.from), range(step.to).start);
                members[step.member] = step.to;
                copied += step.to.length();
            }
            steps += 1;
            assert!(steps < 1000, "it never ends");
        }
    }

    /// Members of these lengths behind gaps of these lengths, in a random order.
    fn container(lengths: &[(u64, u64)], turn: usize) -> (Vec<Span>, Vec<u8>) {
        let mut at = 0;
        let mut bytes = Vec::new();
        let mut members = Vec::new();
        for (number, &(gap, length)) in lengths.iter().enumerate() {
            let offset = at + gap;
            at = offset + length;
            members.push(Span { offset, end: at });
            bytes.resize(usize::try_from(offset).unwrap(), 0xFF);
            let byte = u8::try_from(number).unwrap();
            bytes.resize(usize::try_from(at).unwrap(), byte);
        }
        let length = members.len();
        members.rotate_left(turn % length.max(1));
        (members, bytes)
    }

    #[test]
    fn where_there_is_no_gap_nothing_is_moved() {
        let (members, _) = container(&[(0, 5), (0, 0), (0, 9)], 1);
        assert_eq!(next_moves(&members, 1), []);
        assert_eq!(next_moves(&[], 1), []);
    }

    #[test]
    fn what_fits_is_moved_once_and_together() {
        let (mut members, mut bytes) = container(&[(100, 40), (0, 30), (0, 30), (0, 60)], 0);
        assert_eq!(close(&mut members, &mut bytes, 1), (2, 160));
        assert_eq!(
            members[3],
            Span {
                offset: 100,
                end: 160
            }
        );
    }

    #[test]
    fn what_is_longer_than_the_gap_is_moved_twice() {
        let (mut members, mut bytes) = container(&[(0, 5), (1, 100), (0, 3)], 0);
        assert_eq!(close(&mut members, &mut bytes, 1), (3, 203));
    }

    #[test]
    fn many_small_members_behind_a_small_gap_cost_few_flushes() {
        let lengths: Vec<_> = (0..200)
            .map(|number| (u64::from(number == 0), 50))
            .collect();
        let (mut members, mut bytes) = container(&lengths, 0);
        let (steps, copied) = close(&mut members, &mut bytes, 1000);
        assert!(steps <= 12, "{steps}");
        assert!(copied <= 200 * 50 + 2000, "{copied}");
    }

    proptest! {
        #[test]
        fn all_members_are_one_behind_the_other_in_the_end_and_whole(
            lengths in proptest::collection::vec((0..60_u64, 0..100_u64), 0..20),
            turn in 0..20_usize,
            least in 0..300_u64,
        ) {
            let (mut members, mut bytes) = container(&lengths, turn);
            let before: Vec<Vec<u8>> = members.iter().map(|span| {
                bytes[usize::try_from(span.offset).unwrap()..usize::try_from(span.end).unwrap()].to_vec()
            }).collect();
            let all: u64 = members.iter().map(|span| span.length()).sum();
            let (_, copied) = close(&mut members, &mut bytes, least);
            for (span, before) in members.iter().zip(&before) {
                let now = &bytes[usize::try_from(span.offset).unwrap()..usize::try_from(span.end).unwrap()];
                prop_assert!(now == before.as_slice());
            }
            let mut sorted = members.clone();
            sorted.sort();
            let mut at = 0;
            for span in sorted {
                prop_assert_eq!(span.offset, at);
                at = span.end;
            }
            prop_assert_eq!(at, all);
            prop_assert!(copied <= 2 * all);
        }
    }
}
