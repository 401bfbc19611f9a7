//! Which certificates are trusted on `https://`.
//!
//! rustls refuses a server that shows the very certificate it was configured to trust (`CaUsedAsEndEntity`, or no `subjectAltName`), which
//! is what most installations of the platform have: made by the installer, signed by itself. The verifier here takes a certificate
//! that was given as the server's own, and asks the system about all others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::config::{SetUpError, TlsTrust};

/// Whether a server has asked for a client certificate. There is none to give; but where it then ends the connection, this is why.
#[derive(Clone, Debug, Default)]
pub(crate) struct AskedForCertificate(Arc<AtomicBool>);

impl AskedForCertificate {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for AskedForCertificate {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _signature_schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The TLS client for an `https://` base.
pub(crate) fn client(
    trust: &TlsTrust,
    asked: &AskedForCertificate,
) -> Result<ClientConfig, SetUpError> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        TlsTrust::System => Arc::new(
            Verifier::new(provider.clone()).map_err(|source| SetUpError::NoCaStore { source })?,
        ),
        TlsTrust::ExtraCa(pem) => Arc::new(Given::new(certificates(pem)?, &provider)?),
        TlsTrust::AcceptAny => Arc::new(AcceptAny(provider.clone())),
    };
    let mut config = builder(provider)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(asked.clone()));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The TLS client for an `http://` base: trusts nobody, and so needs no authorities on the machine.
pub(crate) fn unused() -> Result<ClientConfig, SetUpError> {
    Ok(builder(Arc::new(ring::default_provider()))?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, SetUpError> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| SetUpError::Tls { source })
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, SetUpError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|source| SetUpError::CaFile {
            source: Some(source),
        })?;
    if found.is_empty() {
        return Err(SetUpError::CaFile { source: None });
    }
    Ok(found)
}

/// Trusts the given certificates themselves, and whatever they or the system's authorities have signed.
#[derive(Debug)]
struct Given {
    given: Vec<CertificateDer<'static>>,
    authorities: Verifier,
}

impl Given {
    fn new(
        given: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, SetUpError> {
        // A certificate of a form that no authority may have (X.509 v1) can still be the server's own.
        let roots = given
            .iter()
            .filter(|root| RootCertStore::empty().add((*root).clone()).is_ok())
            .cloned();
        let authorities = Verifier::new_with_extra_roots(roots, provider.clone())
            .map_err(|source| SetUpError::NoCaStore { source })?;
        Ok(Self { given, authorities })
    }
}

impl ServerCertVerifier for Given {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.given.iter().any(|given| given == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        self.authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities
            .verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.authorities
            .verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Trusts anybody: `--insecure`.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_http_base_needs_no_authorities() {
        assert!(unused().is_ok());
        assert!(client(&TlsTrust::AcceptAny, &AskedForCertificate::default()).is_ok());
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_refused() {
        for pem in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        ] {
            let error = client(
                &TlsTrust::ExtraCa(pem.into()),
                &AskedForCertificate::default(),
            )
            .unwrap_err();
            assert!(matches!(error, SetUpError::CaFile { .. }), "{error:?}");
        }
    }
}
