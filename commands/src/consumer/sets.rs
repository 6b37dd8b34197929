//! Consumers' changes in Postgres: statements about many rows in place of one for each, since each
//! costs a round trip, and rows are what a batch has many of.
//!
//! A statement `… VALUES (?1, ?2)` becomes `… SELECT v.a1, v.a2 FROM unnest($1::bigint[], $2::text[])
//! AS v(a1, a2)`, and `?1` elsewhere `v.a1`; one that inserts what it selects from another table has
//! them beside that table. Statements about the same row keep their order: they go
//! into different rounds, and one round has no row twice, which `ON CONFLICT` and `UPDATE … FROM`
//! could not deal with. A dialect of our own that both are generated from was rejected: SQL can be
//! read and tried out.

use super::changes::{Changes, Sql, Statement, Value};
use crate::database::DatabaseError;
use sqlx::PgConnection;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

/// Statements of one kind about different rows.
struct Set<'a> {
    sql: &'static Sql,
    rows: Vec<&'a [Value]>,
}

/// What makes a row's key comparable.
#[derive(PartialEq, Eq, Hash)]
enum KeyPart<'a> {
    Null,
    Integer(i64),
    Bytes(&'a [u8]),
}

impl<'a> From<&'a Value> for KeyPart<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(value) => Self::Integer(*value),
            Value::Text(value) => Self::Bytes(value.as_bytes()),
            Value::Blob(value) => Self::Bytes(value),
        }
    }
}

/// Puts statements into rounds: what is about the same row comes in its order, a round each.
fn rounds(changes: &Changes) -> Vec<Vec<Set<'_>>> {
    let mut rounds: Vec<Vec<Set<'_>>> = Vec::new();
    let mut next: HashMap<Vec<KeyPart<'_>>, usize> = HashMap::new();
    for Statement { sql, values } in changes.iter() {
        let key = values.iter().take(sql.key).map(KeyPart::from).collect();
        let place = next.entry(key).or_default();
        if rounds.len() <= *place {
            rounds.push(Vec::new());
        }
        if let Some(round) = rounds.get_mut(*place) {
            match round.iter_mut().find(|set| std::ptr::eq(set.sql, *sql)) {
                Some(set) => set.rows.push(values),
                None => round.push(Set { sql, rows: vec![values] }),
            }
        }
        *place += 1;
    }
    rounds
}

/// The statement for many rows.
fn for_many(sql: &Sql) -> String {
    let mut arrays = String::new();
    let mut names = String::new();
    for (number, letter) in (1..).zip(sql.types.chars()) {
        let of = match letter {
            't' => "text",
            'b' => "bytea",
            _ => "bigint",
        };
        let comma = if number == 1 { "" } else { ", " };
        // Writing into a String cannot fail.
        let _ = write!(arrays, "{comma}${number}::{of}[]");
        let _ = write!(names, "{comma}a{number}");
    }
    let rows = format!("unnest({arrays}) AS v({names})");
    let text = sql.text;
    if let Some((head, rest)) = text.split_once(" VALUES (") {
        let (values, tail) = closing(rest);
        return numbered(&format!("{head} SELECT {values} FROM {rows}{tail}"));
    }
    let keyword = match text.split_once(' ') {
        Some(("DELETE", _)) => "USING",
        Some(("INSERT", _)) => "CROSS JOIN",
        _ => "FROM",
    };
    // The last one: those before are of queries within.
    match text.rsplit_once(" WHERE ") {
        Some((head, condition)) => numbered(&format!("{head} {keyword} {rows} WHERE {condition}")),
        None => numbered(&format!("{text} {keyword} {rows}")),
    }
}

/// Splits behind the parenthesis that closes the one before.
fn closing(text: &str) -> (&str, &str) {
    let mut depth = 1;
    for (place, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (&text[..place], &text[place + 1..]);
        }
    }
    (text, "")
}

/// `?7` as a column of the rows.
fn numbered(text: &str) -> String {
    text.replace('?', "v.a")
}

/// Postgres has no text with the character 0, and a row that it refuses would hold up its consumer
/// for ever.
fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

