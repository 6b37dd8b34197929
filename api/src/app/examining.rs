//! Templates are tried in a process of their own, with little memory and time.
//!
//! Guarantee: whatever a template does when it is tried, it ends with that process and is told to its author; the
//! server's memory and its threads have no part in it. The process is this same binary (`bongsu template examine`),
//! which sets its own limits before it reads anything. Rejected: a thread with a deadline, which cannot be
//! stopped and shares the memory.

use commands::templates::{Examine, Examined, ExaminerError};
use domain::rendering::Parts;
use domain::template::Source;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

/// Address space of the process, in bytes: what its code and allocator map is counted too.
pub const ADDRESS_SPACE: u64 = 1 << 30;
/// CPU that it may take, in seconds.
pub const CPU_SECONDS: u64 = 5;
/// How long it is waited for; longer than its CPU lasts on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of the answer that are read.
const ANSWER: u64 = 4 * 1024 * 1024;
/// Templates that are tried at once; further ones wait.
const AT_ONCE: usize = 2;

/// What the process is asked.
#[derive(Debug, Serialize, Deserialize)]
pub struct Question {
    /// The template.
    pub source: Source,
    /// What it rests on.
    pub parts: Parts,
}

/// See the module.
#[derive(Debug)]
pub struct ChildExaminer {
    program: PathBuf,
    turns: Semaphore,
}

impl ChildExaminer {
    /// With this binary.
    ///
    /// # Errors
    /// The system does not say where it is.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { program: std::env::current_exe()?, turns: Semaphore::new(AT_ONCE) })
    }

    async fn ask(&self, source: &Source, parts: &Parts) -> Result<Examined, ExaminerError> {
        let unavailable = |error: std::io::Error| {
            tracing::error!(%error, "a template cannot be tried");
            ExaminerError::Unavailable
        };
        let _turn = self.turns.acquire().await.map_err(|_| ExaminerError::Unavailable)?;
        let question = serde_json::to_vec(&Question { source: source.clone(), parts: parts.clone() }).map_err(|_| ExaminerError::Unavailable)?;
        let mut command = Command::new(&self.program);
        command.args(["template", "examine"]).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(unavailable)?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else { return Err(ExaminerError::Unavailable) };
        let mut answer = Vec::new();
        let told = async {
            // One that ends before it has read all says so by its status.
            let _ = stdin.write_all(&question).await;
            drop(stdin);
        };
        let read = async { stdout.take(ANSWER).read_to_end(&mut answer).await };
        let done = tokio::time::timeout(PATIENCE, async {
            let ((), read) = tokio::join!(told, read);
            read?;
            child.wait().await
        });
        match done.await {
            Err(_) => Err(ExaminerError::TooMuch),
            Ok(Err(error)) => Err(unavailable(error)),
            Ok(Ok(status)) if status.success() => serde_json::from_slice(&answer).map_err(|_| ExaminerError::Unavailable),
            Ok(Ok(_)) => Err(ExaminerError::TooMuch),
        }
    }
}

impl Examine for ChildExaminer {
    fn examine<'a>(&'a self, source: &'a Source, parts: &'a Parts) -> Pin<Box<dyn Future<Output = Result<Examined, ExaminerError>> + Send + 'a>> {
        Box::pin(self.ask(source, parts))
    }
}
