//! A form as `application/x-www-form-urlencoded` or `multipart/form-data` (RFC 7578) carries it.

use bytes::Bytes;
use memchr::memmem::find;

/// Names and values, in order; and the files.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>, Vec<FormFile>);

/// A part that has a file name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FormFile {
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) content: Bytes,
}

impl Form {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect(), Vec::new())
    }

    /// In parts, as the boundary in its content type separates them; none where it is not of that form.
    pub(crate) fn of_parts(content_type: &str, text: &[u8]) -> Option<Self> {
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=")?;
        let mut rest = text.strip_prefix(format!("--{boundary}\r\n").as_bytes())?.strip_suffix(format!("\r\n--{boundary}--\r\n").as_bytes())?;
        let delimiter = format!("\r\n--{boundary}\r\n").into_bytes();
        let mut form = Self::default();
        loop {
            let end = find(rest, &delimiter);
            form.take(rest.get(..end.unwrap_or(rest.len()))?)?;
            match end {
                Some(end) => rest = rest.get(end + delimiter.len()..)?,
                None => return Some(form),
            }
        }
    }

    fn take(&mut self, part: &[u8]) -> Option<()> {
        let end = find(part, b"\r\n\r\n")?;
        let (head, content) = (std::str::from_utf8(part.get(..end)?).ok()?, part.get(end + 4..)?);
        let (disposition, kind) = head.split_once("\r\nContent-Type: ").map_or((head, None), |(head, kind)| (head, Some(kind)));
        let names = disposition.strip_prefix("Content-Disposition: form-data; name=\"")?.strip_suffix('"')?;
        match names.split_once("\"; filename=\"") {
            Some((field, name)) => {
                let (field, name, content) = (field.to_owned(), name.to_owned(), Bytes::copy_from_slice(content));
                self.1.push(FormFile { field, name, kind: kind.unwrap_or_default().to_owned(), content });
            }
            None => self.0.push((names.to_owned(), std::str::from_utf8(content).ok()?.to_owned())),
        }
        Some(())
    }

    /// The files, in order.
    pub(crate) fn files(&self) -> &[FormFile] {
        &self.1
    }

    /// Every value of a name, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
