//! What somebody else's export is to a stranger: nothing, in words and in work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::jobs::{JobStoreError, MockJobStore};

use super::bench::{Answer, Bench, basic, bench, bench_reading};

const NONE: &str = "/api/v1/exports/018f3c5e-7b1a-7c3e-9d55-0a1b2c3d4e5f";
const REQUESTS: [(&str, &str); 6] = [
    ("GET", ""),
    ("DELETE", ""),
    ("GET", "/archive"),
    ("HEAD", "/archive"),
    ("GET", "/events"),
    ("POST", "/retry"),
];

async fn as_mary(bench: &Bench, method: &str, path: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", basic("mary", "secret"));
    bench.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn somebody_else_s_export_is_in_no_way_different_from_none() {
    let bench = bench().await;
    let path = bench.ready().await;
    for (method, rest) in REQUESTS {
        let theirs = as_mary(&bench, method, &format!("{path}{rest}")).await;
        let nothing = as_mary(&bench, method, &format!("{NONE}{rest}")).await;
        assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{method} {rest}");
        assert_eq!(theirs.body, nothing.body);
        let names = |answer: &Answer| {
            answer
                .headers
                .keys()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&theirs), names(&nothing));
    }
}

/// The store is asked one question, which names the owner: nothing that follows could take longer for an export that is there.
#[tokio::test]
async fn one_question_decides_whether_an_export_is_there() {
    let asked = Arc::new(AtomicUsize::new(0));
    let mut store = MockJobStore::new();
    let count = Arc::clone(&asked);
    store.expect_get().returning(move |owner, id| {
        assert_eq!(owner.as_str(), "mary");
        count.fetch_add(1, Ordering::SeqCst);
        Err(JobStoreError::Unknown { id: id.clone() })
    });
    let bench = bench_reading(Arc::new(store)).await;
    for (method, rest) in REQUESTS {
        let answer = as_mary(&bench, method, &format!("{NONE}{rest}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {rest}");
        assert_eq!(asked.swap(0, Ordering::SeqCst), 1, "{method} {rest}");
    }
}
