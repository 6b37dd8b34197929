//! The fonts that a browser under test sees: the same on every machine, whatever else that has.
//!
//! DejaVu for Latin letters, which is wider than most (what fits in it fits in others), and Nanum for Korean;
//! both are Debian's packages, which `tests/services/install` sees to. Rejected: the fonts of the machine, by
//! which pictures of pages would differ from one to the next, and fonts in this repository, of some megabytes.

use anyhow::{Context, Result};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const FOLDER: &str = "/usr/share/fonts/truetype";
const FILES: [&str; 6] = [
    "dejavu/DejaVuSans.ttf",
    "dejavu/DejaVuSans-Bold.ttf",
    "dejavu/DejaVuSansMono.ttf",
    "dejavu/DejaVuSansMono-Bold.ttf",
    "nanum/NanumGothic.ttf",
    "nanum/NanumGothicBold.ttf",
];

/// A configuration of fontconfig with nothing but these; for the variable `FONTCONFIG_FILE`.
///
/// # Errors
/// A font is not installed.
pub fn only_ours(folder: &Path) -> Result<PathBuf> {
    let fonts = folder.join("fonts");
    std::fs::create_dir(&fonts)?;
    for file in FILES {
        let font = Path::new(FOLDER).join(file);
        font.metadata().with_context(|| format!("{} is not there; tests/services/install sees to it", font.display()))?;
        symlink(&font, fonts.join(font.file_name().context("no name")?))?;
    }
    let prefer = |family: &str, fonts: &[&str]| {
        let fonts: String = fonts.iter().map(|font| format!("<family>{font}</family>")).collect();
        format!("<alias binding=\"same\"><family>{family}</family><prefer>{fonts}</prefer></alias>")
    };
    let sans = prefer("sans-serif", &["DejaVu Sans", "NanumGothic"]);
    let mono = prefer("monospace", &["DejaVu Sans Mono", "NanumGothic"]);
    let smooth = "<match target=\"font\"><edit name=\"antialias\"><bool>true</bool></edit><edit name=\"hinting\"><bool>false</bool></edit>\
                  <edit name=\"rgba\"><const>none</const></edit></match>";
    let config = folder.join("fonts.conf");
    let (fonts, cache) = (fonts.display(), folder.join("fonts-cache"));
    let text = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"urn:fontconfig:fonts.dtd\">\n<fontconfig><dir>{fonts}</dir><cachedir>{}</cachedir>{sans}{mono}{smooth}</fontconfig>\n",
        cache.display()
    );
    std::fs::write(&config, text)?;
    Ok(config)
}
