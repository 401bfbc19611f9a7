//! Every kind of page that the service has, as people see it: on screens of every width, light and dark, in three languages.

use serde_json::json;

use crate::driver::Browser;
use crate::journey::{LANGUAGES, Language, choose, sign_in};
use crate::service::{Service, Services};
use crate::structure::{HEADINGS, check_headings, roles};
use crate::views::{VIEWS, check_open};

/// A kind of page.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    open: Open,
}

/// How it is opened.
#[derive(Clone, Copy)]
enum Open {
    SignIn,
    WrongPassword,
    NobodyS,
    Home,
    HostileHome,
    Choice,
    Running,
    Complete,
    Partial,
    Failed,
    Question,
    Everybody,
    Campaigns,
    CampaignForm,
    CampaignQuestion,
    Trail,
}

const fn kind(name: &'static str, open: Open) -> Kind {
    Kind { name, open }
}

pub(crate) const KINDS: [Kind; 16] = [
    kind("sign_in", Open::SignIn),
    kind("wrong_password", Open::WrongPassword),
    kind("nothing_there", Open::NobodyS),
    kind("home", Open::Home),
    kind("choice", Open::Choice),
    kind("running", Open::Running),
    kind("complete", Open::Complete),
    kind("partial", Open::Partial),
    kind("failed", Open::Failed),
    kind("question", Open::Question),
    kind("everybody", Open::Everybody),
    kind("campaigns", Open::Campaigns),
    kind("campaign_form", Open::CampaignForm),
    kind("campaign_question", Open::CampaignQuestion),
    kind("trail", Open::Trail),
    kind("hostile_home", Open::HostileHome),
];

/// Elements that a script of somebody else's made, or that lead elsewhere.
const FOREIGN: &str = "
const own = location.origin;
const leading = [...document.querySelectorAll('[href], [src], [action]')].map((of) => of.href ?? of.src ?? of.action);
const handlers = [...document.querySelectorAll('*')].filter((of) => of.getAttributeNames().some((name) => name.startsWith('on') || name === 'style'));
return [
  ...leading.filter((address) => !String(address).startsWith(own + '/')),
  ...handlers.map((of) => of.outerHTML.slice(0, 200)),
  ...[...document.querySelectorAll('script:not([src]), style, iframe, object, embed, base')].map((of) => of.outerHTML.slice(0, 200)),
];";

/// The page is right in each language, and axe finds nothing in any view.
pub(crate) async fn check(kind: Kind, services: &Services, axe: &str, browser: &Browser) {
    for language in LANGUAGES {
        let service = kind.service(services);
        browser.requests().await;
        kind.open(language, services, browser).await;
        check_structure(language, browser).await;
        browser.run(axe).await;
        let name = format!("service-{}-{}", kind.name, language.tag);
        for (number, view) in VIEWS.into_iter().enumerate() {
            // Words differ from language to language, colours do not.
            if language.tag == "en" || number == 1 || number == 2 {
                check_open(browser, view, &name).await;
            }
        }
        let foreign = |address: &String| !address.starts_with(&format!("{}/", service.url));
        let mut asked = browser.requests().await;
        asked.retain(|address| foreign(address) && !address.starts_with("data:"));
        assert_eq!(asked, Vec::<String>::new(), "{name}");
        browser.chromium("Storage.clearCookies", json!({})).await;
    }
}

async fn check_structure(language: Language, browser: &Browser) {
    let said = browser
        .run("return [document.documentElement.lang, document.title.length > 5];")
        .await;
    assert_eq!(said, json!([language.tag, true]));
    check_headings(&browser.run(HEADINGS).await);
    let roles = roles(browser).await;
    for landmark in ["banner", "main", "contentinfo"] {
        assert_eq!(roles.get(landmark), Some(&1), "{landmark}: {roles:?}");
    }
    assert_eq!(browser.run(FOREIGN).await, json!([]));
}

impl Kind {
    fn service(self, services: &Services) -> &Service {
        match self.open {
            Open::Partial | Open::Failed | Open::Trail | Open::HostileHome => &services.hostile,
            Open::Running | Open::Campaigns => &services.endless,
            _ => &services.rich,
        }
    }

    async fn open(self, language: Language, services: &Services, browser: &Browser) {
        let service = self.service(services);
        browser.visit(&service.url).await;
        choose(language, browser).await;
        let go = async |path: &str| browser.visit(&format!("{}{path}", service.url)).await;
        match self.open {
            Open::SignIn => return,
            Open::WrongPassword => {
                return sign_in(&service.colleague.login, "wrong", browser).await;
            }
            Open::Everybody
            | Open::Campaigns
            | Open::CampaignForm
            | Open::CampaignQuestion
            | Open::Trail => {
                let administrator = &service.administrator;
                sign_in(&administrator.login, &administrator.password, browser).await;
            }
            _ => sign_in(&service.user.login, &service.user.password, browser).await,
        }
        match self.open {
            Open::SignIn | Open::WrongPassword | Open::Home | Open::HostileHome => {}
            Open::NobodyS => go("/exports/nowhere").await,
            Open::Choice => {
                browser.click("#some").await;
                browser.click("summary").await;
            }
            Open::Running => go(&services.running).await,
            Open::Complete => {
                go(&services.complete).await;
                browser.click("summary").await;
            }
            Open::Partial => go(&services.partial).await,
            Open::Failed => go(&services.failed).await,
            Open::Question => go(&format!("{}/delete", services.complete)).await,
            Open::Everybody => go("/everybody").await,
            Open::Campaigns => go("/campaigns").await,
            Open::CampaignForm => go("/campaigns/new").await,
            Open::CampaignQuestion => {
                go("/campaigns/new").await;
                browser.click("#whom-everyone").await;
                browser.click("summary").await;
                browser.click("#since").await;
                browser.follow("form.panel button.main").await;
            }
            Open::Trail => go("/audit").await,
        }
    }
}
