//! What a replica does: everything, unless told otherwise.

use super::value::{Form, Value};
use std::fmt;
use std::path::Path;

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Answers requests: GraphQL and live queries.
    Api,
    /// Keeps read models up to date, and the mirror of the log.
    Projections,
    /// Delivers.
    Workers,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Api, Self::Projections, Self::Workers];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Projections => "projections",
            Self::Workers => "workers",
        }
    }
}

/// A set of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles([bool; 3]);

impl Roles {
    /// All of them.
    pub const ALL: Self = Self([true; 3]);

    /// Whether it is among them.
    pub const fn has(self, role: Role) -> bool {
        self.0[role as usize]
    }

    /// Their names.
    pub fn names(self) -> Vec<String> {
        Role::ALL.into_iter().filter(|role| self.has(*role)).map(|role| role.name().to_owned()).collect()
    }
}

impl Value for Roles {
    const KIND: &'static str = "some of `api`, `projections` and `workers`, parted by commas";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _folder: &Path) -> Result<Self, String> {
        let mut roles = Self([false; 3]);
        for name in text.split(',').map(str::trim) {
            let role = Role::ALL.into_iter().find(|role| role.name() == name);
            let role = role.ok_or_else(|| format!("`{name}` is no role; expected {}", Self::KIND))?;
            roles.0[role as usize] = true;
        }
        Ok(roles)
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_in_any_order_and_a_wrong_one_is_named() {
        let parse = |text| Roles::parse(text, Path::new("."));
        assert!(parse("workers, api").is_ok_and(|roles| roles.to_string() == "api,workers" && !roles.has(Role::Projections)));
        assert!(parse("api,worker").is_err_and(|error| error.contains("`worker`")));
        assert!(parse("").is_err());
        assert!(parse("api,projections,workers") == Ok(Roles::ALL));
    }
}
