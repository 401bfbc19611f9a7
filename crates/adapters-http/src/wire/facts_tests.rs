use domain::model::{ObjectId, Page};

use super::super::long_list::{self, LongList};
use super::super::xml::parse;
use super::*;

fn list(list: ListResource) -> Resource {
    Resource::List(list, Page::Whole)
}

fn read(what: Resource, xml: &str) -> Facts {
    of(&parse(xml.as_bytes()).unwrap(), what).unwrap()
}

fn names(facts: &Facts) -> Vec<&str> {
    facts
        .objects
        .iter()
        .filter_map(|object| object.name.as_deref())
        .collect()
}

#[test]
fn a_list_is_its_items_whatever_the_prefix_and_however_wrapped() {
    let appliances = list(ListResource::Appliances);
    for xml in [
        "<n:appliances xmlns:n='http://www.usharesoft.com/uforge'><total>9</total><appliances><appliance><name>a</name></appliance><appliance><name>b</name></appliance></appliances></n:appliances>",
        "<appliances><appliances><appliance><name>a</name></appliance><surprise/></appliances><appliances><appliance><name>b</name></appliance></appliances><total> 9 </total></appliances>",
        "<appliances><appliance><name>a</name></appliance><total>9</total><appliance><name>b</name></appliance></appliances>",
    ] {
        let facts = read(appliances, xml);
        assert_eq!(
            (names(&facts), facts.total),
            (vec!["a", "b"], Some(9)),
            "{xml}"
        );
    }
    for empty in [
        "<appliances/>",
        "<appliances><appliances/></appliances>",
        "<appliances><total>-1</total></appliances>",
    ] {
        assert_eq!(read(appliances, empty), Facts::default(), "{empty}");
    }
}

#[test]
fn an_item_of_an_item_is_not_an_item_of_the_list() {
    let comments = read(
        Resource::WorkspaceComments {
            org: ObjectId::try_from(1).unwrap(),
            workspace: ObjectId::try_from(1).unwrap(),
            page: Page::Whole,
        },
        "<comments><comments><comment><loginName>a</loginName><replies><comment><loginName>b</loginName></comment></replies></comment></comments></comments>",
    );
    assert_eq!(names(&comments), ["a"]);
}

#[test]
fn a_user_has_a_login_and_a_photo() {
    let facts = read(
        Resource::User,
        "<user><dbId>3</dbId><name>John Doe</name><loginName>john</loginName><photo><dbId>8</dbId><uploaded>true</uploaded><size>9</size><sha256sum>ab</sha256sum><md5sum>cd</md5sum><mimeType>image/png</mimeType><name>me.png</name></photo></user>",
    );
    let [user] = &facts.objects[..] else { panic!() };
    assert_eq!((user.id, user.name.as_deref()), (Some(3), Some("john")));
    assert_eq!(user.login.as_deref(), Some("john"));
    assert_eq!(
        user.uploads,
        [UploadFacts {
            role: UploadRole::Photo,
            id: Some(8),
            name: Some("me.png".to_owned()),
            uploaded: true,
            size: Some(9),
            sha256: Some("ab".to_owned()),
            md5: Some("cd".to_owned()),
            media_type: Some("image/png".to_owned()),
        }]
    );
}

#[test]
fn every_field_of_an_object_may_be_missing_or_nonsense() {
    let facts = read(
        list(ListResource::Appliances),
        "<appliances><appliance/><appliance><dbId>x</dbId><size>-4</size><logo/><name> </name><version>1.0</version><installedSize>7</installedSize><digest>d</digest><lastModified>2020</lastModified><uri>users/john/appliances/1</uri></appliance><appliance><dbId>-1</dbId></appliance></appliances>",
    );
    let [bare, odd, negative] = &facts.objects[..] else {
        panic!()
    };
    assert_eq!(*bare, ObjectFacts::default());
    assert_eq!(negative.id, Some(-1));
    assert_eq!(
        *odd,
        ObjectFacts {
            version: Some("1.0".to_owned()),
            size: Some(7),
            digest: Some("d".to_owned()),
            last_modified: Some("2020".to_owned()),
            uri: Some("users/john/appliances/1".to_owned()),
            ..ObjectFacts::default()
        }
    );
}

