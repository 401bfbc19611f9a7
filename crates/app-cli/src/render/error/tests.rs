use domain::model::{ItemKind, ObjectId, UserId};
use domain::ports::{ApiError, Distrust, SinkError};
use domain::workflow::RunError;

use super::*;
use crate::credentials::CredentialsError;
use crate::error::CommandError;
use crate::render::Hint;
use crate::settings::{Origin, SettingsError};

fn shown(error: impl Into<CommandError>) -> String {
    let error = error.into();
    error_text(&error, error.hint().as_deref(), Colour::Plain)
}

fn request() -> String {
    "GET users/john".to_owned()
}

fn api_errors() -> Vec<ApiError> {
    let message = Some("what the server\u{1b}[2J said".to_owned());
    vec![
        ApiError::Unreachable {
            request: request(),
            host: "uforge.example.com:443".to_owned(),
            detail: "Connection refused".to_owned(),
        },
        ApiError::Untrusted {
            request: request(),
            host: "uforge.example.com".to_owned(),
            distrust: Distrust::UnknownIssuer,
            detail: "self-signed".to_owned(),
        },
        ApiError::Untrusted {
            request: request(),
            host: "uforge.example.com".to_owned(),
            distrust: Distrust::Expired,
            detail: "it has expired".to_owned(),
        },
        ApiError::UnknownHost {
            request: request(),
            host: "uforge.example.com".to_owned(),
            detail: "Name or service not known".to_owned(),
        },
        ApiError::ProxyUnreachable {
            request: request(),
            proxy: "proxy:3128".to_owned(),
            detail: "Connection refused".to_owned(),
        },
        ApiError::ProxyUnauthorized {
            request: request(),
            proxy: "proxy:3128".to_owned(),
        },
        ApiError::ProxyRefused {
            request: request(),
            proxy: "proxy:3128".to_owned(),
            detail: "it does not open a connection to `uforge.example.com`".to_owned(),
        },
        ApiError::NotHttp {
            request: request(),
            host: "uforge.example.com:22".to_owned(),
            detail: "what it answered is no HTTP".to_owned(),
        },
        ApiError::ClientCertificate {
            request: request(),
            host: "uforge.example.com".to_owned(),
            detail: "certificate required".to_owned(),
        },
        ApiError::NoCommonTls {
            request: request(),
            host: "uforge.example.com".to_owned(),
            detail: "no TLS version in common".to_owned(),
        },
        ApiError::NotUForge {
            request: request(),
            media_type: "text/html".to_owned(),
            expected: "XML",
        },
        ApiError::Redirected {
            request: request(),
            to: "https://login.example.com/sso".to_owned(),
        },
        ApiError::Redirected {
            request: "GET status".to_owned(),
            to: "https://uforge.example.com/api/status".to_owned(),
        },
        ApiError::Stalled {
            request: request(),
            after: std::time::Duration::from_mins(2),
        },
        ApiError::Overloaded {
            request: request(),
            status: 503,
            retry_after: None,
            proxy: None,
            message: message.clone(),
        },
        ApiError::Forbidden {
            request: request(),
            message,
        },
    ]
}

#[test]
fn what_the_platform_refuses_reads_like_this() {
    let mut text = shown(CommandError::Run(RunError::Unauthorized {
        user: "john".to_owned(),
        source: ApiError::Unauthorized {
            request: request(),
            message: Some("bad login or password".to_owned()),
        },
    }));
    for error in api_errors() {
        text.push_str(&shown(CommandError::Run(RunError::Platform(error))));
    }
    let id = |id| ObjectId::try_from(id).unwrap();
    text.push_str(&shown(CommandError::Run(RunError::UnknownIds {
        user: "john".to_owned(),
        kind: ItemKind::Appliance,
        unknown: vec![id(7)],
        possible: vec![id(201), id(202)],
    })));
    insta::assert_snapshot!(text);
}

#[test]
fn what_the_disk_refuses_reads_like_this() {
    let path = || std::path::PathBuf::from("john.zip");
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let text: String = [
        SinkError::NoSpace {
            path: path(),
            needed: Some(3 << 30),
        },
        SinkError::Io {
            action: "write",
            path: path(),
            source: denied,
        },
        SinkError::Exists { path: path() },
    ]
    .into_iter()
    .map(|error| shown(CommandError::Run(RunError::Sink(error))))
    .collect();
    insta::assert_snapshot!(text);
}

#[test]
fn what_cannot_be_meant_reads_like_this() {
    let text: String = [
        SettingsError::NoUrl,
        SettingsError::NoUser,
        SettingsError::Credentials(CredentialsError::NoPassword {
            user: "john".to_owned(),
        }),
        SettingsError::Credentials(CredentialsError::NoSecretKey {
            publickey: "PUB".to_owned(),
        }),
        SettingsError::Url {
            origin: Origin::Environment,
            source: crate::compose::server_address("uforge.example.com").unwrap_err(),
        },
        SettingsError::NotAllowed {
            key: "jobs",
            value: "0".to_owned(),
            origin: Origin::File("/etc/uforge-export/config.toml".into()),
            allowed: "from 1 to 64".to_owned(),
        },
        SettingsError::Exists {
            path: "john.zip".into(),
        },
        SettingsError::NotEncrypted {
            path: "john.zip.age".into(),
        },
    ]
    .into_iter()
    .map(|error| shown(CommandError::Settings(error)))
    .collect();
    insta::assert_snapshot!(text);
}

#[test]
fn what_cannot_be_compared_reads_like_this() {
    let bag = || std::path::PathBuf::from("john.zip");
    let url = |host: &str| format!("https://{host}/api");
    let text: String = [
        CommandError::OtherBag {
            bag: bag(),
            user: "john\u{1b}[2J".to_owned(),
            source_url: url("uforge.example.com"),
            wanted: UserId::parse("jane").unwrap(),
            wanted_url: url("uforge.example.org"),
        },
        CommandError::NotComparable { bag: bag() },
    ]
    .into_iter()
    .map(shown)
    .collect();
    insta::assert_snapshot!(text);
}

/// `plan`, standard output, an encrypted bag: the same command begins anew.
#[test]
fn no_hint_says_to_resume_where_nothing_was_kept() {
    let io = |action, path: &str| SinkError::Io {
        action,
        path: path.into(),
        source: std::io::Error::from(std::io::ErrorKind::PermissionDenied),
    };
    let overloaded = || ApiError::Overloaded {
        request: "GET status".to_owned(),
        status: 503,
        retry_after: None,
        proxy: None,
        message: None,
    };
    for error in [
        RunError::Platform(overloaded()),
        RunError::Sink(io("write", "/tmp")),
        RunError::Sink(io("write", "standard output")),
        RunError::Sink(SinkError::NoSpace {
            path: "j.zip.age".into(),
            needed: Some(3_200_000_000),
        }),
    ] {
        let text = shown(CommandError::Lost(error));
        assert!(!text.contains("resumes"), "{text}");
    }
    // The way to the platform is what is wrong, whatever the command was.
    let closed = || {
        RunError::Platform(ApiError::NoAnswer {
            request: "GET status".to_owned(),
            sent: true,
            detail: "closed".to_owned(),
        })
    };
    assert!(shown(CommandError::Lost(closed())).contains("check the URL's port"));
    let complete = || RunError::Sink(io("rename to", "j.zip"));
    for error in [
        CommandError::Lost(complete()),
        CommandError::Run(complete()),
    ] {
        let text = shown(error);
        assert!(text.contains("the complete bag was kept"), "{text}");
    }
}
