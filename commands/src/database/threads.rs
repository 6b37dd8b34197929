//! Threads for what waits for files, each with something of its own, such as a connection.
//!
//! The runtime's blocking threads are not used: whoever else waits there, for a name server that
//! does not answer say, would hold up every read; and the more threads there are, the more memory
//! the allocator keeps for each.

use super::DatabaseError;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, oneshot};

type Job<T> = Box<dyn FnOnce(&mut Option<T>) + Send>;

/// A few threads that work off what is asked of them. They begin when they are needed, and end
/// when the last clone of this is gone and nothing is left to do.
pub struct Threads<T> {
    owner: Arc<Owner<T>>,
    /// As many as threads: whoever finds none free waits outside, so the queue is bounded.
    permits: Arc<Semaphore>,
}

impl<T> Clone for Threads<T> {
    fn clone(&self) -> Self {
        Self { owner: Arc::clone(&self.owner), permits: Arc::clone(&self.permits) }
    }
}

impl<T> std::fmt::Debug for Threads<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Threads").field(&self.owner.0.name).finish()
    }
}

/// Tells the threads to end when it goes.
struct Owner<T>(Arc<Shared<T>>);

impl<T> Drop for Owner<T> {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.wake.notify_all();
    }
}

struct Shared<T> {
    name: String,
    most: usize,
    state: Mutex<State<T>>,
    wake: Condvar,
}

struct State<T> {
    jobs: VecDeque<Job<T>>,
    threads: usize,
    idle: usize,
    over: bool,
}

impl<T: Send + 'static> Threads<T> {
    /// At most so many, with a name that tools show (15 bytes of it on Linux).
    pub fn new(name: String, most: usize) -> Self {
        let most = most.max(1);
        let state = Mutex::new(State { jobs: VecDeque::new(), threads: 0, idle: 0, over: false });
        let shared = Arc::new(Shared { name, most, state, wake: Condvar::new() });
        Self { owner: Arc::new(Owner(shared)), permits: Arc::new(Semaphore::new(most)) }
    }

    /// Runs a job on one of the threads, with what that thread has.
    pub async fn run<R: Send + 'static>(&self, job: impl FnOnce(&mut Option<T>) -> R + Send + 'static) -> Result<R, DatabaseError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let (sender, answer) = oneshot::channel();
        self.owner.0.add(Box::new(move |own| {
            let done = job(own);
            drop(permit);
            // Nobody waits any longer: the caller was cancelled.
            let _ = sender.send(done);
        }))?;
        answer.await.map_err(|_| DatabaseError::BrokenOff("it panicked; the log of the process says where".to_owned()))
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Shared<T> {
    fn add(self: &Arc<Self>, job: Job<T>) -> Result<(), DatabaseError> {
        let mut state = self.lock();
        state.jobs.push_back(job);
        if state.idle < state.jobs.len() && state.threads < self.most {
            let shared = Arc::clone(self);
            match std::thread::Builder::new().name(self.name.clone()).spawn(move || shared.work()) {
                Ok(_) => state.threads += 1,
                // The others will do it.
                Err(_) if state.threads > 0 => {}
                Err(error) => {
                    state.jobs.pop_back();
                    return Err(DatabaseError::BrokenOff(format!("no thread can be started: {error}")));
                }
            }
        }
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    fn work(&self) {
        let mut own = None;
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // What the job had is in an unknown state after a panic.
                if catch_unwind(AssertUnwindSafe(|| job(&mut own))).is_err() {
                    own = None;
                }
                state = self.lock();
            } else if state.over {
                return;
            } else {
                state.idle += 1;
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::{DatabaseError, Threads};
    use std::sync::{Arc, Barrier, mpsc};

    #[tokio::test]
    async fn there_are_never_more_than_wanted_and_each_keeps_its_own() {
        let threads: Threads<usize> = Threads::new("test".to_owned(), 3);
        let together = Arc::new(Barrier::new(3));
        let count = |own: &mut Option<usize>| {
            *own = Some(own.unwrap_or(0) + 1);
            own.unwrap_or(0)
        };
        // Three at once: each must have a thread, or this never ends.
        let running: Vec<_> = (0..3)
            .map(|_| {
                let (threads, together) = (threads.clone(), Arc::clone(&together));
                tokio::spawn(async move {
                    threads
                        .run(move |own| {
                            together.wait();
                            count(own)
                        })
                        .await
                        .unwrap()
                })
            })
            .collect();
        for one in running {
            assert_eq!(one.await.unwrap(), 1);
        }
        let mut counts = Vec::new();
        for _ in 0..30 {
            counts.push(threads.run(count).await.unwrap());
        }
        assert!(counts.iter().max() >= Some(&11), "33 jobs on three threads: {counts:?}");
    }

    #[tokio::test]
    async fn a_panic_costs_its_job_and_what_the_thread_had() {
        let threads: Threads<u8> = Threads::new("test".to_owned(), 1);
        threads.run(|own| *own = Some(7)).await.unwrap();
        let broken = threads.run(|_| -> () { panic!("on purpose") }).await;
        assert!(matches!(broken, Err(DatabaseError::BrokenOff(_))));
        assert_eq!(threads.run(|own| *own).await.unwrap(), None);
    }

    #[tokio::test]
    async fn they_end_with_the_last_handle() {
        struct Told(mpsc::SyncSender<()>);
        impl Drop for Told {
            fn drop(&mut self) {
                let _ = self.0.send(());
            }
        }
        let (sender, told) = mpsc::sync_channel(1);
        let threads: Threads<Told> = Threads::new("test".to_owned(), 2);
        let other = threads.clone();
        threads.run(move |own| *own = Some(Told(sender))).await.unwrap();
        drop(threads);
        assert!(other.run(|_| 1).await.is_ok());
        assert!(told.try_recv().is_err());
        drop(other);
        told.recv().unwrap();
    }
}
