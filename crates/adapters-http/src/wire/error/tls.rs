//! What it means that a TLS handshake failed.

use domain::ports::{ApiError, Distrust};
use rustls::{AlertDescription, CertificateError};

use super::message::plain;
use super::way::Way;

/// A TLS handshake that failed, or a TLS connection that the server ended with its reason.
pub(super) fn no_tls(error: &rustls::Error, request: String, way: &Way<'_>) -> ApiError {
    if let (false, Some(proxy)) = (way.is_tls, way.proxy) {
        return of_proxy(error, request, proxy);
    }
    let host = way.host.to_owned();
    let wants_certificate = matches!(
        error,
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired)
    ) || (way.asked_for_certificate
        && matches!(error, rustls::Error::AlertReceived(_)));
    if wants_certificate {
        return ApiError::ClientCertificate {
            request,
            host,
            detail: plain(&error.to_string()),
        };
    }
    match error {
        rustls::Error::InvalidMessage(_) => ApiError::Unreachable {
            request,
            host,
            detail: "it does not speak TLS on this port; its URL may begin with `http://`".to_owned(),
        },
        rustls::Error::InvalidCertificate(certificate) => ApiError::Untrusted {
            request,
            host,
            distrust: distrust(certificate),
            detail: distrusted_certificate(certificate),
        },
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity,
        ) => ApiError::NoCommonTls {
            request,
            host,
            detail: "the server and this program have no TLS version or cipher in common (TLS 1.2 with ECDHE is the oldest supported)".to_owned(),
        },
        other => ApiError::NoCommonTls {
            request,
            host,
            detail: plain(&other.to_string()),
        },
    }
}

/// The only TLS on the way is the proxy's.
fn of_proxy(error: &rustls::Error, request: String, proxy: &str) -> ApiError {
    let detail = match error {
        rustls::Error::InvalidMessage(_) => {
            "it does not speak TLS on this port; its URL may begin with `http://`".to_owned()
        }
        rustls::Error::InvalidCertificate(certificate) => format!(
            "its certificate is not trusted: {}",
            distrusted_certificate(certificate)
        ),
        other => plain(&other.to_string()),
    };
    ApiError::ProxyUnreachable {
        request,
        proxy: proxy.to_owned(),
        detail,
    }
}

fn distrust(error: &CertificateError) -> Distrust {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Distrust::NotValidYet
        }
        CertificateError::UnknownIssuer => Distrust::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Distrust::WrongHost
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            Distrust::UnknownIssuer
        }
        _ => Distrust::Other,
    }
}

fn distrusted_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::UnknownIssuer => {
            "it is signed by an authority that is not trusted here, or by itself".to_owned()
        }
        CertificateError::NotValidForName => "it is made out to another host".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => plain(&format!(
            "it is made out to another host: {}",
            presented.join(", ")
        )),
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "it is signed by itself, and not one that was given as trusted".to_owned()
        }
        other => plain(&other.to_string()),
    }
}
