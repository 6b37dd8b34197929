//! How an aggregate is written here.
//!
//! An aggregate is a state with two pure functions: [`Aggregate::decide`] turns a command into
//! events or a refusal, [`Aggregate::evolve`] folds an event into the state. The hot path calls
//! them directly; [`cqrs_aggregate!`](crate::cqrs_aggregate) implements `cqrs_es::Aggregate` over
//! them, so that the command bus and `cqrs_es::test` drive the very same code. Writing to the
//! asynchronous `handle` alone was rejected: a decision that may await is one that may do I/O.

use crate::event::EventBody;

/// A consistency boundary: state, commands, events and refusals of one kind of stream.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// What can be asked of it.
    type Command: Send;
    /// What can have happened to it.
    type Event: EventBody + Clone;
    /// Why it may say no.
    type Refusal: std::error::Error + Send + Sync + 'static;

    /// Decides on a command. Pure: the same state and command give the same events. An empty
    /// list means that the command asks for what already is.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Refusal>;

    /// Folds an event into the state. Never fails: an event is a fact.
    fn evolve(&mut self, event: &Self::Event);

    /// The state after a sequence of events.
    fn replay<'a>(events: impl IntoIterator<Item = &'a Self::Event>) -> Self {
        let mut state = Self::default();
        for event in events {
            state.evolve(event);
        }
        state
    }
}

/// Implements `cqrs_es::Aggregate` for a type that has [`Aggregate`].
#[macro_export]
macro_rules! cqrs_aggregate {
    ($aggregate:ty, $name:literal) => {
        impl cqrs_es::Aggregate for $aggregate {
            const TYPE: &'static str = $name;
            type Command = <$aggregate as $crate::aggregate::Aggregate>::Command;
            type Event = <$aggregate as $crate::aggregate::Aggregate>::Event;
            type Error = <$aggregate as $crate::aggregate::Aggregate>::Refusal;
            type Services = ();

            async fn handle(&mut self, command: Self::Command, _services: &(), sink: &cqrs_es::event_sink::EventSink<Self>) -> Result<(), Self::Error> {
                for event in $crate::aggregate::Aggregate::decide(self, command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                $crate::aggregate::Aggregate::evolve(self, &event);
            }
        }
    };
}
