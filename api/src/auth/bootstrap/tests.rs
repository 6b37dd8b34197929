#![allow(clippy::unwrap_used, missing_docs)]

use super::ensure;
use crate::app::data_dir::DataDir;
use crate::app::engine::{Engine, EngineSettings};
use crate::app::stores::Stores;
use crate::auth::api_key::KeyHasher;
use crate::auth::registry::KeyRegistry;
use commands::log::LogError;
use commands::ports::{Random, SystemClock, SystemRandom};
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
        mirror: None,
        roles: crate::config::Roles::ALL,
        overall: Vec::new(),
        share_always: false,
        links: Default::default(),
    };
    let hooks: Vec<Arc<dyn commands::log::AfterCommit>> = vec![Arc::<KeyRegistry>::clone(&keys)];
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let stores = Stores::embedded(&data, &master, 1, &random).unwrap();
    let engine = Engine::over(stores, &master, settings, hooks, Arc::new(SystemClock::default()), random).unwrap();
    let now = SystemClock::default();

    let full = || LogError::Unavailable { reason: "no room for a file".to_owned() };
    let mut drawn = String::new();
    let failed = ensure(&engine.bus, &keys, &now, &SystemRandom, |secret| {
        drawn = secret.to_owned();
        Err(full())
    });
    failed.await.unwrap_err();
    assert!(keys.authenticate(&drawn, 0).is_err(), "nobody could have used it");

    let mut kept = None;
    let made = ensure(&engine.bus, &keys, &now, &SystemRandom, |secret| {
        assert!(keys.authenticate(secret, 0).is_err(), "kept first");
        kept = Some(secret.to_owned());
        Ok::<_, LogError>(())
    });
    let made = made.await.unwrap();
    assert_eq!(made, kept);
    assert!(keys.authenticate(&made.unwrap(), 0).is_ok());
    assert_eq!(ensure(&engine.bus, &keys, &now, &SystemRandom, |_| Err(full())).await.unwrap(), None, "once");
}
