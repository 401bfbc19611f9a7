use std::time::Duration;

use domain::ports::ApiError;
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};

use super::message::message;
use super::refusal::retry_after;
use super::*;

fn headers(pairs: &[(reqwest::header::HeaderName, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

const WAY: Way<'_> = Way {
    host: "uforge.example.com",
    is_tls: true,
    proxy: None,
    asked_for_certificate: false,
};

fn said(content_type: &str, body: &str) -> Option<String> {
    message(&headers(&[(CONTENT_TYPE, content_type)]), body.as_bytes())
}

#[test]
fn a_status_has_one_meaning() {
    let meaning = |status: u16| {
        let status = StatusCode::from_u16(status).unwrap();
        refusal(status, &HeaderMap::new(), b"", "GET users/john", &WAY)
    };
    assert!(matches!(meaning(401), ApiError::Unauthorized { .. }));
    assert!(matches!(meaning(403), ApiError::Forbidden { .. }));
    for status in [404, 410] {
        assert!(matches!(meaning(status), ApiError::NotFound { .. }));
    }
    for status in [400, 405, 409, 415, 416, 418] {
        assert!(matches!(meaning(status), ApiError::Refused { .. }));
    }
    for status in [
        408, 420, 421, 425, 429, 449, 499, 502, 503, 504, 509, 520, 521, 522, 523, 524, 527, 529,
        530, 598, 599,
    ] {
        assert!(matches!(meaning(status), ApiError::Overloaded { .. }));
    }
    for status in [500, 501, 505, 511, 525, 526] {
        assert!(matches!(meaning(status), ApiError::ServerFault { .. }));
    }
    for status in [401, 403, 404, 410, 409, 503, 500] {
        assert_eq!(meaning(status).http_status(), Some(status));
    }
}

#[test]
fn whoever_says_when_to_come_back_means_later() {
    let later = headers(&[(RETRY_AFTER, "3")]);
    for (status, expected) in [
        (500, true),
        (409, true),
        (413, true),
        (403, false),
        (404, false),
    ] {
        let code = StatusCode::from_u16(status).unwrap();
        let error = refusal(code, &later, b"", "GET x", &WAY);
        let wait = matches!(
            error,
            ApiError::Overloaded { retry_after: Some(wait), .. } if wait == Duration::from_secs(3)
        );
        assert_eq!(wait, expected, "{error}");
    }
}

#[test]
fn what_stands_before_the_platform_is_distinguished_from_it() {
    let meaning = |status: u16, body: &str, way: &Way<'_>| {
        let status = StatusCode::from_u16(status).unwrap();
        let html = headers(&[(CONTENT_TYPE, "text/html")]);
        refusal(status, &html, body.as_bytes(), "GET status", way)
    };
    let through = Way {
        proxy: Some("proxy:3128"),
        is_tls: false,
        ..WAY
    };
    let ApiError::ProxyUnauthorized { proxy, .. } = meaning(407, "", &through) else {
        panic!()
    };
    assert_eq!(proxy, "proxy:3128");
    let nginx = "<title>400 No required SSL certificate was sent</title>";
    let error = meaning(400, nginx, &WAY);
    assert!(
        matches!(error, ApiError::ClientCertificate { .. }),
        "{error}"
    );
    let plain = Way {
        is_tls: false,
        ..WAY
    };
    for body in [
        "<title>400 The plain HTTP request was sent to HTTPS port</title>",
        "Client sent an HTTP request to an HTTPS server.",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.",
    ] {
        let error = meaning(400, body, &plain);
        assert!(error.to_string().contains("https://"), "{error}");
    }
}

#[test]
fn the_server_s_words_are_found_in_every_form() {
    let xml = "<e:uforgeError xmlns:e='u'><localizedErrorMsg><message>bad\n login</message></localizedErrorMsg></e:uforgeError>";
    assert_eq!(said("application/xml", xml).as_deref(), Some("bad login"));
    let json = r#"{"uforgeError": {"localizedErrorMsg": {"message": "bad login"}}}"#;
    assert_eq!(said("application/json", json).as_deref(), Some("bad login"));
    let page = "<!DOCTYPE html><html><head><Title lang=en>502 Bad\u{7} Gateway</TITLE></head>";
    assert_eq!(said("text/html", page).as_deref(), Some("502 Bad Gateway"));
    assert_eq!(
        said("text/plain", " no \u{1b}[31mway ").as_deref(),
        Some("no [31mway")
    );
    for nothing in [
        "",
        "\u{1b}",
        "<title>",
        "<title>x",
        "\u{130}<title></title>",
    ] {
        assert_eq!(said("text/html", nothing), None, "{nothing}");
    }
    assert_eq!(said("application/octet-stream", "junk"), None);
}

#[test]
fn the_server_s_words_are_cut_and_hold_no_credentials() {
    assert_eq!(said("text/plain", &"x".repeat(1000)).unwrap().len(), 300);
    assert_eq!(
        said(
            "text/plain",
            "GET /api?apiKey=PUB&signature=abc%3D not found"
        )
        .as_deref(),
        Some("GET /api?apiKey=…&signature=… not found")
    );
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    for (value, date, expected) in [
        ("7", None, Some(7)),
        ("Mon, 23 Nov 2026 10:01:00 GMT", None, Some(60)),
        ("Mon, 23 Nov 2026 09:00:00 GMT", None, Some(0)),
        (
            "Mon, 23 Nov 2026 10:01:00 GMT",
            Some("Mon, 23 Nov 2026 10:00:30 GMT"),
            Some(30),
        ),
        ("99999999999", None, Some(86_400)),
        ("soon", None, None),
        ("-1", None, None),
    ] {
        let mut all = headers(&[(RETRY_AFTER, value)]);
        if let Some(date) = date {
            all.insert(DATE, HeaderValue::from_str(date).unwrap());
        }
        assert_eq!(
            retry_after(&all, now).map(|wait| wait.as_secs()),
            expected,
            "{value}"
        );
    }
}

const BEHIND_A_PROXY: Way<'_> = Way {
    is_tls: false,
    proxy: Some("proxy.example.com:3128"),
    ..WAY
};

