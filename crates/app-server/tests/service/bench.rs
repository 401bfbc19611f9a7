//! A sandbox, a service in front of it, and the people who use it.

use std::time::Duration;

use app_server::{Running, Settings, start};
use sandbox::Scenario;
use serde_json::Value;

use crate::caller::Caller;

pub(crate) struct Bench {
    pub(crate) forge: sandbox::Running,
    pub(crate) service: Running,
    pub(crate) folder: tempfile::TempDir,
}

/// Small and quick: two appliances and two bundles, one moment each.
pub(crate) fn quick() -> Scenario {
    let mut scenario = Scenario::default();
    scenario.data.appliances = 2;
    scenario.data.software = 2;
    scenario.data.accounts = 2;
    scenario.data.archive_bytes = 20_000;
    scenario.timing.export_millis = 20;
    scenario
}

/// Exports that take as long as the test lets them.
pub(crate) fn endless() -> Scenario {
    let mut scenario = quick();
    scenario.timing.export_millis = 3_600_000;
    scenario
}

pub(crate) async fn bench(scenario: Scenario) -> Bench {
    bench_with(scenario, |_| {}).await
}

/// With other settings than the usual ones.
pub(crate) async fn bench_with(scenario: Scenario, change: impl FnOnce(&mut Settings)) -> Bench {
    let forge = sandbox::serve(([127, 0, 0, 1], 0).into(), scenario)
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(forge.url(), folder.path().join("data"));
    change(&mut settings);
    let service = start(settings).await.unwrap();
    Bench {
        forge,
        service,
        folder,
    }
}

impl Bench {
    pub(crate) fn user(&self) -> Caller {
        let user = &self.forge.platform().scenario().user;
        Caller::new(self.service.url(), &user.login, &user.password)
    }

    pub(crate) fn colleague(&self) -> Caller {
        let colleague = &self.forge.platform().scenario().colleague;
        Caller::new(self.service.url(), &colleague.login, &colleague.password)
    }

    pub(crate) fn administrator(&self) -> Caller {
        let administrator = &self.forge.platform().scenario().administrator;
        Caller::new(
            self.service.url(),
            &administrator.login,
            &administrator.password,
        )
    }

    /// Folders that jobs have on disk.
    pub(crate) fn folders(&self) -> usize {
        let data = self.folder.path().join("data");
        let count = |name| std::fs::read_dir(data.join(name)).unwrap().count();
        count("bags") + count("work")
    }

    pub(crate) async fn until_tickets(&self) {
        while self.forge.platform().open_tickets().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Asks for an export and gives where it is.
pub(crate) async fn create(caller: &Caller, body: &str) -> String {
    let created = caller.post(body).await;
    assert_eq!(
        created.status,
        202,
        "{}",
        String::from_utf8_lossy(&created.body)
    );
    created.headers["location"].clone()
}

/// Waits until the export is in this state.
pub(crate) async fn until(caller: &Caller, path: &str, state: &str) -> Value {
    loop {
        let export = caller.get(path).await.json();
        if export["state"] == state {
            return export;
        }
        assert!(
            matches!(
                export["state"].as_str(),
                Some("queued" | "running" | "waiting")
            ),
            "{export:#}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