#[test]
fn nothing_but_one_login_name_says_who_somebody_is() {
    let login = |body: &str| read(Resource::User, body).objects[0].login.clone();
    for body in [
        "<user><name>john</name></user>".to_owned(),
        "<user><name>john</name><loginName/></user>".to_owned(),
        "<user><name>john</name><loginName> </loginName></user>".to_owned(),
        "<user><loginName>john</loginName><loginName>mary</loginName></user>".to_owned(),
        "<user><loginName>jo<b>hn</b></loginName></user>".to_owned(),
        format!("<user><loginName>{}</loginName></user>", "a".repeat(1_001)),
    ] {
        assert_eq!(login(&body), None, "{body}");
    }
    let other = "<user><name>mary</name><photo><loginName>mary</loginName></photo><loginName>john</loginName></user>";
    assert_eq!(login(other).as_deref(), Some("john"));
}

#[test]
fn an_account_states_its_kind_what_is_missing_and_its_files() {
    let facts = read(
        list(ListResource::Accounts),
        "<credAccounts xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><credAccounts><credAccount i:type='ns2:CredAccountAws'><dbId>4</dbId><secretsMissing>true</secretsMissing><targetPlatform><logo><uploaded>true</uploaded></logo></targetPlatform><certificates><certificate><dbId>5</dbId><uploaded>1</uploaded></certificate><certificate><dbId>6</dbId></certificate></certificates><keyFile><dbId>7</dbId><md5sum>x</md5sum></keyFile></credAccount><credAccount i:type='CredAccountAzure'><applicationId>12</applicationId></credAccount></credAccounts></credAccounts>",
    );
    let [aws, azure] = &facts.objects[..] else {
        panic!()
    };
    assert_eq!(aws.kind.as_deref(), Some("CredAccountAws"));
    assert!(aws.secrets_missing);
    let files: Vec<_> = aws
        .uploads
        .iter()
        .map(|file| (file.role, file.id, file.uploaded))
        .collect();
    assert_eq!(
        files,
        [
            (UploadRole::Certificate, Some(5), true),
            (UploadRole::Certificate, Some(6), false),
            (UploadRole::Certificate, Some(7), false)
        ]
    );
    assert_eq!(
        (azure.kind.as_deref(), azure.id),
        (Some("CredAccountAzure"), None)
    );
}

#[test]
fn a_deployment_is_known_by_its_application_and_a_workspace_by_its_organization() {
    let deployments = read(
        list(ListResource::Deployments),
        "<deployments><deployments><deployment><applicationId>12</applicationId><name>d</name></deployment></deployments></deployments>",
    );
    assert_eq!(deployments.objects[0].id, Some(12));
    let workspaces = read(
        list(ListResource::Workspaces),
        "<workspaces><workspaces><workspace><orgUri>orgs/42/</orgUri></workspace><workspace><orgUri>http://evil/x</orgUri></workspace></workspaces></workspaces>",
    );
    let orgs: Vec<_> = workspaces.objects.iter().map(|object| object.org).collect();
    assert_eq!(orgs, [Some(42), None]);
}

#[test]
fn what_has_no_id_of_its_own_is_known_by_its_address() {
    let appliances = read(
        list(ListResource::Appliances),
        "<appliances><appliances><appliance><uri>users/john/appliances/205</uri></appliance><appliance><dbId/><uri>users/john/appliances/206/</uri><logo><uploaded>true</uploaded><uri>users/john/appliances/206/logo/3</uri></logo></appliance><appliance><dbId>-7</dbId><uri>users/john/appliances/207</uri></appliance><appliance><uri>users/john/appliances</uri></appliance></appliances></appliances>",
    );
    let ids: Vec<_> = appliances.objects.iter().map(|object| object.id).collect();
    assert_eq!(ids, [Some(205), Some(206), Some(-7), None]);
    assert_eq!(appliances.objects[1].uploads[0].id, Some(3));
    let workspaces = read(
        list(ListResource::Workspaces),
        "<workspaces><workspaces><workspace><uri>orgs/42/workspaces/11</uri></workspace></workspaces></workspaces>",
    );
    let [workspace] = &workspaces.objects[..] else {
        panic!()
    };
    assert_eq!((workspace.org, workspace.id), (Some(42), Some(11)));
}

