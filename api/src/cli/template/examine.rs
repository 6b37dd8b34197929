//! `bongsu template examine`: tries one template under limits and ends. Started by the server; see
//! [`crate::app::examining`].

use crate::app::examining::{ADDRESS_SPACE, CPU_SECONDS, Question};
use crate::cli::exit::CliError;
use commands::templates::examined;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io::{Read as _, Write as _};
use std::process::ExitCode;

/// Bytes of a question that are read: templates and what they rest on are each bounded.
const QUESTION: u64 = 64 * 1024 * 1024;

/// Reads a question from standard input, answers on standard output.
pub fn examine() -> Result<ExitCode, CliError> {
    let limit = |resource, most| {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).map_err(|error| CliError::failure(std::io::Error::from(error)))
    };
    limit(Resource::As, ADDRESS_SPACE)?;
    limit(Resource::Cpu, CPU_SECONDS)?;
    limit(Resource::Core, 0)?;
    let mut question = Vec::new();
    std::io::stdin().lock().take(QUESTION).read_to_end(&mut question).map_err(CliError::failure)?;
    let question: Question = serde_json::from_slice(&question).map_err(CliError::failure)?;
    let answer = serde_json::to_vec(&examined(&question.source, &question.parts)).map_err(CliError::failure)?;
    std::io::stdout().lock().write_all(&answer).map_err(CliError::failure)?;
    Ok(ExitCode::SUCCESS)
}
