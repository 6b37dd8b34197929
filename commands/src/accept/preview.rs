//! What would become of a request, and why: decided like any other, and nothing is written.

use super::{Acceptor, Chain, Open, Refusal, SendRequest, Sources};
use crate::bus::Refused;
use crate::log::LogError;
use domain::policy::deciding::{self, Considered, Decision};
use domain::values::NotificationId;

impl Acceptor {
    /// Decides on a request as it would be decided now, with all that was considered on the way.
    /// Whether its idempotency key was used before makes no difference.
    pub async fn preview(&self, request: SendRequest) -> Result<Result<(Decision, Vec<Considered>), Refusal>, LogError> {
        let now = self.clock.now();
        if let Err(refusal) = request.check(now) {
            return Ok(Err(refusal));
        }
        if request.expires_at.is_some_and(|at| at <= now) {
            return Ok(Err(Refusal::Expired));
        }
        let recipient = self.hashing.recipient(&request.recipient);
        let item = Open { index: 0, id: NotificationId::default(), recipient, request };
        let ready = match self.prepare(item, now).await {
            Ok(ready) => ready,
            Err(Refused::Refusal(refusal)) => return Ok(Err(refusal)),
            Err(Refused::Log(error)) => return Err(error),
            Err(Refused::Erased) => return Ok(Err(Refusal::ErasedRecipient)),
            Err(Refused::Contended) => return Ok(Err(Refusal::Contended)),
        };
        let suppressed = self.facts.suppressed(&self.bus, ready.facts.addresses(ready.ask())).await?;
        let sources = Sources { bus: &self.bus, facts: &self.facts, overall: &self.overall, suppressed: &suppressed };
        let explained = Chain::default().consider(&sources, &ready.facts, &ready.question(), now, deciding::explain).await?;
        Ok(Ok(explained))
    }
}
