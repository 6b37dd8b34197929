//! Who is asked when.

use super::seconds;
use super::table::{Table, stream};
use crate::timers::asks::Asking;
use crate::timers::{Answer, Asks, Changed, Firing, FiringSettings};
use commands::consumer::Progress;
use commands::due::DueTimer;
use commands::log::{LogError, Metadata, Tail};
use commands::ports::ManualClock;
use domain::values::Millis;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What becomes of those who are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Play {
    /// The timer goes.
    Effect,
    /// Nothing; it says that it was done.
    Nothing,
    /// It is too early until then.
    Early(Millis),
    /// It fails.
    Fails,
    /// Whoever is asked together with it gets no answer.
    Poison,
    /// Nobody gets an answer.
    Down,
}

/// Writes down who is asked.
struct Book {
    table: Arc<Table>,
    plays: Mutex<Vec<(u64, Play)>>,
    asked: mpsc::Sender<Vec<u64>>,
}

impl Book {
    fn play(&self, number: u64) -> Play {
        self.plays.lock().unwrap().iter().rev().find(|(of, _)| *of == number).map_or(Play::Effect, |(_, play)| *play)
    }
}

impl Asks for Book {
    fn ask(&self, _: Arc<Metadata>, timers: Vec<DueTimer>) -> Asking<'_> {
        let numbers: Vec<u64> = timers.iter().map(|timer| u64::try_from(timer.stream.id.as_u128()).unwrap()).collect();
        self.asked.try_send(numbers.clone()).unwrap();
        let answers = numbers.into_iter().map(|number| match self.play(number) {
            Play::Effect => {
                self.table.open().execute("DELETE FROM stream_timers WHERE stream = ?1", [number.cast_signed()]).unwrap();
                Ok(Answer::Done)
            }
            Play::Nothing => Ok(Answer::Done),
            Play::Early(due) => Ok(Answer::Early { due }),
            Play::Fails => Ok(Answer::Failed { reason: "made to order".to_owned() }),
            Play::Poison => Err(LogError::Poison { position: 1, stream: number, reason: "made to order".to_owned() }),
            Play::Down => Err(LogError::Unavailable { reason: "made to order".to_owned() }),
        });
        let answers = answers.collect();
        Box::pin(async move { answers })
    }
}

struct Fixture {
    table: Arc<Table>,
    book: Arc<Book>,
    asked: mpsc::Receiver<Vec<u64>>,
    clock: Arc<ManualClock>,
    firing: Firing,
}

impl Fixture {
    fn new(batch: usize) -> Self {
        let table = Arc::new(Table::new());
        let (sender, asked) = mpsc::channel(1_000);
        let book = Arc::new(Book { table: table.clone(), plays: Mutex::default(), asked: sender });
        let clock = Arc::new(ManualClock::at(1_000));
        let firing = Firing {
            rows: table.rows.clone(),
            asks: book.clone(),
            table: Progress::default(),
            changed: Changed::default(),
            tail: Arc::new(Tail::at(0)),
            clock: clock.clone(),
            settings: FiringSettings { batch, ..FiringSettings::default() },
        };
        Self { table, book, asked, clock, firing }
    }

    fn set(&self, number: u64, due: Millis) {
        let id = stream(number).id.as_bytes().to_vec();
        let values = rusqlite::params![number.cast_signed(), stream(number).kind.number(), id, due];
        self.table.open().execute("INSERT INTO stream_timers (stream, name, kind, id, due) VALUES (?1, 'release', ?2, ?3, ?4)", values).unwrap();
        self.firing.changed.notify_one();
    }

    fn plays(&self, number: u64, play: Play) {
        self.book.plays.lock().unwrap().push((number, play));
    }

    fn start(&self) -> (CancellationToken, tokio::task::JoinHandle<()>) {
        let stop = CancellationToken::new();
        (stop.clone(), tokio::spawn(self.firing.clone().run(stop)))
    }

    /// Moves the clock on until somebody is asked; at most so far.
    async fn within(&mut self, most: std::time::Duration) -> Option<Vec<u64>> {
        let step = std::time::Duration::from_millis(100);
        for _ in 0..=most.as_millis() / step.as_millis() {
            if let Some(asked) = self.settled().await {
                return Some(asked);
            }
            self.clock.advance(step);
        }
        None
    }

    /// Who is asked before it waits for the clock, or for a table that never comes.
    async fn settled(&mut self) -> Option<Vec<u64>> {
        for _ in 0..100 {
            // Whatever was woken gets its turn first.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            if let Ok(asked) = self.asked.try_recv() {
                return Some(asked);
            }
            if self.clock.sleepers() > 0 {
                return None;
            }
            // Reads are on other threads, and come one after the other.
            self.table.rows.next(0).await.unwrap();
        }
        None
    }
}

