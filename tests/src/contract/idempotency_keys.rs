//! The promises of [`IdempotencyKeys`].

use std::time::Duration;

use domain::jobs::{IdempotencyKey, IdempotencyKeys, Reservation};
use domain::model::Sha256;
use domain::testing::ManualClock;
use futures_util::future::join_all;

use super::job_store::{id, user};

const DAY: Duration = Duration::from_hours(24);

fn key() -> IdempotencyKey {
    IdempotencyKey::parse("a key").expect("a key")
}

async fn reserve(
    keys: &dyn IdempotencyKeys,
    owner: &str,
    order: &[u8],
    export: u64,
) -> Reservation {
    let order = Sha256::of(order);
    let reserved = keys
        .reserve(&user(owner), &key(), &order, &id(export))
        .await;
    reserved.expect("an answer")
}

/// Of many at once one is new, the others are the same.
pub async fn a_key_is_new_once(keys: &dyn IdempotencyKeys) {
    let reserved = (1..=16).map(|export| reserve(keys, "john", b"x", export));
    let reserved = join_all(reserved).await;
    let new: Vec<u64> = (1..=16)
        .zip(&reserved)
        .filter(|(_, one)| **one == Reservation::New)
        .map(|(export, _)| export)
        .collect();
    assert_eq!(new.len(), 1);
    for one in reserved.into_iter().filter(|one| *one != Reservation::New) {
        assert_eq!(one, Reservation::Same(id(new[0])));
    }
}

/// With another order it is refused; another person's key is another one; one that was given back is new.
pub async fn a_key_stands_for_one_order_of_one_person(keys: &dyn IdempotencyKeys) {
    assert_eq!(reserve(keys, "john", b"x", 1).await, Reservation::New);
    assert_eq!(
        reserve(keys, "john", b"y", 2).await,
        Reservation::OtherOrder
    );
    assert_eq!(reserve(keys, "mary", b"y", 3).await, Reservation::New);
    keys.release(&user("john"), &key())
        .await
        .expect("it is given back");
    assert_eq!(reserve(keys, "john", b"y", 4).await, Reservation::New);
    assert_eq!(
        reserve(keys, "mary", b"y", 5).await,
        Reservation::Same(id(3))
    );
}

/// A key is kept for a day after it was reserved.
pub async fn a_key_is_kept_for_a_day(keys: &dyn IdempotencyKeys, clock: &ManualClock) {
    assert_eq!(reserve(keys, "john", b"x", 1).await, Reservation::New);
    clock.advance(DAY.saturating_sub(Duration::from_secs(1)));
    assert_eq!(
        reserve(keys, "john", b"x", 2).await,
        Reservation::Same(id(1))
    );
    assert_eq!(keys.expire().await.expect("a count"), 0);
    clock.advance(Duration::from_secs(1));
    assert_eq!(reserve(keys, "john", b"y", 3).await, Reservation::New);
    clock.advance(DAY);
    assert_eq!(keys.expire().await.expect("a count"), 1);
    assert_eq!(keys.expire().await.expect("a count"), 0);
}
