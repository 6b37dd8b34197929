//! The guide shows this example and the rows of the lists as they are.

use std::path::{Path, PathBuf};

const GUIDE: &str = "docs/guides/adding-a-provider.md";

/// Files of the example, which the guide shows whole.
const WHOLE: [&str; 4] = ["providers/pigeon/settings.rs", "providers/pigeon/error_map.rs", "providers/pigeon/mod.rs", "simulators/pigeon.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Blocks of code with the file that the line before them names: the last text between backquotes that is a path.
fn blocks(guide: &str) -> Vec<(String, String)> {
    let mut lines = guide.lines();
    let (mut file, mut found) = (String::new(), Vec::new());
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            // Commands are nobody's file.
            if language != "sh" {
                found.push((std::mem::take(&mut file), block.join("\n")));
            }
        } else if !line.trim().is_empty() {
            file = line.split('`').skip(1).step_by(2).filter(|word| word.contains('/')).last().unwrap_or_default().to_owned();
        }
    }
    found
}

/// Without the indentation, which differs where a part is shown.
fn flat(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_block_of_the_guide_is_a_part_of_the_file_that_it_names() {
    let guide = std::fs::read_to_string(root().join(GUIDE)).unwrap();
    let blocks = blocks(&guide);
    assert!(blocks.len() >= 10, "{}", blocks.len());
    for (file, block) in &blocks {
        if file.is_empty() {
            panic!("this block of {GUIDE} names no file in the line before it:\n{block}");
        }
        let text = std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{GUIDE} names {file}: {error}"));
        assert!(flat(&text).contains(&flat(block)), "{GUIDE} shows what is not in {file} (any more); copy it from there:\n{block}");
    }
    for name in WHOLE {
        let path = format!("workers/src/{name}");
        let text = std::fs::read_to_string(root().join(&path)).unwrap();
        let shown = blocks.iter().any(|(file, block)| *file == path && block.trim() == text.trim());
        assert!(shown, "{GUIDE} does not show the whole of {path}");
    }
}
