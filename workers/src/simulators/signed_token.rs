//! Reading signed JSON tokens as Google and Apple do: three base64url parts, a known algorithm, one known key.
//!
//! Padding is accepted, as providers.md section 2 notes some clients send it. Rejected: a JWT library, which
//! refuses padded tokens before the signature is looked at.

use aws_lc_rs::signature::{UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const URL_SAFE: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::URL_SAFE, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// The header fields that matter.
#[derive(Debug, Deserialize)]
pub(crate) struct Header {
    pub(crate) alg: String,
    #[serde(default)]
    pub(crate) kid: Option<String>,
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenFault {
    Malformed,
    WrongAlgorithm,
    BadSignature,
}

/// Verifies the signature and returns header and claims; claims are not judged.
pub(crate) fn verify<C: DeserializeOwned>(
    token: &str,
    alg: &str,
    algorithm: &'static dyn VerificationAlgorithm,
    public_key: &[u8],
) -> Result<(Header, C), TokenFault> {
    let (message, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
    let (header, claims) = message.split_once('.').ok_or(TokenFault::Malformed)?;
    let header: Header = part(header)?;
    if header.alg != alg {
        return Err(TokenFault::WrongAlgorithm);
    }
    let signature = URL_SAFE.decode(signature).map_err(|_| TokenFault::Malformed)?;
    UnparsedPublicKey::new(algorithm, public_key).verify(message.as_bytes(), &signature).map_err(|_| TokenFault::BadSignature)?;
    Ok((header, part(claims)?))
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, TokenFault> {
    let bytes = URL_SAFE.decode(text).map_err(|_| TokenFault::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenFault::Malformed)
}
