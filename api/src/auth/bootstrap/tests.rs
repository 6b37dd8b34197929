#![allow(clippy::unwrap_used, missing_docs)]

use super::{administrator, ensure};
use crate::app::data_dir::DataDir;
use crate::app::engine::{Engine, EngineSettings};
use crate::app::stores::Stores;
use crate::auth::api_key::KeyHasher;
use crate::auth::registry::KeyRegistry;
use commands::log::{LogError, Metadata};
use commands::ports::{Random, SystemClock, SystemRandom};
use domain::api_key::{ApiKey, ApiKeyCommand};
use domain::{AggregateKind, StreamId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use workers::channels::BreakerSettings;

#[tokio::test]
async fn a_key_whose_secret_was_not_kept_is_not_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::lock(folder.path()).unwrap();
    let master = data.master_key(None, None, &SystemRandom).unwrap();
    let keys = Arc::new(KeyRegistry::new(KeyHasher::new(&master)));
    let settings = EngineSettings {
        schedules: HashMap::new(),
        batch: 1,
        lane: 1,
        breaker: BreakerSettings::default(),
        rates: HashMap::new(),
        ramps: HashMap::new(),
        prices: HashMap::new(),
        also_from: HashMap::new(),
        terms: HashMap::new(),
        abroad: HashMap::new(),
        mirror: None,
        roles: crate::config::Roles::ALL,
        overall: Vec::new(),
        share_always: false,
        links: Default::default(),
        files: Default::default(),
        examiner: Arc::new(commands::templates::InProcess),
    };
    let hooks: Vec<Arc<dyn commands::log::AfterCommit>> = vec![Arc::<KeyRegistry>::clone(&keys)];
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let stores = Stores::embedded(&data, &master, 1, &random).unwrap();
    let engine = Engine::over(stores, &master, settings, hooks, Arc::new(SystemClock::default()), random).unwrap();
    let now = SystemClock::default();

    let full = || LogError::Unavailable { reason: "no room for a file".to_owned() };
    let drawn = RefCell::new(None);
    let failed = ensure(&engine.bus, &keys, &now, &SystemRandom, |secret| {
        drawn.replace(secret.map(str::to_owned));
        Err(full())
    });
    failed.await.unwrap_err();
    assert!(keys.authenticate(&drawn.take().unwrap(), 0).is_err(), "nobody could have used it");

    let kept = RefCell::new(None);
    let keep = |secret: Option<&str>| {
        assert!(secret.is_none_or(|secret| keys.authenticate(secret, 0).is_err()), "kept first");
        kept.replace(secret.map(str::to_owned));
        Ok::<_, LogError>(())
    };
    let made = ensure(&engine.bus, &keys, &now, &SystemRandom, keep).await.unwrap();
    assert_eq!(made, *kept.borrow());
    assert!(keys.authenticate(&made.unwrap(), 0).is_ok());
    assert_eq!(ensure(&engine.bus, &keys, &now, &SystemRandom, |_| Err(full())).await.unwrap(), None, "once");

    // A replica that has not heard of it yet makes none, and one that was slower forgets what it drew.
    let slow = KeyRegistry::new(KeyHasher::new(&master));
    assert_eq!(ensure(&engine.bus, &slow, &now, &SystemRandom, |_| Err(full())).await.unwrap(), None);
    let first = StreamId::new(AggregateKind::ApiKey, administrator(0).0);
    engine.bus.execute::<ApiKey>(first, &Arc::new(Metadata::of("test")), ApiKeyCommand::Revoke).await.unwrap();
    let places = [RefCell::new(None), RefCell::new(None)];
    let start = |place: usize| {
        let place = &places[place];
        let keep = move |secret: Option<&str>| {
            place.replace(secret.map(str::to_owned));
            Ok::<_, LogError>(())
        };
        ensure(&engine.bus, &slow, &now, &SystemRandom, keep)
    };
    let (one, other) = tokio::join!(start(0), start(1));
    let made = [one.unwrap(), other.unwrap()];
    assert_eq!(made.iter().flatten().count(), 1, "one of two that start at once");
    assert_eq!(places.map(RefCell::into_inner), made, "and only its secret is kept");
}
