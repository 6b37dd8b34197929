//! A form as `application/x-www-form-urlencoded` or `multipart/form-data` (RFC 7578) carries it.

/// Names and values, in order.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// In parts, as the boundary in its content type separates them; none where it is not of that form.
    pub(crate) fn of_parts(content_type: &str, text: &[u8]) -> Option<Self> {
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=")?;
        let text = std::str::from_utf8(text).ok()?.strip_prefix(&format!("--{boundary}\r\n"))?.strip_suffix(&format!("\r\n--{boundary}--\r\n"))?;
        let part = |part: &str| {
            let (head, value) = part.split_once("\r\n\r\n")?;
            let name = head.strip_prefix("Content-Disposition: form-data; name=\"")?.strip_suffix('"')?;
            Some((name.to_owned(), value.to_owned()))
        };
        text.split(&format!("\r\n--{boundary}\r\n")).map(part).collect::<Option<_>>().map(Self)
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
