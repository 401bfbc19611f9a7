//! A page of a list of people.

use super::Unread;
use super::facts::{items, login};
use super::xml::{count, parse, root};

/// A page of a list of people.
pub(crate) struct PeoplePage {
    /// Their logins; `None` for somebody whose login cannot be read.
    pub(crate) logins: Vec<Option<String>>,
    /// How many there are in all, where the platform says so.
    pub(crate) total: Option<u64>,
}

/// Reads `users`.
pub(crate) fn people(bytes: &[u8]) -> Result<PeoplePage, Unread> {
    let document = parse(bytes)?;
    let root = root(&document, &["users"])?;
    Ok(PeoplePage {
        logins: items(root, "users", "user").map(login).collect(),
        total: count(root, "total"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_known_by_their_logins() {
        let sent = b"<u:users xmlns:u='u'><total>3</total><users><user><loginName>jo@x</loginName></user><user><name>n</name></user></users></u:users>";
        let page = people(sent).unwrap();
        assert_eq!(page.logins, [Some("jo@x".to_owned()), None]);
        assert_eq!(page.total, Some(3));
    }
}
