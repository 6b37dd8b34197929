//! What lets a sender put one file into the store, without a login: a credential of an hour for bytes of one size and
//! type.
//!
//! Guarantee: like every link it is read from itself on any replica, and it is none of the other links: its purpose is
//! signed into it. Whoever uses it twice uploads the same or is told off by its size. Rejected: the store's own
//! pre-signed address, which a local folder does not have, and past which nobody looks at what comes.

use super::token::{KEY_VERSION, LONGEST, MAC};
use super::{LinkError, Links};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::values::{Millis, SenderKey};

/// How long it works (ms).
pub const UPLOAD_MS: Millis = 3_600_000;

/// Beyond the numbers of [`Purpose`](super::Purpose).
const UPLOAD: u8 = 128;
const HEAD: usize = 18;

/// What may be uploaded, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadGrant {
    /// Whose file it will be.
    pub sender: SenderKey,
    /// Its size, exactly.
    pub bytes: u64,
    /// Its content type.
    pub kind: String,
    /// From then on it works no more.
    pub expires: Millis,
}

impl Links {
    /// The address of an upload; without a base URL, its path on this server.
    pub fn upload(&self, grant: &UploadGrant) -> String {
        let mut bytes = vec![KEY_VERSION, UPLOAD];
        bytes.extend(grant.expires.to_be_bytes());
        bytes.extend(grant.bytes.to_be_bytes());
        bytes.extend(format!("{} {}", grant.sender, grant.kind).into_bytes());
        let mac = hmac::sign(&self.key, &bytes);
        bytes.extend(&mac.as_ref()[..MAC]);
        let base = self.settings.base_url.as_deref().unwrap_or_default();
        format!("{base}/attachments/upload/{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads the token of an upload.
    ///
    /// # Errors
    /// It was not made here, or was changed; it is for something else; its time is over.
    pub fn read_upload(&self, token: &str, now: Millis) -> Result<UploadGrant, LinkError> {
        if token.len() > LONGEST {
            return Err(LinkError::Invalid);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| LinkError::Invalid)?;
        let (signed, mac) = bytes.split_last_chunk::<MAC>().ok_or(LinkError::Invalid)?;
        let expected = hmac::sign(&self.key, signed);
        verify_slices_are_equal(mac, &expected.as_ref()[..MAC]).map_err(|_| LinkError::Invalid)?;
        if signed.get(1) != Some(&UPLOAD) {
            return Err(LinkError::OtherPurpose);
        }
        let grant = parse(signed).ok_or(LinkError::Invalid)?;
        if grant.expires <= now { Err(LinkError::Expired) } else { Ok(grant) }
    }
}

fn parse(signed: &[u8]) -> Option<UploadGrant> {
    let (head, about) = signed.split_first_chunk::<HEAD>()?;
    let (_, numbers) = head.split_first_chunk::<2>()?;
    let (expires, bytes) = numbers.split_first_chunk::<8>()?;
    let (sender, kind) = std::str::from_utf8(about).ok()?.split_once(' ')?;
    Some(UploadGrant {
        sender: SenderKey::new(sender).ok()?,
        bytes: u64::from_be_bytes(bytes.try_into().ok()?),
        kind: kind.to_owned(),
        expires: Millis::from_be_bytes(*expires),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::links::{LinkSettings, Purpose};
    use crate::log::MasterKey;
    use domain::values::{NotificationId, RecipientId};
    use uuid::Uuid;

    fn links() -> Links {
        let settings = LinkSettings { base_url: Some("https://acme.test/n".to_owned()), ..LinkSettings::default() };
        Links::new(&MasterKey::new([7; 32]), settings)
    }

    fn grant() -> UploadGrant {
        UploadGrant { sender: SenderKey::new("shop").unwrap(), bytes: 12, kind: "application/pdf".to_owned(), expires: 5_000 }
    }

    fn token(url: &str) -> String {
        url.rsplit('/').next().unwrap().to_owned()
    }

    #[test]
    fn an_upload_is_read_until_its_time_is_over() {
        let url = links().upload(&grant());
        assert!(url.starts_with("https://acme.test/n/attachments/upload/"), "{url}");
        assert_eq!(links().read_upload(&token(&url), 4_999), Ok(grant()));
        assert_eq!(links().read_upload(&token(&url), 5_000), Err(LinkError::Expired));
    }

    #[test]
    fn no_other_link_uploads_and_an_upload_is_no_other_link() {
        let (links, upload) = (links(), token(&links().upload(&grant())));
        let file = links.attachment(RecipientId(Uuid::from_u128(1)), NotificationId(Uuid::from_u128(2)), 3, 0).unwrap();
        assert_eq!(links.read_upload(&token(&file), 0), Err(LinkError::OtherPurpose));
        assert_eq!(links.read(Purpose::Attachment, &token(&file), 0).unwrap().place.unwrap().link, 3);
        assert!(links.read(Purpose::Attachment, &upload, 0).is_err());
        assert!(links.read(Purpose::Unsubscribe, &token(&file), 0).is_err());
        let mut bytes = URL_SAFE_NO_PAD.decode(&upload).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert_eq!(links.read_upload(&URL_SAFE_NO_PAD.encode(&bytes), 0), Err(LinkError::Invalid), "{at}");
            bytes[at] ^= 1;
        }
    }
}
