//! One refused sign-in is one request, however many are wanted at the same time.

use adapters_http::{ApiSettings, Credentials, UforgeApi};
use domain::model::{ListResource, Page, Representation, Resource};
use domain::ports::{ApiError, UserDataApi as _};
use futures_util::future::join_all;

use crate::server::{Reply, Server};

fn credentials() -> [Credentials; 3] {
    let login = || "john".to_owned();
    [
        Credentials::Password {
            login: login(),
            password: "wrong".into(),
        },
        Credentials::Supervisor {
            login: login(),
            password: "wrong".into(),
        },
        Credentials::ApiKey {
            public: login(),
            secret: "wrong".into(),
        },
    ]
}

async fn many(api: &UforgeApi) -> Vec<Result<(), ApiError>> {
    let wanted = [
        Resource::User,
        Resource::List(ListResource::Appliances, Page::Whole),
        Resource::List(ListResource::MySoftware, Page::Whole),
        Resource::List(ListResource::Roles, Page::Whole),
    ];
    let asked = wanted.map(|what| api.document(what, Representation::Xml));
    let answers = join_all(asked).await.into_iter();
    answers.map(|answer| answer.map(drop)).collect()
}

#[tokio::test]
async fn a_refused_sign_in_is_sent_once() {
    for credentials in credentials() {
        for status in ["401 Unauthorized", "407 Proxy Authentication Required"] {
            let server = Server::replying([Reply::answer(status, "", b"")]).await;
            let api = UforgeApi::new(ApiSettings {
                credentials: credentials.clone(),
                ..server.settings()
            })
            .unwrap();
            for answer in many(&api).await.into_iter().chain(many(&api).await) {
                assert!(
                    matches!(
                        answer,
                        Err(ApiError::Unauthorized { .. } | ApiError::ProxyUnauthorized { .. })
                    ),
                    "{answer:?}"
                );
            }
            assert_eq!(server.heads().len(), 1, "{credentials:?} {status}");
        }
    }
}

#[tokio::test]
async fn a_busy_server_has_not_accepted_anybody() {
    let busy = Reply::answer("503 Service Unavailable", "", b"");
    let server = Server::replying([busy, Reply::answer("401 Unauthorized", "", b"")]).await;
    assert!(many(&server.api()).await.iter().all(Result::is_err));
    assert_eq!(server.heads().len(), 2);
}

#[tokio::test]
async fn a_password_that_is_changed_meanwhile_is_not_tried_again() {
    let server = Server::replying([
        Reply::xml("<user/>"),
        Reply::answer("401 Unauthorized", "", b""),
    ])
    .await;
    let api = server.api();
    api.document(Resource::User, Representation::Xml)
        .await
        .unwrap();
    assert!(
        api.document(Resource::User, Representation::Xml)
            .await
            .is_err()
    );
    many(&api).await;
    assert_eq!(server.heads().len(), 2);
}
