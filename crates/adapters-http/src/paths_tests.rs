//! Resources as paths.

use domain::model::ExportId;
use proptest::prelude::*;

use super::*;

fn paths(login: &str) -> Paths {
    Paths::of(&UserId::parse(login).unwrap()).unwrap()
}

fn object(id: i64) -> ObjectId {
    ObjectId::try_from(id).unwrap()
}

fn ticket() -> Ticket {
    Ticket {
        item: ItemRef {
            kind: ItemKind::Appliance,
            id: object(201),
        },
        id: ExportId::try_from(12).unwrap(),
    }
}

#[test]
fn every_resource_has_its_path() {
    let bundle = ItemRef {
        kind: ItemKind::MySoftware,
        id: object(7),
    };
    let page = Page::From {
        offset: 100,
        count: 50,
    };
    let (org, workspace, template) = (object(1), object(2), object(3));
    let (account, certificate) = (object(4), object(5));
    let john = paths("john");
    for (address, expected) in [
        (john.resource(Resource::User), "users/john"),
        (
            john.resource(Resource::List(ListResource::PublishedImages, Page::Whole)),
            "users/john/pimages",
        ),
        (
            john.resource(Resource::List(ListResource::Appliances, page)),
            "users/john/appliances?count=50&offset=100",
        ),
        (
            john.resource(Resource::List(ListResource::Scans, page)),
            "users/john/scans?max=50&index=100",
        ),
        (
            john.resource(Resource::Item(bundle)),
            "users/john/mysoftware/7",
        ),
        (
            john.resource(Resource::CloudAccount(account)),
            "users/john/accounts/4",
        ),
        (
            john.resource(Resource::WorkspaceTemplates { org, workspace }),
            "orgs/1/workspaces/2/templates",
        ),
        (
            john.resource(Resource::WorkspaceComments {
                org,
                workspace,
                page,
            }),
            "orgs/1/workspaces/2/comments?count=50&offset=100",
        ),
        (
            john.resource(Resource::TemplateComments {
                org,
                workspace,
                template,
                page: Page::Whole,
            }),
            "orgs/1/workspaces/2/templates/3/comments",
        ),
        (
            john.binary(BinaryRef::Photo(object(9))),
            "users/john/photo/9",
        ),
        (
            john.binary(BinaryRef::Logo(bundle, object(9))),
            "users/john/mysoftware/7/logo/9",
        ),
        (
            john.binary(BinaryRef::Certificate {
                account,
                certificate,
            }),
            "users/john/accounts/4/certs/5",
        ),
        (
            john.exports(bundle, OutputFormat::Json),
            "users/john/mysoftware/7/exports?outputFormat=json",
        ),
        (
            john.ticket(ticket()),
            "users/john/appliances/201/exports/12",
        ),
        (
            john.ticket_status(ticket()),
            "users/john/appliances/201/exports/12/status",
        ),
        (
            john.archive(ticket()),
            "users/john/appliances/201/exports/12/downloads",
        ),
    ] {
        assert_eq!(address.target(), expected);
    }
}

#[test]
fn statuses_are_asked_for_by_uri() {
    assert_eq!(
        paths("john").statuses(&[ticket(), ticket()]).target(),
        "users/john/exports/statuses?ae=users%2Fjohn%2Fappliances%2F201%2Fexports%2F12&ae=users%2Fjohn%2Fappliances%2F201%2Fexports%2F12"
    );
}

#[test]
fn imports_have_their_paths() {
    let options = ImportOptions {
        tagging: Tagging::Imported,
        overwrite: false,
        os_version: OsVersion::Exact,
    };
    let john = paths("john");
    for (kind, expected) in [
        (
            ItemKind::Appliance,
            "users/john/imports?imported=true&force=false&reuseBundles=true&useMajor=false",
        ),
        (
            ItemKind::MySoftware,
            "users/john/bundleimports?imported=true",
        ),
    ] {
        assert_eq!(john.imports(kind, options).target(), expected);
    }
    let ticket = ImportTicket {
        kind: ItemKind::MySoftware,
        id: domain::model::ImportId::try_from(7).unwrap(),
    };
    for (address, expected) in [
        (john.import(ticket), "users/john/bundleimports/7"),
        (
            john.import_upload(ticket),
            "users/john/bundleimports/7/uploads",
        ),
        (
            john.import_status(ticket),
            "users/john/bundleimports/7/status",
        ),
    ] {
        assert_eq!(address.target(), expected);
    }
}

#[test]
fn a_login_is_one_segment_of_the_path() {
    for (login, segment) in [
        ("j@x.org", "j%40x.org"),
        ("john doe", "john%20doe"),
        ("jürgen", "j%C3%BCrgen"),
        ("a/../b\\c?d#e", "a%2F..%2Fb%5Cc%3Fd%23e"),
        ("a%2f", "a%252f"),
    ] {
        assert_eq!(
            paths(login).resource(Resource::User).target(),
            format!("users/{segment}")
        );
    }
    assert!(Paths::of(&UserId::parse("..").unwrap()).is_none());
}

proptest! {
    #[test]
    fn no_login_leaves_its_segment_on_the_way_through_a_url_library(login in "\\PC{1,60}") {
        if let Some(paths) = UserId::parse(&login).ok().as_ref().and_then(Paths::of) {
            let target = paths.ticket(ticket()).target();
            let url = reqwest::Url::parse(&format!("http://h/api/{target}")).unwrap();
            prop_assert_eq!(url.as_str(), format!("http://h/api/{target}"));
            prop_assert_eq!(url.path_segments().unwrap().count(), 7);
        }
    }
}
