//! An export in a list.

use domain::jobs::{Job, JobProgress, JobStateName};
use jiff::Timestamp;

use super::export::{Failure, Standing, said};
use super::text::{Moment, shown};
use super::words::Words;
use crate::api::{Service, progress};
use crate::place::Place;

/// An export in a few lines.
pub(super) struct Card {
    pub(super) path: String,
    pub(super) title: String,
    /// Whose data, where that is not who looks.
    pub(super) person: String,
    pub(super) standing: Standing,
    pub(super) text: String,
    /// How far it is in thousandths, where that is known.
    pub(super) bar: Option<u64>,
    /// When an answer is due, where there is none yet.
    pub(super) due: Option<Moment>,
    pub(super) is_overdue: bool,
    pub(super) expires: Option<Moment>,
    pub(super) failure: Option<Failure>,
    /// Where its file is, and how large, for whoever may fetch it.
    pub(super) archive: Option<(String, String)>,
}

impl Card {
    /// The export for its owner, or (without its file) for an administrator.
    pub(super) async fn of(service: &Service, words: &Words, job: &Job, is_own: bool) -> Self {
        let progress = progress(service, job).await;
        Self::new(words, job, is_own, progress.as_ref(), service.clock.now())
    }

    fn new(
        words: &Words,
        job: &Job,
        is_own: bool,
        progress: Option<&JobProgress>,
        now: Timestamp,
    ) -> Self {
        let state = job.state_at(now);
        let is_open = job.is_unfinished() || state == JobStateName::Failed;
        let person = &job.request.user;
        let ready = job.delivery().filter(|_| state == JobStateName::Ready);
        let shows_person = !is_own || *person != job.owner;
        Self {
            path: Place::Export(job.id.clone()).path(),
            title: (words.export_of)(&(words.moment)(job.requested)),
            person: if shows_person {
                shown(person.as_str())
            } else {
                String::new()
            },
            standing: Standing::of(words, job, now),
            text: said(words, job, progress, now),
            bar: progress
                .filter(|_| state == JobStateName::Running)
                .filter(|progress| progress.planned_items().is_some())
                .map(JobProgress::thousandths),
            due: is_open.then(|| Moment::of(words, job.due())),
            is_overdue: is_open && job.due() < now,
            expires: ready
                .and_then(|_| job.expires())
                .map(|expires| Moment::of(words, expires)),
            failure: Failure::of(words, job, now, is_own),
            archive: ready.filter(|_| is_own).map(|delivery| {
                let path = format!("/api/v1/exports/{}/archive", job.id);
                (path, (words.size)(delivery.bag.bytes))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::words::ENGLISH;
    use crate::testing::job;

    fn card(job: &Job, now: &str) -> Card {
        Card::new(&ENGLISH, job, true, None, now.parse().unwrap())
    }

    #[test]
    fn what_is_not_answered_within_a_month_is_overdue() {
        let asked = job(1, "john");
        let in_time = card(&asked, "1970-02-01T00:00:00Z");
        assert_eq!(in_time.due.unwrap().machine, "1970-02-01T00:00:00Z");
        assert!(!in_time.is_overdue);
        assert!(card(&asked, "1970-02-01T00:00:01Z").is_overdue);
        let mut given_up = asked;
        given_up.cancel(Timestamp::UNIX_EPOCH).unwrap();
        let over = card(&given_up, "1970-06-01T00:00:00Z");
        assert!(!over.is_overdue && over.due.is_none());
    }

    #[test]
    fn whose_data_it_is_is_said_where_that_is_somebody_else() {
        let mut asked = job(1, "john");
        assert_eq!(card(&asked, "1970-01-02T00:00:00Z").person, "");
        asked.request.user = crate::testing::user("mary");
        assert_eq!(card(&asked, "1970-01-02T00:00:00Z").person, "mary");
    }
}