fn bind<'q>(query: Query<'q, sqlx::Postgres, PgArguments>, letter: char, column: usize, rows: &[&'q [Value]]) -> Query<'q, sqlx::Postgres, PgArguments> {
    let values = rows.iter().map(|row| row.get(column));
    match letter {
        't' => query.bind(values.map(|value| if let Some(Value::Text(text)) = value { Some(storable(text)) } else { None }).collect::<Vec<_>>()),
        'b' => query.bind(values.map(|value| if let Some(Value::Blob(bytes)) = value { Some(bytes.as_slice()) } else { None }).collect::<Vec<_>>()),
        _ => query.bind(values.map(|value| if let Some(Value::Integer(number)) = value { Some(*number) } else { None }).collect::<Vec<_>>()),
    }
}

/// The statements for many rows, made once each.
#[derive(Debug, Default)]
pub(crate) struct Sets(HashMap<&'static str, String>);

impl Sets {
    /// Executes changes within a transaction.
    pub(crate) async fn execute(&mut self, connection: &mut PgConnection, changes: &Changes) -> Result<(), DatabaseError> {
        for round in rounds(changes) {
            for Set { sql, rows } in round {
                let text = self.0.entry(sql.text).or_insert_with(|| for_many(sql));
                let mut query = sqlx::query(text);
                for (column, letter) in sql.types.chars().enumerate() {
                    query = bind(query, letter, column, &rows);
                }
                query.execute(&mut *connection).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::changes::{Changes, Sql, Value};
    use super::{for_many, rounds};
    use proptest::prelude::*;
    use std::collections::HashMap;

    static PUT: Sql = Sql { text: "INSERT INTO t (k, v) VALUES (?1, coalesce(?2, 0)) ON CONFLICT (k) DO UPDATE SET v = excluded.v", types: "ii", key: 1 };
    static ADD: Sql = Sql { text: "UPDATE t SET v = v + ?2, w = (SELECT 1 WHERE true) WHERE k = ?1", types: "it", key: 1 };
    static END: Sql = Sql { text: "DELETE FROM t WHERE k = ?1 AND v = ?2", types: "ib", key: 1 };

    static COPY: Sql = Sql { text: "INSERT INTO t (k, v) SELECT o.k, ?2 FROM other o WHERE o.k = ?1 ON CONFLICT (k) DO NOTHING", types: "it", key: 1 };

    #[test]
    fn each_form_has_one_for_many_rows() {
        assert_eq!(
            for_many(&COPY),
            "INSERT INTO t (k, v) SELECT o.k, v.a2 FROM other o CROSS JOIN unnest($1::bigint[], $2::text[]) AS v(a1, a2) WHERE o.k = v.a1 ON CONFLICT (k) DO NOTHING"
        );
        assert_eq!(
            for_many(&PUT),
            "INSERT INTO t (k, v) SELECT v.a1, coalesce(v.a2, 0) FROM unnest($1::bigint[], $2::bigint[]) AS v(a1, a2) ON CONFLICT (k) DO UPDATE SET v = excluded.v"
        );
        assert_eq!(for_many(&ADD), "UPDATE t SET v = v + v.a2, w = (SELECT 1 WHERE true) FROM unnest($1::bigint[], $2::text[]) AS v(a1, a2) WHERE k = v.a1");
        assert_eq!(for_many(&END), "DELETE FROM t USING unnest($1::bigint[], $2::bytea[]) AS v(a1, a2) WHERE k = v.a1 AND v = v.a2");
    }

    proptest! {
        /// However they are put together: each row sees its statements in their order, and no set
        /// has a row twice.
        #[test]
        fn rows_keep_their_order(draws in proptest::collection::vec((0_u8..3, 0_i64..6), 0..60)) {
            let mut changes = Changes::default();
            for (number, (which, key)) in (0_i64..).zip(&draws) {
                let sql = [&PUT, &ADD, &END][usize::from(*which)];
                changes.push(sql, vec![Value::Integer(*key), Value::Integer(number)]);
            }
            let mut seen: HashMap<i64, Vec<i64>> = HashMap::new();
            for round in rounds(&changes) {
                let mut touched = Vec::new();
                for set in round {
                    for row in set.rows {
                        let [Value::Integer(key), Value::Integer(number)] = row else { unreachable!() };
                        prop_assert!(!touched.contains(key), "a row twice in a round");
                        touched.push(*key);
                        seen.entry(*key).or_default().push(*number);
                    }
                }
            }
            let count: usize = seen.values().map(Vec::len).sum();
            prop_assert_eq!(count, draws.len());
            prop_assert!(seen.values().all(|numbers| numbers.is_sorted()));
        }
    }
}