/// Without TLS to the platform, whatever fails in a handshake is the proxy's.
#[test]
fn a_proxy_that_speaks_no_tls_is_named_and_not_the_platform() {
    for error in [
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
        rustls::Error::InvalidCertificate(rustls::CertificateError::Expired),
    ] {
        let error = super::tls::no_tls(&error, "GET status".to_owned(), &BEHIND_A_PROXY);
        let ApiError::ProxyUnreachable { proxy, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(proxy, "proxy.example.com:3128");
    }
}

/// Over plain HTTP a proxy answers for a platform that it does not reach; what comes through a tunnel is the platform's.
#[test]
fn a_gateway_s_status_names_the_proxy_that_may_have_said_it() {
    let said = |status: u16, way: &Way<'_>| {
        let status = StatusCode::from_u16(status).unwrap();
        refusal(status, &HeaderMap::new(), b"", "GET status", way).to_string()
    };
    let tunnel = Way {
        is_tls: true,
        ..BEHIND_A_PROXY
    };
    for status in [502, 503, 504] {
        assert!(said(status, &BEHIND_A_PROXY).contains("or the proxy `proxy.example.com:3128`"));
        assert!(!said(status, &tunnel).contains("proxy"));
    }
    assert!(!said(429, &BEHIND_A_PROXY).contains("proxy"));
}

#[test]
fn a_proxy_that_speaks_no_http_is_named_and_not_the_platform() {
    let found = |request: &str, way: &Way<'_>| {
        super::no_answer::another_protocol(request.to_owned(), way, "invalid")
    };
    let error = found("GET status", &BEHIND_A_PROXY);
    assert!(
        matches!(&error, ApiError::ProxyRefused { proxy, .. } if proxy == "proxy.example.com:3128"),
        "{error:?}"
    );
    // A start may have worked all the same.
    let error = found("POST exports", &BEHIND_A_PROXY);
    assert!(matches!(error, ApiError::NotHttp { .. }), "{error:?}");
    // In a tunnel it is the platform that speaks.
    let tunnel = Way {
        is_tls: true,
        ..BEHIND_A_PROXY
    };
    assert!(matches!(
        found("GET status", &tunnel),
        ApiError::NotHttp { .. }
    ));
}
