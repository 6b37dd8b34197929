//! How deeply brackets nest in a query text, found without recursion.
//!
//! async-graphql's parser limits nested selection sets, but descends into lists, objects and list
//! types as deep as the text goes: 64 KiB of `[` would overflow a thread's stack, which ends the
//! process. Hence this look before it.

/// The deepest level of `(`, `[` and `{` outside strings and comments.
///
/// A text that does not parse may be misjudged in either direction by its unmatched quotes, but
/// then the parser, which reads strings by the same rules, does not nest there either.
pub(super) fn deepest(query: &str) -> usize {
    let bytes = query.as_bytes();
    let (mut at, mut level, mut deepest) = (0usize, 0usize, 0usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'(' | b'[' | b'{' => {
                level += 1;
                deepest = deepest.max(level);
            }
            b')' | b']' | b'}' => level = level.saturating_sub(1),
            b'#' => at = end_of_line(bytes, at),
            b'"' => at = end_of_string(bytes, at),
            _ => {}
        }
        at += 1;
    }
    deepest
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(bytes.len(), |offset| from + offset)
}

/// The index of the last quote of the string that opens at `from`. An unclosed string ends where
/// it starts, so that brackets after a stray quote still count.
fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let block = bytes[from..].starts_with(b"\"\"\"");
    let mut at = from + if block { 3 } else { 1 };
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if block && bytes[at..].starts_with(b"\\\"\"\"") => at += 4,
            b'\\' if !block => at += 2,
            b'"' if block && bytes[at..].starts_with(b"\"\"\"") => return at + 2,
            b'"' if !block => return at,
            b'\n' | b'\r' if !block => return from,
            _ => at += 1,
        }
    }
    from
}
