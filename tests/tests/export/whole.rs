//! Everything that a person has, whoever asks for it and however it comes.

use adapters_http::Credentials;
use domain::model::Section;
use sandbox::Scenario;
use tests::kit::{Visit, small};

#[tokio::test]
async fn everything_that_the_platform_has_is_in_the_bag_byte_for_byte() {
    let mut scenario = Scenario::default();
    scenario.timing.export_millis = 20;
    let visit = Visit::to(scenario).await;
    let ended = visit.export().await;
    ended.assert_whole(&visit);
    for section in &ended.report().sections {
        assert_eq!(section.listed, section.recounted, "{}", section.section);
    }
}

/// Somebody without a workspace has no list of comments, and the page said that a list "changed meanwhile or could not be read again".
#[tokio::test]
async fn an_account_with_nothing_has_nothing_that_changed_meanwhile() {
    let mut scenario = small("");
    scenario.data.appliances = 0;
    scenario.data.software = 0;
    scenario.data.accounts = 0;
    scenario.data.others = 0;
    scenario.data.foreign_tickets = 0;
    let visit = Visit::to(scenario).await;
    let ended = visit.export().await;
    ended.assert_whole(&visit);
    for section in &ended.report().sections {
        assert_eq!(section.listed, section.recounted, "{}", section.section);
    }
}

#[tokio::test]
async fn every_way_of_signing_in_brings_the_same() {
    let mut visit = Visit::to(small("")).await;
    let people = visit.platform.platform().scenario().clone();
    let administrator = (people.administrator.login, people.administrator.password);
    for credentials in [
        Credentials::Password {
            login: people.user.login,
            password: people.user.password.into(),
        },
        Credentials::ApiKey {
            public: people.user.public_key,
            secret: people.user.secret_key.into(),
        },
        Credentials::Supervisor {
            login: administrator.0.clone(),
            password: administrator.1.clone().into(),
        },
        Credentials::Password {
            login: administrator.0,
            password: administrator.1.into(),
        },
    ] {
        visit.settings.credentials = credentials;
        visit.export().await.assert_whole(&visit);
    }
}

#[tokio::test]
async fn a_login_may_hold_anything() {
    let visit = Visit::to(small(
        r#"
        [user]
        login = "zoé o'neill/../admin?x=1#&%2e@acme"
        password = "påss:word"
        public-key = "Pk"
        secret-key = "Sk"
        "#,
    ))
    .await;
    visit.export().await.assert_whole(&visit);
}

#[tokio::test]
async fn archives_come_whole_in_every_framing() {
    for framing in ["length", "chunked", "close"] {
        let toml = format!("downloads = {{ framing = \"{framing}\" }}");
        let visit = Visit::to(small(&toml)).await;
        visit.export().await.assert_whole(&visit);
    }
}

#[tokio::test]
async fn a_list_in_pages_is_kept_page_by_page() {
    let mut scenario = small("lists = { page-cap = 2 }");
    scenario.data.appliances = 5;
    let visit = Visit::to(scenario)
        .await
        .only([Section::Appliances, Section::Scans]);
    let ended = visit.export().await;
    assert_eq!(ended.failures(), [""; 0]);
    let appliances = ended.section(Section::Appliances);
    assert_eq!(
        (appliances.listed, appliances.recounted),
        (Some(5), Some(5))
    );
    for (page, query) in [
        ("", ""),
        ("-2", "?count=2&offset=2"),
        ("-3", "?count=2&offset=4"),
    ] {
        for form in ["xml", "json"] {
            let bytes = ended
                .sink
                .bytes(&format!("data/appliances/appliances{page}.{form}"));
            let form = match form {
                "xml" => sandbox::Representation::Xml,
                _ => sandbox::Representation::Json,
            };
            let platform = visit.platform.platform();
            let sent = platform.document(&format!("users/jleaver/appliances{query}"), form);
            assert!(bytes.is_some() && bytes == sent, "page {page}");
        }
    }
}

#[tokio::test]
async fn ten_thousand_objects_come_in_pages() {
    let mut scenario = small("lists = { page-cap = 2500 }");
    scenario.data.others = 10_000;
    let visit = Visit::to(scenario).await.only([Section::Usage]);
    let ended = visit.export().await;
    assert_eq!(ended.failures(), [""; 0]);
    let usage = ended.section(Section::Usage);
    assert_eq!(
        (usage.listed, usage.recounted, usage.items),
        (Some(10_000), Some(10_000), 10_000)
    );
    for page in ["", "-2", "-3", "-4"] {
        for form in ["xml", "json"] {
            let path = format!("data/usage/usage{page}.{form}");
            assert!(ended.sink.bytes(&path).is_some(), "{path}");
        }
    }
    assert_eq!(ended.sink.state().entries.len(), 8);
}
