//! What is the embedded profile's own: its files, their disk, and commands that read them. Such
//! tests of other files are in modules of the same name; `tests/run` leaves them out where it runs
//! the scenarios on the cluster profile.

mod disk_full;
mod failing_fsync;
mod mirroring;
mod piping;
