//! Problems in English.

use domain::jobs::JobStateName;

use super::counts::wait;
use crate::page::words::Said;
use crate::problem::Problem;

#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn problem(problem: &Problem) -> Said {
    let (title, text) = match problem {
        Problem::Unauthenticated { .. } => (
            "Please sign in",
            "This page is for people who are signed in.".to_owned(),
        ),
        Problem::Forbidden => (
            "UForge does not let you in",
            "UForge knows your login, but does not let this account read its own data. Ask an administrator of UForge.".to_owned(),
        ),
        Problem::ForbiddenPerson => (
            "UForge does not show you this person",
            "UForge does not let you read this person’s data, or there is no such person.".to_owned(),
        ),
        Problem::InvalidLogin { .. } => (
            "This cannot be a login",
            "A login is your own UForge login, without special characters. Nobody can sign in as somebody else here.".to_owned(),
        ),
        Problem::InvalidForm | Problem::InvalidJson { .. } | Problem::NotDeclaredJson | Problem::InvalidKey { .. } => (
            "The form was not understood",
            "Please go back, load the page again, and fill it in once more.".to_owned(),
        ),
        Problem::InvalidOrder { .. } => (
            "Nothing to export",
            "What was filled in leaves nothing to export, or does not fit together. Please go back and choose at least one kind of data.".to_owned(),
        ),
        Problem::InvalidQuery { .. } => (
            "This part of the list is not there",
            "Please begin at the first page again.".to_owned(),
        ),
        Problem::CrossOrigin => (
            "This did not come from here",
            "The request was sent by another site’s page, or your browser does not say from where it came. Nothing was done.".to_owned(),
        ),
        Problem::TooManyStreams { limit } => (
            "Too many pages are open",
            format!("At most {limit} pages of yours can keep themselves up to date at the same time. Please close some."),
        ),
        Problem::TooManyAttempts { wait: time } => (
            "Too many wrong passwords",
            format!("Please wait {} before you try again.", wait(*time)),
        ),
        Problem::PlatformUnavailable { .. } => (
            "UForge does not answer",
            "UForge could not be asked whether this is you. Your finished exports are safe. Please try again in a moment.".to_owned(),
        ),
        Problem::UnknownPath | Problem::MethodNotAllowed => (
            "There is nothing here",
            "The address may be mistyped, or what was here is gone.".to_owned(),
        ),
        Problem::UnknownExport => (
            "There is no such export",
            "None of your exports has this address. Perhaps you are signed in with another login.".to_owned(),
        ),
        Problem::OthersExport => (
            "This is somebody else’s export",
            "Only the person whose data it holds, and the administrator who ordered it, can fetch it, delete it or try it again.".to_owned(),
        ),
        Problem::UnknownCampaign => (
            "There is no such campaign",
            "The address may be mistyped.".to_owned(),
        ),
        Problem::CampaignOver => (
            "The campaign is over",
            "All of its exports are over, or it was cancelled. Order a new one.".to_owned(),
        ),
        Problem::OthersCampaign => (
            "This campaign is somebody else’s",
            "Only the administrator who ordered it can try its failed exports again.".to_owned(),
        ),
        Problem::NothingToRetry => (
            "There is nothing to try again",
            "None of its exports has failed, or nothing is kept of them any more. Order a new campaign for these people.".to_owned(),
        ),
        Problem::BodyTooLarge { .. } => (
            "That was too much",
            "The form is larger than is accepted.".to_owned(),
        ),
        Problem::UnclearHost => (
            "The browser did not say where it wanted to go",
            "The address of this service was missing from what it sent. Please try another browser.".to_owned(),
        ),
        Problem::HeadersTooLarge { .. } => (
            "The request is too large",
            "Please delete the cookies of this site, and try again.".to_owned(),
        ),
        Problem::BodyIncomplete => (
            "The form did not arrive",
            "The connection broke off or was too slow. Please try again.".to_owned(),
        ),
        Problem::NotReady { .. } => (
            "The file is not ready yet",
            "The export is not over. Its page shows how far it is.".to_owned(),
        ),
        Problem::Gone { state } => (
            "There is no file any more",
            match state {
                JobStateName::Failed => "The export failed: its page says why.",
                JobStateName::Expired => "It was kept as long as promised. You can ask for a new copy.",
                _ => "It was deleted or given up. You can ask for a new copy.",
            }
            .to_owned(),
        ),
        Problem::NoReceipt => (
            "There is no receipt",
            "The export was made before there were receipts, or this service signs none.".to_owned(),
        ),
        Problem::OtherArchive => (
            "The file is another one",
            "Please begin the download anew.".to_owned(),
        ),
        Problem::RangeNotSatisfiable { .. } => (
            "The file has no such part",
            "Please begin the download anew.".to_owned(),
        ),
        Problem::TooManyExports { limit } => (
            "Too many exports are under way",
            format!("At most {limit} of your exports can be under way at the same time. Please wait for one, or give one up."),
        ),
        Problem::TooManyOrders { limit, wait: time } => (
            "Too many exports today",
            format!("At most {limit} exports can be asked for within a day. The next one is possible in {}.", wait(*time)),
        ),
        Problem::TooManyArchives { wait: time, .. } => (
            "Too many files are kept for you",
            format!("Delete one of your files first, or wait {}: then the first one expires.", wait(*time)),
        ),
        Problem::KeyReused => (
            "This was asked for already",
            "Please load the page again before you ask for something else.".to_owned(),
        ),
        Problem::NotResumable { state } => (
            "This export cannot be tried again",
            match state {
                JobStateName::Failed => "Nothing is kept of it any more. Please ask for a new copy.",
                _ => "Only a failed export can be tried again.",
            }
            .to_owned(),
        ),
        Problem::NotAdministrator => (
            "This is for administrators",
            "The operator of this service names its administrators.".to_owned(),
        ),
        Problem::Busy => (
            "The service is busy",
            "Please try again in a moment.".to_owned(),
        ),
        Problem::NoSpace => (
            "The service’s disk is full",
            "Nothing is lost. What is there can still be fetched; please ask again later.".to_owned(),
        ),
        Problem::Stopping => (
            "The service is being restarted",
            "Please try again in a minute. Nothing is lost.".to_owned(),
        ),
        Problem::Internal => (
            "Something went wrong here",
            "That is the service’s own fault; its operator finds the cause in the log. Please try again.".to_owned(),
        ),
    };
    Said { title, text }
}
