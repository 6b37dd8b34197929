//! JSON of senders that is kept as text. Its depth is bounded where it is accepted, because those
//! who read it later (apps, endpoints, our own tools) recurse into it.

/// Levels of objects and arrays within one another that are accepted.
pub const MAX_JSON_LEVELS: usize = 32;

/// Levels of objects and arrays within one another, counted without recursion. Only brackets are
/// looked at: whether the text is JSON is another question.
pub fn json_levels(text: &str) -> usize {
    let (mut level, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                level += 1;
                deepest = deepest.max(level);
            }
            b'}' | b']' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
