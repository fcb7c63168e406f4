//! TLS by rustls: what the configuration says, and what the broker's answer means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio_rustls::TlsConnector;

use super::error::WireError;
use crate::connection::{Address, Pem, Tls};

/// TLS as configured, ready to connect.
#[derive(Clone)]
pub(super) struct TlsSetup {
    pub(super) connector: TlsConnector,
    /// Set when a broker asked for a client certificate.
    asked: Arc<AtomicBool>,
    has_identity: bool,
}

impl TlsSetup {
    pub(super) fn build(tls: &Tls) -> Result<Self, WireError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let setting =
            |reason: rustls::Error| WireError::Setting { property: "TLS", reason: reason.to_string() };
        let versions: Vec<_> = [(tls.tls13, &rustls::version::TLS13), (tls.tls12, &rustls::version::TLS12)]
            .into_iter()
            .filter_map(|(on, version)| on.then_some(version))
            .collect();
        let web_pki =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots(tls)?), Arc::clone(&provider))
                .build()
                .map_err(|error| WireError::Setting {
                    property: "ssl.ca.location",
                    reason: error.to_string(),
                })?;
        let verifier: Arc<dyn ServerCertVerifier> =
            if tls.verify_host { web_pki } else { Arc::new(AnyHost(web_pki)) };
        let identity = match &tls.identity {
            Some((chain, key)) => Some(Arc::new(
                CertifiedKey::from_der(certificates(chain)?, private_key(key)?, &provider).map_err(
                    |error| WireError::Setting { property: "client certificate", reason: error.to_string() },
                )?,
            )),
            None => None,
        };
        let asked = Arc::new(AtomicBool::new(false));
        let has_identity = identity.is_some();
        let resolver = Identity { identity, asked: Arc::clone(&asked) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(setting)?
            // The verifier is rustls' own; only the host name's check can be left out, on request.
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::new(resolver));
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), asked, has_identity })
    }

    pub(super) fn certificate_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    pub(super) fn certificate_missing(&self) -> bool {
        self.certificate_asked() && !self.has_identity
    }

    /// What a failed handshake, or a failed first read after it, means.
    pub(super) fn explain(&self, address: &Address, error: &std::io::Error) -> Option<WireError> {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let address = address.clone();
        Some(match tls {
            Some(rustls::Error::InvalidCertificate(certificate)) => match certificate {
                CertificateError::NotValidForName => {
                    WireError::WrongHost { host: address.host.clone(), address, valid: String::new() }
                }
                CertificateError::NotValidForNameContext { presented, .. } => WireError::WrongHost {
                    host: address.host.clone(),
                    address,
                    valid: format!(" (it names {})", presented.join(", ")),
                },
                CertificateError::UnknownIssuer => WireError::UntrustedCertificate {
                    address,
                    reason: "signed by an authority that is not among the trusted ones".into(),
                },
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    WireError::UntrustedCertificate { address, reason: "it has expired".into() }
                }
                other => WireError::UntrustedCertificate { address, reason: other.to_string() },
            },
            _ if self.certificate_missing() => WireError::ClientCertificateMissing { address },
            Some(rustls::Error::AlertReceived(alert)) if self.certificate_asked() => {
                WireError::ClientCertificateRefused { address, reason: alert_words(*alert) }
            }
            Some(rustls::Error::AlertReceived(alert)) => {
                WireError::Tls { address, reason: alert_words(*alert) }
            }
            Some(rustls::Error::InvalidMessage(_)) | None => return None,
            Some(other) => WireError::Tls { address, reason: other.to_string() },
        })
    }
}

fn alert_words(alert: AlertDescription) -> String {
    format!("the broker sent the alert {alert:?}")
}

fn read(pem: &Pem, property: &'static str) -> Result<(Vec<u8>, String), WireError> {
    match pem {
        Pem::File(path) => match std::fs::read(path) {
            Ok(bytes) => Ok((bytes, path.display().to_string())),
            Err(error) => Err(WireError::File { path: path.clone(), reason: error.to_string() }),
        },
        Pem::Inline(secret) => Ok((secret.expose().as_bytes().to_vec(), property.to_owned())),
    }
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, WireError> {
    let (bytes, place) = read(pem, "ssl.ca.pem")?;
    let bad = |reason: String| WireError::File { path: place.clone().into(), reason };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| bad(format!("not PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(bad("it holds no certificate (-----BEGIN CERTIFICATE-----)".into()));
    }
    Ok(certificates)
}

fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>, WireError> {
    let (bytes, place) = read(pem, "ssl.key.pem")?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        let encrypted = bytes.windows(9).any(|window| window == b"ENCRYPTED");
        let reason = if encrypted {
            "the private key is encrypted; openssl pkcs8 -in ENCRYPTED.pem -out KEY.pem makes one that can be read"
                .to_owned()
        } else {
            format!("it holds no private key: {error}")
        };
        WireError::File { path: place.into(), reason }
    })
}

fn roots(tls: &Tls) -> Result<RootCertStore, WireError> {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = &tls.trust {
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(|error| WireError::Setting {
                property: "ssl.ca.location",
                reason: format!("a certificate cannot be used: {error}"),
            })?;
        }
        return Ok(roots);
    }
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        return Err(WireError::Setting {
            property: "ssl.ca.location",
            reason: "the system has no certificates to trust; name a PEM file".into(),
        });
    }
    Ok(roots)
}

/// Gives the configured identity, and remembers that it was asked for.
#[derive(Debug)]
struct Identity {
    identity: Option<Arc<CertifiedKey>>,
    asked: Arc<AtomicBool>,
}

impl rustls::client::ResolvesClientCert for Identity {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.identity.clone()
    }

    // `true` even without an identity, or the broker's request would go unnoticed.
    fn has_certs(&self) -> bool {
        true
    }
}

/// `ssl.endpoint.identification.algorithm=none`: everything is verified but the host's name.
#[derive(Debug)]
struct AnyHost(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.0.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
