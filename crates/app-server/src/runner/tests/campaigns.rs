//! Whose credentials a campaign's exports are run with, and for how long they are kept.

use bytes::Bytes;
use domain::jobs::{
    Audience, Campaign, CampaignId, CampaignOrder, CampaignStanding, CampaignState, JobRequest,
    MockCampaignStore,
};
use domain::model::UserId;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::*;
use crate::backend::Credentials;
use crate::seal::{Seal, SealError};

/// Seals by saying whose they are and for what.
pub(super) struct FakeSeal;

impl Seal for FakeSeal {
    fn seal(&self, job: &JobId, owner: &UserId, held: &Credentials) -> Result<Bytes, SealError> {
        let password = held.password.expose_secret();
        Ok(format!("{job} {owner} {password}").into())
    }

    fn open(&self, job: &JobId, owner: &UserId, sealed: &[u8]) -> Result<Credentials, SealError> {
        let text = String::from_utf8_lossy(sealed).into_owned();
        let password = text.strip_prefix(&format!("{job} {owner} "));
        Ok(Credentials {
            login: owner.clone(),
            password: SecretString::from(password.ok_or(SealError::OfAnother)?),
        })
    }
}

pub(super) fn named() -> CampaignId {
    id(900).into()
}

impl Bench {
    pub(super) async fn with_seal(mut self) -> Self {
        self.runner.kill();
        let ports = RunnerPorts {
            seal: Some(Arc::new(FakeSeal)),
            ..self.stores.ports(&self.backend)
        };
        self.runner = Runner::start(ports, terms(3)).await.unwrap();
        self
    }

    pub(super) async fn order_campaign(&self) {
        let root = user("root");
        let campaign = Campaign {
            id: named(),
            requested_by: root.clone(),
            requested: Timestamp::UNIX_EPOCH,
            order: CampaignOrder {
                audience: Audience::Users(2),
                request: JobRequest::everything_of(root),
                since: None,
            },
            state: CampaignState::Running,
            total: 0,
        };
        let people = vec![(id(901), user("ann")), (id(902), user("bob"))];
        let credentials = credentials("root");
        let taken = self.runner.take_on_campaign(campaign, people, &credentials);
        taken.await.unwrap();
    }

    async fn until_over(&self) {
        while !self.stores.campaigns.unfinished().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.runner.context.sweep().await;
    }

    fn held(&self) -> Option<Credentials> {
        self.runner.context.registry.credentials(&user("root"))
    }
}

#[tokio::test]
async fn with_a_service_account_nothing_of_the_administrator_is_kept() {
    let bench = bench(3).await.with_seal().await;
    bench.backend.add_service_account();
    bench.order_campaign().await;
    bench.until_tickets(2).await;
    assert!(bench.held().is_none());
    assert_eq!(bench.stores.sealed.list().await.unwrap(), []);
    bench.backend.let_through(2);
    bench.until_over().await;
    assert_eq!(bench.backend.passwords(), ["", ""]);
}

#[tokio::test]
async fn a_campaign_s_credentials_are_sealed_once_and_go_with_its_last_export() {
    let bench = bench(3).await.with_seal().await;
    bench.order_campaign().await;
    bench.until_tickets(2).await;
    let key = named().key().clone();
    let sealed = bench.stores.sealed.list().await.unwrap();
    assert_eq!(sealed, std::slice::from_ref(&key));
    // The next process uses what was sealed, and nobody signs in.
    let bench = bench.with_seal().await;
    assert_eq!(bench.stores.sealed.list().await.unwrap(), [key]);
    bench.until_tickets(2).await;
    bench.backend.let_through(2);
    bench.until_over().await;
    assert!(
        bench
            .backend
            .passwords()
            .iter()
            .all(|held| held == "secret")
    );
    assert_eq!(bench.stores.sealed.list().await.unwrap(), []);
    assert!(bench.held().is_none());
}

#[tokio::test]
async fn what_is_tried_again_runs_with_the_administrator_s_credentials() {
    for all in [false, true] {
        let bench = bench(3).await.with_seal().await;
        bench.backend.behave(Behaviour::Break);
        bench.backend.let_through(2);
        bench.order_campaign().await;
        bench.until_over().await;
        assert!(bench.held().is_none());
        bench.backend.behave(Behaviour::Deliver);
        let (root, ours) = (user("root"), credentials("root"));
        if all {
            let retried = bench.runner.retry_campaign(&named(), &root, &ours).await;
            assert_eq!(retried.unwrap(), 2);
        } else {
            let (ann, id) = (user("ann"), id(901));
            let retried = bench.runner.retry(&ann, &id, &root, &ours).await;
            retried.unwrap();
        }
        bench.runner.context.sweep().await;
        let sealed = bench.stores.sealed.list().await.unwrap();
        assert_eq!(sealed, std::slice::from_ref(named().key()));
        // Also after a restart.
        let count = if all { 2 } else { 1 };
        bench.until_tickets(count).await;
        let bench = bench.with_seal().await;
        bench.backend.let_through(count);
        bench.until_over().await;
        bench.until(&id(901), JobStateName::Ready).await;
        assert_eq!(bench.stores.sealed.list().await.unwrap(), []);
        assert!(bench.held().is_none());
    }
}

/// Those under way are read, then it is recorded, then it is looked at by itself.
#[tokio::test]
async fn a_campaign_that_is_recorded_in_this_moment_is_not_over() {
    let bench = bench(1).await;
    let mut campaigns = MockCampaignStore::new();
    campaigns.expect_unfinished().returning(|| Ok(Vec::new()));
    campaigns.expect_standing().returning(|_| {
        Ok(CampaignStanding {
            counts: vec![(JobStateName::Queued, 2)],
            first_began: None,
        })
    });
    let ports = RunnerPorts {
        campaigns: Arc::new(campaigns),
        ..bench.stores.ports(&bench.backend)
    };
    let runner = Runner::start(ports, terms(1)).await.unwrap();
    let registry = &runner.context.registry;
    registry.add_campaign(&named(), &user("root"));
    runner.context.forget_campaigns().await;
    assert!(registry.period(named().key()).is_some());
}
