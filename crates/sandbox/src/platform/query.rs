//! The query of a request, and what it asks of a list.

use std::borrow::Cow;
use std::cmp::Ordering;

use percent_encoding::percent_decode_str;

use crate::document::Element;

/// The names and values of a query string, decoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    pub(crate) fn first<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.first(name)?.parse().ok()
    }
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// How a list takes its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// `query`, `orderBy`, `descending`, `count`, `offset`.
    CountAndOffset,
    /// `index`, `max`, `orderby`, `asc`.
    IndexAndMax,
    /// All of it.
    None,
}

/// What the parameters are called, and what they say about the order.
struct Limits<'a> {
    count: Option<usize>,
    offset: usize,
    filter: Option<&'a str>,
    order: Option<&'a str>,
    descending: bool,
}

impl<'a> Limits<'a> {
    fn of(query: &'a Query, paging: Paging) -> Option<Self> {
        match paging {
            Paging::CountAndOffset => Some(Self {
                count: query.number("count"),
                offset: query.number("offset").unwrap_or(0),
                filter: query.first("query"),
                order: query.first("orderBy"),
                descending: query.first("descending") == Some("true"),
            }),
            Paging::IndexAndMax => Some(Self {
                count: query.number("max"),
                offset: query.number("index").unwrap_or(0),
                filter: None,
                order: query.first("orderby"),
                descending: query.first("asc") == Some("false"),
            }),
            Paging::None => None,
        }
    }
}

/// The entries that a request asks for, and how many there are without its limits.
///
/// `make` is called for an entry only where it is needed: a page of a long list costs no more than the page.
pub(crate) fn page<T>(
    items: Vec<T>,
    make: impl FnMut(T) -> Element,
    (paging, query): (Paging, &Query),
    cap: Option<usize>,
) -> (Vec<Element>, usize) {
    let all = items.len();
    let Some(limits) = Limits::of(query, paging) else {
        return (items.into_iter().map(make).collect(), all);
    };
    let wanted = limits
        .count
        .unwrap_or(usize::MAX)
        .min(cap.unwrap_or(usize::MAX));
    if limits.filter.is_none() && limits.order.is_none() {
        let page = items.into_iter().skip(limits.offset).take(wanted);
        return (page.map(make).collect(), all);
    }
    let mut items: Vec<Element> = items.into_iter().map(make).collect();
    items.retain(|item| limits.filter.is_none_or(|filter| fits(item, filter)));
    if let Some(field) = limits.order {
        items.sort_by(|left, right| compare(left, right, field));
    }
    if limits.descending {
        items.reverse();
    }
    let total = items.len();
    (
        items.into_iter().skip(limits.offset).take(wanted).collect(),
        total,
    )
}

/// The part of FIQL that clients use: `field==value` and `field!=value`, all of which have to hold (`;`).
fn fits(item: &Element, filter: &str) -> bool {
    filter.split(';').all(|constraint| {
        if let Some((field, value)) = constraint.split_once("==") {
            leaf(item, field) == value.trim_matches('\'')
        } else if let Some((field, value)) = constraint.split_once("!=") {
            leaf(item, field) != value.trim_matches('\'')
        } else {
            true
        }
    })
}

fn leaf<'a>(item: &'a Element, field: &str) -> Cow<'a, str> {
    item.child(field)
        .and_then(Element::value)
        .unwrap_or_default()
}

fn compare(left: &Element, right: &Element, field: &str) -> Ordering {
    match (left.child_number(field), right.child_number(field)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => leaf(left, field).cmp(&leaf(right, field)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{number, text};

    fn items() -> Vec<Element> {
        let named = |id, name: &'static str| {
            Element::object("x", vec![number("dbId", id), text("name", name)])
        };
        vec![named(2, "b"), named(10, "a"), named(1, "c")]
    }

    fn ids(paging: Paging, query: &str, cap: Option<usize>) -> (Vec<i64>, usize) {
        let (page, total) = page(items(), |item| item, (paging, &Query::parse(query)), cap);
        (
            page.iter()
                .filter_map(|item| item.child_number("dbId"))
                .collect(),
            total,
        )
    }

    #[test]
    fn without_limits_everything_comes_in_its_order() {
        assert_eq!(ids(Paging::CountAndOffset, "", None), (vec![2, 10, 1], 3));
    }

    #[test]
    fn a_page_is_counted_after_filter_and_order() {
        assert_eq!(
            ids(
                Paging::CountAndOffset,
                "orderBy=dbId&count=2&offset=1",
                None
            ),
            (vec![2, 10], 3)
        );
        assert_eq!(
            ids(Paging::CountAndOffset, "orderBy=name&descending=true", None),
            (vec![1, 2, 10], 3)
        );
        assert_eq!(
            ids(Paging::CountAndOffset, "query=name%3D%3Da", None),
            (vec![10], 1)
        );
        assert_eq!(
            ids(Paging::IndexAndMax, "max=1&index=2", None),
            (vec![1], 3)
        );
        assert_eq!(ids(Paging::None, "count=1", Some(1)), (vec![2, 10, 1], 3));
    }

    #[test]
    fn the_cap_holds_whatever_is_asked_for() {
        assert_eq!(
            ids(Paging::CountAndOffset, "count=100", Some(2)),
            (vec![2, 10], 3)
        );
        assert_eq!(
            ids(Paging::CountAndOffset, "count=100&offset=2", Some(2)),
            (vec![1], 3)
        );
    }
}
