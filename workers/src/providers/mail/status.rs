//! What the code of a refused mail says of its address (RFC 3463).

/// Whether a permanent code says that there is no such mailbox or domain. A code without groups, such as
/// `550`, does not: it is also what servers answer to senders whom they block, and one block must not
/// suppress everybody there. A full mailbox, a policy or a size is no fault of the address either.
pub(crate) fn is_address_dead(code: &str) -> bool {
    match code.split('.').collect::<Vec<_>>()[..] {
        ["5", "1", detail] => matches!(detail, "1" | "2" | "3" | "6" | "10"),
        ["5", "2", "1"] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_address_dead;

    #[test]
    fn only_what_is_said_of_the_address_counts() {
        for dead in ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"] {
            assert!(is_address_dead(dead), "{dead}");
        }
        for alive in ["5.1.0", "5.1.7", "5.1.8", "5.2.2", "5.7.1", "5.0.0", "4.1.1", "550", "551", "552", "554", "", "5", "bounce"] {
            assert!(!is_address_dead(alive), "{alive}");
        }
    }
}