#[tokio::test]
async fn who_was_asked_too_early_is_asked_at_its_time() {
    let mut fixture = Fixture::new(2);
    fixture.plays(1, Play::Early(9_000));
    fixture.set(1, 900);
    let (stop, running) = fixture.start();
    assert_eq!(fixture.within(seconds(0)).await, Some(vec![1]));
    assert_eq!(fixture.within(seconds(7)).await, None);
    fixture.plays(1, Play::Effect);
    assert_eq!(fixture.within(seconds(1)).await, Some(vec![1]));
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn what_is_due_is_asked_in_order_and_the_rest_at_its_time() {
    let mut fixture = Fixture::new(2);
    for (number, due) in [(1, 900), (2, 1_000), (3, 950), (4, 3_000)] {
        fixture.set(number, due);
    }
    let (stop, running) = fixture.start();
    assert_eq!(fixture.within(seconds(0)).await, Some(vec![1, 3]));
    assert_eq!(fixture.within(seconds(0)).await, Some(vec![2]));
    assert_eq!(fixture.within(seconds(9)).await, Some(vec![4]));
    assert!(commands::ports::Clock::now(fixture.clock.as_ref()) >= 3_000, "not before its time");
    assert_eq!(fixture.within(seconds(5)).await, None, "each once");
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn one_that_is_set_for_earlier_is_not_waited_over() {
    let mut fixture = Fixture::new(10);
    fixture.set(1, 90_000);
    let (stop, running) = fixture.start();
    assert_eq!(fixture.within(seconds(1)).await, None);
    let now = commands::ports::Clock::now(fixture.clock.as_ref());
    fixture.set(2, now);
    assert_eq!(fixture.within(seconds(0)).await, Some(vec![2]));
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn one_that_fails_or_does_not_move_is_put_off_and_stops_nobody() {
    for play in [Play::Fails, Play::Nothing] {
        let mut fixture = Fixture::new(1);
        fixture.plays(1, play);
        fixture.set(1, 10);
        fixture.set(2, 20);
        let (stop, running) = fixture.start();
        assert_eq!(fixture.within(seconds(0)).await, Some(vec![1]));
        assert_eq!(fixture.within(seconds(0)).await, Some(vec![2]), "{play:?}");
        let mut pauses = Vec::new();
        for _ in 0..3 {
            let before = commands::ports::Clock::now(fixture.clock.as_ref());
            assert_eq!(fixture.within(seconds(60)).await, Some(vec![1]));
            pauses.push((commands::ports::Clock::now(fixture.clock.as_ref()) - before) / 1_000);
        }
        assert_eq!(pauses, [1, 2, 4]);
        fixture.plays(1, Play::Effect);
        assert_eq!(fixture.within(seconds(60)).await, Some(vec![1]));
        assert_eq!(fixture.within(seconds(30)).await, None);
        stop.cancel();
        running.await.unwrap();
    }
}

#[tokio::test]
async fn one_that_cannot_be_read_keeps_nobody_from_being_asked() {
    let mut fixture = Fixture::new(10);
    fixture.plays(2, Play::Poison);
    for number in 1..=3 {
        fixture.set(number, 10);
    }
    // Nothing takes effect where nobody gets an answer.
    let (stop, running) = fixture.start();
    assert_eq!(fixture.within(seconds(0)).await, Some(vec![1, 2, 3]));
    for number in 1..=3 {
        assert_eq!(fixture.within(seconds(0)).await, Some(vec![number]));
    }
    assert_eq!(fixture.within(seconds(60)).await, Some(vec![2]), "only that one is left");
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_log_that_refuses_is_asked_again_after_a_pause() {
    let mut fixture = Fixture::new(10);
    fixture.plays(1, Play::Down);
    fixture.set(1, 10);
    let (stop, running) = fixture.start();
    for _ in 0..3 {
        assert_eq!(fixture.within(seconds(2)).await, Some(vec![1]));
        assert_eq!(fixture.asked.try_recv().ok(), None);
    }
    fixture.plays(1, Play::Effect);
    assert_eq!(fixture.within(seconds(20)).await, Some(vec![1]));
    assert_eq!(fixture.within(seconds(20)).await, None);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_table_that_lags_is_waited_for() {
    let mut fixture = Fixture::new(1);
    // The log is further than the table.
    fixture.firing.tail = Arc::new(Tail::at(7));
    fixture.plays(1, Play::Nothing);
    fixture.set(1, 10);
    fixture.set(2, 20);
    let (stop, running) = fixture.start();
    assert_eq!(fixture.within(seconds(0)).await, Some(vec![1]));
    assert_eq!(fixture.within(seconds(60)).await, None, "nobody is asked meanwhile");
    fixture.firing.table.advance(7);
    assert!(fixture.within(seconds(0)).await.is_some());
    stop.cancel();
    running.await.unwrap();
}
