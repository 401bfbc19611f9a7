//! Places of the web page. Where a form leads to is one of these: never an address that somebody else wrote.

use domain::jobs::JobId;

/// A place of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// What somebody has asked for, and the form to ask.
    Home,
    /// One export.
    Export(JobId),
    /// The question whether one is to be given up.
    GiveUp(JobId),
    /// Everybody's exports, for administrators.
    Everybody,
    /// The campaigns, for administrators.
    Campaigns,
    /// The form to order one.
    NewCampaign,
    /// The audit trail, for administrators.
    Trail,
}

impl Place {
    /// The place at this path; nothing where it is none, whatever else it may be.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            "/" => return Some(Self::Home),
            "/everybody" => return Some(Self::Everybody),
            "/campaigns" => return Some(Self::Campaigns),
            "/campaigns/new" => return Some(Self::NewCampaign),
            "/audit" => return Some(Self::Trail),
            _ => {}
        }
        let id = path.strip_prefix("/exports/")?;
        match id.strip_suffix("/delete") {
            Some(id) => JobId::parse(id).ok().map(Self::GiveUp),
            None => JobId::parse(id).ok().map(Self::Export),
        }
    }

    /// Its path.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Home => "/".to_owned(),
            Self::Export(id) => format!("/exports/{id}"),
            Self::GiveUp(id) => format!("/exports/{id}/delete"),
            Self::Everybody => "/everybody".to_owned(),
            Self::Campaigns => "/campaigns".to_owned(),
            Self::NewCampaign => "/campaigns/new".to_owned(),
            Self::Trail => "/audit".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_from_their_paths() {
        let id = JobId::parse("00000000-0000-7000-8000-000000000001").unwrap();
        for place in [
            Place::Home,
            Place::Export(id.clone()),
            Place::GiveUp(id),
            Place::Everybody,
            Place::Campaigns,
            Place::NewCampaign,
            Place::Trail,
        ] {
            assert_eq!(Place::of(&place.path()), Some(place));
        }
    }

    #[test]
    fn no_other_address_is_a_place() {
        for path in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example/",
            "/exports/",
            "/exports/../audit",
            "/exports//evil.example",
            "/audit?x",
            "/audit#x",
            "javascript:alert(1)",
            " /",
            "/exports/00000000-0000-7000-8000-000000000001/archive",
        ] {
            assert_eq!(Place::of(path), None, "{path}");
        }
    }
}
