//! Workers that lost their lease, and did not notice.

use domain::jobs::{RunStore as _, RunStoreError};
use domain::model::Sha256;
use domain::ports::{Fact, JournalError, SinkError};
use jiff::Timestamp;

use super::kit::{Bench, FORMATS, archive, document, download, tags, write};

#[tokio::test]
async fn nothing_of_a_late_worker_is_in_the_bag() {
    for format in FORMATS {
        let bench = Bench::new(format).await;
        let late = bench.open().await;
        let content = archive(1, 100_000);
        let mut in_flight = late.sink.open_entry(download("data/b")).await.unwrap();
        write(&mut in_flight, &archive(2, 100_000)[..80_000])
            .await
            .unwrap();
        late.put(download("data/a"), &content).await.unwrap();

        let run = bench.open().await;
        assert_eq!(run.sink.resumed_receipts().len(), 1);
        write(&mut in_flight, &archive(2, 100_000)[80_000..])
            .await
            .unwrap();
        let refused = in_flight.close().await;
        assert!(matches!(refused, Err(SinkError::Lost)), "{refused:?}");
        let fact = Fact::Began {
            at: Timestamp::UNIX_EPOCH,
        };
        let refused = late.journal.record(fact).await;
        assert!(matches!(refused, Err(JournalError::Lost)));
        assert!(matches!(
            late.put(document("data/c", b""), b"").await,
            Err(SinkError::Stopped)
        ));
        assert!(
            !bench.unnamed().await.is_empty(),
            "its object is there, and nobody reads it"
        );

        let whole = archive(3, 90_000);
        run.put(download("data/b"), &whole).await.unwrap();
        run.sink.finish(Box::new(tags())).await.unwrap();
        let kept = bench.store.keep(&late.lease, &bench.settings.file).await;
        assert!(matches!(kept, Err(RunStoreError::Lost { .. })));
        let kept = bench.keep(&run.lease).await;
        let bag = bench.whole(&kept).await;
        assert_eq!(Sha256::of(&bag), kept.sha256);
        let files = bench.files(bag);
        assert!(files["data/a"] == content && files["data/b"] == whole);
        assert!(bench.unnamed().await.is_empty());
    }
}

#[tokio::test]
async fn a_late_end_completes_no_bag() {
    let bench = Bench::new(FORMATS[0]).await;
    let late = bench.open().await;
    late.put(document("data/a", b"a"), b"a").await.unwrap();
    let run = bench.open().await;
    let refused = late.sink.finish(Box::new(tags())).await;
    assert!(matches!(refused, Err(SinkError::Lost)), "{refused:?}");
    run.put(document("data/b", b"b"), b"b").await.unwrap();
    run.sink.finish(Box::new(tags())).await.unwrap();
    let kept = bench.keep(&run.lease).await;
    assert_eq!(bench.files(bench.whole(&kept).await).len(), 4);
}
