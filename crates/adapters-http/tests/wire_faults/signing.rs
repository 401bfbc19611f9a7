use adapters_http::{Credentials, SetUpError, UforgeApi};
use domain::model::{Representation, Resource, UserId};
use domain::ports::UserDataApi as _;

use crate::server::{Reply, Server};

#[tokio::test]
async fn a_key_pair_signs_the_encoded_path_and_nothing_shows_it() {
    let server = Server::replying([
        Reply::xml("<user/>"),
        Reply::answer("302 Found", "Location: /login?signature=x\r\n", b""),
        Reply::Close(Vec::new()),
    ])
    .await;
    let mut settings = server.settings();
    settings.user = UserId::parse("jürgen doe@x").unwrap();
    settings.credentials = Credentials::ApiKey {
        public: "PUBLIC".to_owned(),
        secret: "SECRET".into(),
    };
    let api = UforgeApi::new(settings).unwrap();
    let document = api
        .document(Resource::User, Representation::Xml)
        .await
        .unwrap();
    assert_eq!(document.request, "GET users/j%C3%BCrgen%20doe%40x");
    let request = &server.requests()[0];
    assert!(
        request.starts_with("GET /api/users/j%C3%BCrgen%20doe%40x?apiKey=PUBLIC&signature="),
        "{request}"
    );
    assert!(!server.heads()[0].contains("authorization"));
    for _ in 0..2 {
        let error = api
            .document(Resource::User, Representation::Xml)
            .await
            .unwrap_err();
        let shown = format!("{error} {error:?} {api:?}");
        for secret in ["SECRET", "PUBLIC", "signature"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is() {
    let server = Server::replying([]).await;
    let mut colon = server.settings();
    colon.credentials = Credentials::Password {
        login: "a:b".to_owned(),
        password: "p".into(),
    };
    assert!(matches!(
        UforgeApi::new(colon),
        Err(SetUpError::ColonInLogin { .. })
    ));
    let mut dots = server.settings();
    dots.user = UserId::parse("..").unwrap();
    assert!(matches!(
        UforgeApi::new(dots),
        Err(SetUpError::DotLogin { .. })
    ));
    assert!(server.requests().is_empty());
}
