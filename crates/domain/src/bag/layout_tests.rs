//! Where files are in the bag.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::{ItemRef, PartKind};
use Representation::{Json, Xml};

fn id(number: i64) -> ObjectId {
    ObjectId::try_from(number).unwrap()
}

#[test]
fn every_file_lies_where_the_contract_says() {
    let shop = object_folder(Section::Appliances, id(201), "Web shop");
    let nginx = object_folder(Section::MySoftware, id(7), "nginx");
    let aws = object_folder(Section::CloudAccounts, id(12), "AWS");
    let team = object_folder(Section::WorkspaceComments, id(3), "Team");
    for (path, expected) in [
        (
            list_document(Section::Profile, 1, Xml),
            "data/profile/user.xml",
        ),
        (
            list_document(Section::Profile, 1, Json),
            "data/profile/user.json",
        ),
        (photo("png"), "data/profile/photo.png"),
        (
            list_document(Section::Appliances, 1, Xml),
            "data/appliances/appliances.xml",
        ),
        (
            list_document(Section::Appliances, 2, Json),
            "data/appliances/appliances-2.json",
        ),
        (
            object_document(&shop, Section::Appliances, Xml),
            "data/appliances/201-web-shop/appliance.xml",
        ),
        (
            object_document_again(&shop, Section::Appliances, 2, Xml),
            "data/appliances/201-web-shop/appliance-2.xml",
        ),
        (
            archive(&shop, 1),
            "data/appliances/201-web-shop/archive.tar.gz",
        ),
        (
            archive(&shop, 2),
            "data/appliances/201-web-shop/archive-2.tar.gz",
        ),
        (logo(&shop, "svg"), "data/appliances/201-web-shop/logo.svg"),
        (
            object_document(&nginx, Section::MySoftware, Xml),
            "data/mysoftware/7-nginx/mysoftware.xml",
        ),
        (
            list_document(Section::CloudAccounts, 1, Xml),
            "data/cloud-accounts/accounts.xml",
        ),
        (
            object_document(&aws, Section::CloudAccounts, Json),
            "data/cloud-accounts/12-aws/account.json",
        ),
        (
            certificate(&aws, id(5), "My Key.pem"),
            "data/cloud-accounts/12-aws/certificates/5-my-key.pem",
        ),
        (
            list_document(Section::Roles, 1, Xml),
            "data/roles/roles.xml",
        ),
        (
            list_document(Section::PublishedImages, 3, Xml),
            "data/published-images/published-images-3.xml",
        ),
        (
            comments(&team, None, 1, Xml),
            "data/workspace-comments/3-team/comments.xml",
        ),
        (
            comments(&team, None, 2, Xml),
            "data/workspace-comments/3-team/comments-2.xml",
        ),
        (
            comments(&team, Some((id(9), "T/1")), 1, Json),
            "data/workspace-comments/3-team/9-t-1.json",
        ),
    ] {
        assert_eq!(path.as_str(), expected);
        assert!(path.is_payload());
    }
}

#[test]
fn parts_lie_below_fallback_where_they_lie_below_their_item() {
    let shop = object_folder(Section::Appliances, id(201), "Web shop");
    let item = ItemRef {
        kind: ItemKind::Appliance,
        id: id(201),
    };
    let part = |path: &str, ids: &[ObjectId]| {
        let mut kinds = PartKind::all(ItemKind::Appliance);
        let kind = kinds.find(|kind| kind.below_item() == path).unwrap();
        PartRef::new(item, kind, ids).unwrap()
    };
    let base = "data/appliances/201-web-shop/fallback";
    for (path, expected) in [
        (
            part_document(&shop, part("bootscripts", &[]), 2, Xml),
            "bootscripts-2.xml",
        ),
        (
            part_document(&shop, part("installProfile/{ipid}/nics", &[id(3)]), 1, Json),
            "installProfile/3/nics.json",
        ),
        (
            part_file(&shop, part("bootscripts/{bsid}/bin", &[id(5)]), "../a.sh"),
            "bootscripts/5-a.sh",
        ),
        (
            part_file(
                &shop,
                part("oas/{oaspkgid}/licenses/{oaslid}", &[id(5), id(6)]),
                "",
            ),
            "oas/5/licenses/6-unnamed",
        ),
    ] {
        assert_eq!(path.as_str(), format!("{base}/{expected}"));
    }
}

#[test]
fn a_document_says_which_reading_of_its_object_it_is() {
    for (path, form, expected) in [
        ("data/appliances/1-a/appliance.xml", Xml, Some(1)),
        ("data/appliances/1-a/appliance-3.json", Json, Some(3)),
        ("data/appliances/1-a/appliance.json", Xml, None),
        ("data/appliances/appliances.xml", Xml, None),
        ("data/appliances/1-a/logo.png", Xml, None),
    ] {
        let path = BagPath::parse(path).unwrap();
        let time = time_of_object_document(&path, Section::Appliances, form);
        assert_eq!(time, expected, "{path}");
    }
}

#[test]
fn pages_for_people_lie_beside_the_payload() {
    let names = [1, 2].map(|page| view_page(Section::SshKeys, page).to_string());
    assert_eq!(names, ["view/ssh-keys.html", "view/ssh-keys-2.html"]);
    assert!(!view_page(Section::Roles, 1).is_payload());
}

#[test]
fn archives_are_known_by_their_place() {
    let shop = object_folder(Section::Appliances, id(201), "Web shop");
    assert!(is_archive(archive(&shop, 2).as_str()));
    assert!(!is_archive("data/appliances/201-web-shop/appliance.xml"));
    assert!(!is_archive(
        "data/cloud-accounts/1-aws/certificates/2-x.tar.gz"
    ));
    assert!(!is_archive(
        "data/mysoftware/7-nginx/fallback/artifacts/9-archive.tar.gz"
    ));
}

#[test]
fn tag_files_lie_at_the_top() {
    assert_eq!(Tag::TagManifest.path().as_str(), "tagmanifest-sha256.txt");
    assert!(!Tag::ExportJson.path().is_payload());
}

#[test]
fn documents_of_different_sections_never_share_a_path() {
    let all: BTreeSet<_> = Section::ALL
        .into_iter()
        .map(|section| list_document(section, 1, Xml))
        .collect();
    assert_eq!(all.len(), Section::ALL.len());
}

#[test]
fn a_media_type_has_an_ending() {
    for (media_type, ending) in [
        ("image/png", "png"),
        ("image/JPEG; q=1", "jpg"),
        ("image/vnd.microsoft.icon", "ico"),
        ("text/x-../../etc/passwd", "bin"),
        ("", "bin"),
    ] {
        assert_eq!(ending_of(media_type), ending, "{media_type}");
    }
}

proptest! {
    #[test]
    fn hostile_names_and_numbers_still_give_paths(number in 1_i64.., text in ".{0,80}", page in any::<usize>()) {
        for section in Section::ALL {
            let folder = object_folder(section, id(number), &text);
            for path in [
                list_document(section, page, Json),
                comments(&folder, Some((id(number), &text)), page, Json),
                object_document_again(&folder, section, page, Json),
                archive(&folder, page),
                certificate(&folder, id(number), &text),
                logo(&folder, &text),
                photo(&text),
            ] {
                prop_assert!(BagPath::parse(path.as_str()).is_ok());
            }
        }
    }
}