#[test]
fn lists_with_names_of_their_own_are_known() {
    let stats = read(
        list(ListResource::Stats),
        "<userStats><stats><stat/><stat/></stats></userStats>",
    );
    assert_eq!(stats.objects.len(), 2);
    let blueprints = read(
        list(ListResource::Blueprints),
        "<blueprintsSummaries><blueprintsSummaries><BlueprintSummary><name>b</name></BlueprintSummary></blueprintsSummaries></blueprintsSummaries>",
    );
    assert_eq!(names(&blueprints), ["b"]);
    let activities = read(
        list(ListResource::Activities),
        "<whatever><thing/></whatever>",
    );
    assert_eq!(activities, Facts::default());
}

/// The pages of the bag show as many (`domain::view`).
#[test]
fn objects_of_a_list_that_the_schema_does_not_describe_are_counted_by_its_form() {
    let count = |text: &str| read(list(ListResource::Activities), text).objects.len();
    assert_eq!(count("<as><as><a><x>1</x></a><a><x>2</x></a></as></as>"), 2);
    assert_eq!(count("<as><a><x>1</x></a><b><x>2</x></b></as>"), 2);
    assert_eq!(count("<as><a><x>1</x><y><z>1</z></y></a></as>"), 1);
    assert_eq!(count("<as><total>0</total><as/></as>"), 0);
}

#[test]
fn another_document_is_not_this_one() {
    let wrong = parse(b"<appliances/>").unwrap();
    assert_eq!(
        of(&wrong, Resource::User),
        Err(Unread::because(
            "it is a `appliances` where a `user` was asked for"
        ))
    );
    let error = parse(b"<uforgeError/>").unwrap();
    assert!(of(&error, list(ListResource::Activities)).is_err());
    let page = parse(b"<x:html xmlns:x='y'/>").unwrap();
    assert!(matches!(
        of(&page, list(ListResource::Activities)),
        Err(Unread::Page(_))
    ));
}

#[test]
fn a_name_of_a_million_letters_is_cut() {
    let facts = read(
        Resource::User,
        &format!(
            "<user><loginName>{}</loginName></user>",
            "é".repeat(1_000_000)
        ),
    );
    assert_eq!(
        facts.objects[0].name.as_ref().unwrap().chars().count(),
        1000
    );
}

/// Ten thousand whole appliances have more nodes than a tree may have.
#[test]
fn a_list_with_more_nodes_than_one_tree_may_have_is_read() {
    let object = |id: u32| {
        let fields = "<f/>".repeat(260);
        format!("<appliance><dbId>{id}</dbId>{fields}<name>n{id}</name></appliance>")
    };
    let items: String = (1..=8_000).map(object).collect();
    let xml = format!(
        "<n:appliances xmlns:n='u'><total>8000</total><appliances>{items}</appliances></n:appliances>"
    );
    assert!(parse(xml.as_bytes()).is_err());
    let facts = long_list::read(xml.as_bytes(), list(ListResource::Appliances)).unwrap();
    assert_eq!((facts.objects.len(), facts.total), (8_000, Some(8_000)));
    assert_eq!(facts.objects.last().and_then(|last| last.id), Some(8_000));
}

#[test]
fn a_long_list_that_is_none_is_refused_as_a_short_one_is() {
    let padding = "<appliance><name>n</name></appliance>".repeat(40_000);
    for (xml, words) in [
        (
            format!("<users>{padding}</users>"),
            "where a `appliances` was asked for",
        ),
        (
            format!("<appliances>{padding}<appliance><name>x"),
            "not well-formed",
        ),
        (
            format!("<appliances>{padding}<appliance></appliances></appliance>"),
            "not well-formed",
        ),
        (
            format!("<appliances>{padding}</appliances><more/>"),
            "not well-formed",
        ),
        (
            format!("<appliances>{padding}<appliance><n:name/></appliance></appliances>"),
            "not well-formed",
        ),
    ] {
        let Err(Unread::Detail(detail)) =
            long_list::read(xml.as_bytes(), list(ListResource::Appliances))
        else {
            panic!("{words}");
        };
        assert!(detail.contains(words), "{detail}");
    }
}

