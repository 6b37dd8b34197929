//! Hears that another replica has appended. It only saves waiting: what is heard late, or never, is
//! found by looking every now and then, since a notification is lost whenever a connection is.

use crate::database::DatabaseError;
use crate::failpoint;
use crate::log::{Committer, Need, Tail};
use crate::ports::Clock;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause before the server is asked for a new connection.
const AGAIN: Duration = Duration::from_secs(1);

/// Tells the committer until told to stop.
pub async fn listen(pool: PgPool, committer: Committer, tail: Arc<Tail>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = hear(&pool, &committer, &tail) => heard,
        };
        if let Err(error) = heard {
            tracing::debug!(%error, "nothing is heard of other replicas at the moment; what they append is looked for");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(AGAIN) => {}
        }
    }
}

async fn hear(pool: &PgPool, committer: &Committer, tail: &Tail) -> Result<(), DatabaseError> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("bongsu_log").await?;
    loop {
        let heard = listener.try_recv().await;
        if failpoint::planted("notify-only") && !matches!(heard, Ok(Some(_))) {
            std::future::pending::<()>().await;
        }
        let Some(heard) = heard? else {
            // The connection broke, and with it went whatever would have been heard; the next call makes another.
            committer.look_for_others();
            continue;
        };
        // Our own appends are heard too. Where nobody needs notifications of others, what is looked for every
        // now and then is soon enough: who decides on something stale is refused, and decides again.
        if tail.needed() != Need::NONE && heard.payload().parse::<u64>().is_ok_and(|position| position > tail.head()) {
            committer.look_for_others();
        }
    }
}
