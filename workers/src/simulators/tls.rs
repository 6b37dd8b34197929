//! The test authority and the server side of TLS for APNs and STARTTLS.
//!
//! Guarantee: the authority is stable across starts with a state folder; the server certificate is made anew at
//! each start for `localhost`, 127.0.0.1 and ::1. Rejected: one self-signed server certificate, which clients can
//! only accept by switching verification off.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::config::SimulatorError;
use super::credentials::broken;

/// A certificate authority that exists for the simulators only.
pub(crate) struct TestAuthority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl TestAuthority {
    fn params() -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Bongsu simulators test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
    }

    pub(crate) fn generate() -> Result<Self, SimulatorError> {
        let params = Self::params();
        let key = KeyPair::generate().map_err(broken)?;
        let pem = params.self_signed(&key).map_err(broken)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    /// The authority of an earlier start. Its name is ours, so it need not be parsed back from the certificate.
    pub(crate) fn from_pem(pem: String, key_pem: &str) -> Result<Self, SimulatorError> {
        let key = KeyPair::from_pem(key_pem).map_err(broken)?;
        let params = Self::params();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    pub(crate) fn certificate_pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// TLS for a server on loopback, offering the given application protocols.
    pub(crate) fn server_config(&self, alpn: &[&[u8]]) -> Result<Arc<ServerConfig>, SimulatorError> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).map_err(broken)?;
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(broken)?;
        let leaf = params.signed_by(&key, &self.issuer).map_err(broken)?;
        let chain = vec![CertificateDer::from(leaf.der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(broken)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(broken)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(broken)?;
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }
}
