//! The difference of two texts, as `diff -u` tells it.
//!
//! The longest common subsequence by the textbook's table, after equal beginnings and ends were left out: templates
//! are small. Beyond what the table may hold, all that differs is one hunk.

use std::fmt::Write as _;

/// Lines around a difference.
const AROUND: usize = 3;
/// Cells of the table: 32 MB.
const CELLS: usize = 8_000_000;

/// A line, and whether it is in the old text, the new one or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Both(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// The unified difference; empty where the texts are equal.
pub fn unified(names: (&str, &str), old: &str, new: &str) -> String {
    let lines = compared(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let mut out = String::new();
    // Which lines are shown: those that differ, and some around them.
    let differs = |at: usize| lines.get(at).is_some_and(|line| !matches!(line, Line::Both(_)));
    let shown = |at: usize| (at.saturating_sub(AROUND)..=at + AROUND).any(differs);
    let (mut in_old, mut in_new) = (1, 1);
    let mut at = 0;
    while at < lines.len() {
        if shown(at) {
            let hunk: Vec<Line<'_>> = lines.iter().skip(at).enumerate().take_while(|(index, _)| shown(at + index)).map(|(_, line)| *line).collect();
            let count = |other: fn(&Line<'_>) -> bool| hunk.iter().filter(|line| !other(line)).count();
            let (olds, news) = (count(|line| matches!(line, Line::New(_))), count(|line| matches!(line, Line::Old(_))));
            if out.is_empty() {
                let _ = writeln!(out, "--- {}\n+++ {}", names.0, names.1);
            }
            // An empty side begins before its first line.
            let from = |line: usize, count: usize| if count == 0 { line - 1 } else { line };
            let _ = writeln!(out, "@@ -{},{olds} +{},{news} @@", from(in_old, olds), from(in_new, news));
            for line in &hunk {
                let (sign, text) = match line {
                    Line::Both(text) => (' ', text),
                    Line::Old(text) => ('-', text),
                    Line::New(text) => ('+', text),
                };
                let _ = writeln!(out, "{sign}{text}");
            }
            (in_old, in_new, at) = (in_old + olds, in_new + news, at + hunk.len());
        } else {
            (in_old, in_new, at) = (in_old + 1, in_new + 1, at + 1);
        }
    }
    out
}

fn compared<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let before = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (head, old) = old.split_at(before);
    let new = new.get(before..).unwrap_or_default();
    let after = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, tail) = old.split_at(old.len() - after);
    let new = new.get(..new.len() - after).unwrap_or_default();
    let middle = if (old.len() + 1) * (new.len() + 1) > CELLS {
        old.iter().map(|line| Line::Old(line)).chain(new.iter().map(|line| Line::New(line))).collect()
    } else {
        subsequence(old, new)
    };
    let both = |line: &&'a str| Line::Both(line);
    head.iter().map(both).chain(middle).chain(tail.iter().map(both)).collect()
}

fn subsequence<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    // Longest common subsequence of what follows each pair of places.
    let width = new.len() + 1;
    let mut table = vec![0_u32; (old.len() + 1) * width];
    let cell = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let longest = if a == b { cell(&table, i + 1, j + 1) + 1 } else { cell(&table, i + 1, j).max(cell(&table, i, j + 1)) };
            if let Some(place) = table.get_mut(i * width + j) {
                *place = longest;
            }
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => {
                out.push(Line::Both(a));
                (i, j) = (i + 1, j + 1);
            }
            (Some(a), b) if b.is_none() || cell(&table, i + 1, j) >= cell(&table, i, j + 1) => {
                out.push(Line::Old(a));
                i += 1;
            }
            (_, Some(b)) => {
                out.push(Line::New(b));
                j += 1;
            }
            _ => return out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn differences_are_told_as_diff_does() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n";
        // As GNU diff -u tells it.
        let meant = "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -10,3 +10,4 @@\n 10\n 11\n 12\n+13\n";
        assert_eq!(unified(("a", "b"), old, new), meant);
        assert_eq!(unified(("a", "b"), "x\n", "x\n"), "");
        assert_eq!(unified(("a", "b"), "", "x\n"), "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n");
        assert_eq!(unified(("a", "b"), "x\ny\n", ""), "--- a\n+++ b\n@@ -1,2 +0,0 @@\n-x\n-y\n");
    }

    #[test]
    fn hunks_that_are_far_apart_are_told_apart() {
        let old: String = (0..40).map(|line| format!("{line}\n")).collect();
        let new = old.replace("5\n", "five\n").replacen("30\n", "", 1);
        let told = unified(("a", "b"), &old, &new);
        assert!(told.matches("@@ -").count() >= 3, "{told}");
        assert!(told.contains("-30\n") && !told.contains("+30"), "{told}");
    }
}
