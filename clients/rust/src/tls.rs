//! TLS 1.3 as `hito/1` wants it (W1): trust, names, certificates of our own.

use std::convert::TryFrom;
use std::io::Cursor;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::{NoClientSessionStorage, ServerCertVerified, ServerCertVerifier, ServerName, WebPkiVerifier};
use rustls::{Certificate, ClientConfig, PrivateKey, RootCertStore};

use crate::error::{Code, Error};
use crate::subject::names_address;

pub(crate) const ALPN: &[u8] = b"hito/1";

/// Where Linux distributions and BSDs keep the authorities that the system trusts.
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// What the caller says about trust.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    /// PEM; the system's authorities where none.
    pub authorities: Option<Vec<u8>>,
    /// PEM of our chain and its key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// INVALID_ARGUMENT where certificates or keys cannot be used.
pub(crate) fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, Error> {
    let authorities = match &trust.authorities {
        Some(pem) => certificates(pem)?,
        None => certificates(&system_authorities()?)?,
    };
    let verifier = Arc::new(Verifier::new(authorities)?);
    let builder = ClientConfig::builder()
        .with_safe_default_cipher_suites()
        .with_safe_default_kx_groups()
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| refused(format!("TLS: {error}")))?
        .with_custom_certificate_verifier(verifier);
    let mut config = match &trust.identity {
        Some((chain, key)) => {
            let chain = certificates(chain)?.into_iter().map(Certificate).collect();
            builder
                .with_single_cert(chain, private_key(key)?)
                .map_err(|error| refused(format!("the client's certificate: {error}")))?
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Every connection shows its certificate: sessions are remembered by name alone, and several servers may have it.
    config.session_storage = Arc::new(NoClientSessionStorage {});
    Ok(Arc::new(config))
}

/// The name that a certificate must have: of a host, or an IP address.
pub(crate) fn server_name(name: &str) -> Result<ServerName, Error> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(ServerName::IpAddress(address));
    }
    ServerName::try_from(name).map_err(|_| refused(format!("{name:?} is not the name of a server")))
}

/// Holds a server's certificate to our authorities and to the name that was asked for.
struct Verifier {
    names: WebPkiVerifier,
    /// DER. For addresses, which the verifier of names does not know.
    authorities: Vec<Vec<u8>>,
}

impl Verifier {
    fn new(mut authorities: Vec<Vec<u8>>) -> Result<Verifier, Error> {
        // A system's bundle may have some that are too old for the parser.
        authorities.retain(|der| webpki::TrustAnchor::try_from_cert_der(der).is_ok());
        if authorities.is_empty() {
            return Err(refused("there is no authority to trust: no certificate can be read"));
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(&authorities);
        Ok(Verifier { names: WebPkiVerifier::new(roots, None), authorities })
    }

    fn verify_address(
        &self,
        leaf: &Certificate,
        chain: &[Certificate],
        address: &IpAddr,
        now: SystemTime,
    ) -> Result<(), webpki::Error> {
        let anchors: Vec<webpki::TrustAnchor<'_>> =
            self.authorities.iter().filter_map(|der| webpki::TrustAnchor::try_from_cert_der(der).ok()).collect();
        let chain: Vec<&[u8]> = chain.iter().map(|certificate| certificate.0.as_slice()).collect();
        let time = webpki::Time::try_from(now).map_err(|_| webpki::Error::BadDerTime)?;
        let certificate = webpki::EndEntityCert::try_from(leaf.0.as_slice())?;
        let anchors = webpki::TlsServerTrustAnchors(&anchors);
        certificate.verify_is_valid_tls_server_cert(SIGNATURES, &anchors, &chain, time)?;
        // Only now: what is not signed says nothing.
        if names_address(&leaf.0, address) {
            Ok(())
        } else {
            Err(webpki::Error::CertNotValidForName)
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &Certificate,
        intermediates: &[Certificate],
        server_name: &ServerName,
        scts: &mut dyn Iterator<Item = &[u8]>,
        ocsp_response: &[u8],
        now: SystemTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match server_name {
            ServerName::IpAddress(address) => self
                .verify_address(end_entity, intermediates, address, now)
                .map(|()| ServerCertVerified::assertion())
                .map_err(|error| rustls::Error::InvalidCertificateData(format!("invalid peer certificate: {error}"))),
            _ => self.names.verify_server_cert(end_entity, intermediates, server_name, scts, ocsp_response, now),
        }
    }
}

static SIGNATURES: &[&webpki::SignatureAlgorithm] = &[
    &webpki::ECDSA_P256_SHA256,
    &webpki::ECDSA_P256_SHA384,
    &webpki::ECDSA_P384_SHA256,
    &webpki::ECDSA_P384_SHA384,
    &webpki::ED25519,
    &webpki::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    &webpki::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    &webpki::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    &webpki::RSA_PKCS1_2048_8192_SHA256,
    &webpki::RSA_PKCS1_2048_8192_SHA384,
    &webpki::RSA_PKCS1_2048_8192_SHA512,
    &webpki::RSA_PKCS1_3072_8192_SHA384,
];

/// Whether a handshake failed because of the server's certificate.
pub(crate) fn is_certificate_refused(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(
        inner,
        Some(
            rustls::Error::InvalidCertificateData(_)
                | rustls::Error::InvalidCertificateEncoding
                | rustls::Error::InvalidCertificateSignature
                | rustls::Error::InvalidCertificateSignatureType
                | rustls::Error::NoCertificatesPresented
        )
    )
}

fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let found = rustls_pemfile::certs(&mut Cursor::new(pem))
        .map_err(|error| refused(format!("certificates that cannot be read: {error}")))?;
    if found.is_empty() {
        return Err(refused("no certificate in PEM"));
    }
    Ok(found)
}

fn private_key(pem: &[u8]) -> Result<PrivateKey, Error> {
    let items = rustls_pemfile::read_all(&mut Cursor::new(pem))
        .map_err(|error| refused(format!("a key that cannot be read: {error}")))?;
    let key = items.into_iter().find_map(|item| match item {
        rustls_pemfile::Item::PKCS8Key(der) | rustls_pemfile::Item::RSAKey(der) | rustls_pemfile::Item::ECKey(der) => {
            Some(PrivateKey(der))
        }
        _ => None,
    });
    key.ok_or_else(|| refused("no private key in PEM"))
}

fn system_authorities() -> Result<Vec<u8>, Error> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let paths = named.into_iter().chain(SYSTEM_BUNDLES.iter().map(PathBuf::from));
    for path in paths {
        if let Ok(pem) = std::fs::read(path) {
            return Ok(pem);
        }
    }
    Err(refused("the system's authorities were not found: name a file of your own (ca_file)"))
}

fn refused(text: impl Into<String>) -> Error {
    Error::new(Code::InvalidArgument, text).not_started()
}