#[test]
fn a_long_list_is_read_as_it_comes_whatever_its_parts() {
    let object = "<appliance><dbId>7</dbId><name>J\u{f6}rg \u{1f600}</name></appliance>";
    let xml = format!(
        "\u{feff}<?xml version='1.0' encoding='utf-8'?><appliances><!--{}-->{}<total>9</total></appliances>",
        "-".repeat(3_000).replace("--", "- "),
        object.repeat(200)
    );
    let appliances = list(ListResource::Appliances);
    let expected = long_list::read(xml.as_bytes(), appliances);
    for part in [1, 2, 3, 7, 64, 1_000, xml.len()] {
        let (beginning, rest) = xml.as_bytes().split_at(xml.len().min(100));
        let mut list = LongList::begun(beginning, appliances).unwrap().unwrap();
        for bytes in rest.chunks(part) {
            list.take(bytes).unwrap();
        }
        assert_eq!(list.end(), expected, "{part}");
    }
}

#[test]
fn what_cannot_be_read_piece_by_piece_is_left_to_be_read_whole() {
    for (beginning, what) in [
        (&b"<user/>"[..], Resource::User),
        (b"\x1f\x8b\x08", list(ListResource::Appliances)),
        (b"\xff\xfe<\0a\0", list(ListResource::Appliances)),
        (
            b"<?xml version='1.0' encoding='ISO-8859-1'?><appliances>",
            list(ListResource::Appliances),
        ),
    ] {
        assert!(LongList::begun(beginning, what).unwrap().is_none());
    }
}

#[test]
fn a_long_list_with_a_byte_that_is_no_character_is_refused_where_it_stands() {
    let mut list = LongList::begun(b"<appliances>", list(ListResource::Appliances))
        .unwrap()
        .unwrap();
    list.take(b"<!-- \xc3").unwrap();
    assert_eq!(
        list.take(b"\x28 -->"),
        Err(Unread::because("it is not UTF-8 at byte 17"))
    );
}

mod in_pieces {
    use proptest::prelude::*;

    use super::*;

    /// The facts of a list that arrives in two parts, cut anywhere.
    fn in_parts(xml: &str, at: usize) -> Result<Facts, Unread> {
        let (first, second) = xml.as_bytes().split_at(at);
        let mut list = LongList::of(list(ListResource::Appliances)).unwrap();
        list.take(first)?;
        list.take(second)?;
        list.end()
    }

    fn element() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("<name>a &gt; b</name>".to_owned()),
            Just("<dbId>7</dbId>".to_owned()),
            Just("<q:kind a='>' b=\"/>\"/>".to_owned()),
            Just("<!-- <appliance> -->".to_owned()),
            Just("<![CDATA[</appliance>]]>".to_owned()),
            Just("<?x <appliances>?>".to_owned()),
            Just("words".to_owned()),
            Just("<total>3</total>".to_owned()),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let names = prop_oneof![
                Just("appliance"),
                Just("Appliance"),
                Just("appliances"),
                Just("q:appliance"),
                Just("other")
            ];
            (names, prop::collection::vec(inner, 0..5)).prop_map(|(name, inside)| {
                format!("<{name} xsi:type='q:T'>{}</{name}>", inside.concat())
            })
        })
    }

    proptest! {
        #[test]
        fn a_list_says_the_same_as_when_it_is_read_whole(
            inside in prop::collection::vec(element(), 0..8),
            cut in any::<prop::sample::Index>(),
            is_cut in any::<bool>(),
            part in any::<prop::sample::Index>(),
        ) {
            let mut xml = format!(
                "<?xml version='1.0'?><q:appliances xmlns:q='u' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>{}</q:appliances>",
                inside.concat()
            );
            if is_cut {
                xml.truncate(cut.index(xml.len()));
            }
            let whole = parse(xml.as_bytes()).and_then(|tree| of(&tree, list(ListResource::Appliances)));
            match (in_parts(&xml, part.index(xml.len() + 1)), whole) {
                (Ok(facts), whole) => prop_assert_eq!(Ok(facts), whole),
                (Err(_), whole) => prop_assert!(whole.is_err(), "{}", xml),
            }
        }

        #[test]
        fn nothing_made_of_markup_makes_the_reader_panic(
            text in "([<>/!?=\"' a-d\u{e9}-]|<appliances>|</appliances>|<appliance|\\]\\]>|<!--|-->|<!\\[CDATA\\[){0,60}",
            part in any::<prop::sample::Index>(),
        ) {
            let _ = in_parts(&text, part.index(text.len() + 1));
        }
    }
}
