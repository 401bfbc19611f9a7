//! Lists, page after page where the platform caps them.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Limits;
use super::attempt::{Failed, Problem, settle};
use super::fetch::{Fetch, Fetched};
use crate::bag::layout;
use crate::model::{BagPath, ObjectFacts, Page, Paging, Representation, Resource, Section, Sha256};
use crate::ports::{ApiError, Receipt};

/// A list that was fetched, all its pages together.
#[derive(Debug)]
pub(crate) struct FetchedList {
    pub(crate) objects: Vec<ObjectFacts>,
    pub(crate) pages: Vec<KeptPage>,
    /// What is missing of it.
    pub(crate) failed: Option<Failed>,
    /// The platform says that there is more than it gives.
    pub(crate) shortfall: Option<String>,
    /// What the report says of it, besides.
    pub(crate) note: Option<String>,
}

impl FetchedList {
    /// A list that was answered without content so many times.
    fn of_nothing(list: Resource, attempts: u32) -> Self {
        Self {
            objects: Vec::new(),
            pages: Vec::new(),
            failed: None,
            shortfall: None,
            note: Some(format!(
                "{list}: answered without content {attempts} times, which counts as empty"
            )),
        }
    }
}

/// The files of one page, and which of the list's objects came with it.
#[derive(Clone, Debug)]
pub(crate) struct KeptPage {
    pub(crate) objects: Range<usize>,
    pub(crate) receipts: Vec<Receipt>,
}

/// What is known of a list between two pages.
struct Pages {
    list: FetchedList,
    /// The ids that were seen.
    seen: BTreeSet<i64>,
    /// How many objects there are, where the platform says so.
    total: Option<u64>,
    /// Objects on the first page: the most that the platform puts on one.
    count: usize,
    /// Pages so far.
    number: usize,
    /// What is known of the page before.
    last: Seen,
}

/// What shows that a page is the one before once more.
#[derive(PartialEq, Eq)]
struct Seen {
    objects: usize,
    /// The sum of its bytes, or those of its files where an interrupted run read it.
    sums: Vec<Sha256>,
}

impl Seen {
    fn of(page: &Fetched) -> Self {
        let files = || page.receipts.iter().map(|receipt| receipt.sha256).collect();
        Self {
            objects: page.facts.objects.len(),
            sums: page.sum.map_or_else(files, |sum| vec![sum]),
        }
    }
}

impl Pages {
    fn after(mut first: Fetched) -> Self {
        let (last, count) = (Seen::of(&first), first.facts.objects.len());
        let ids = first.facts.objects.iter().filter_map(|object| object.id);
        let seen = ids.collect();
        Self {
            list: FetchedList {
                pages: vec![KeptPage {
                    objects: 0..count,
                    receipts: first.receipts,
                }],
                failed: first.json_failed.take(),
                objects: first.facts.objects,
                shortfall: None,
                note: None,
            },
            seen,
            total: first.facts.total,
            count: count.max(1),
            number: 1,
            last,
        }
    }

    /// Where there may be more, the page to ask for. A platform that gives no total may have sent the first page of many.
    fn next(&self) -> Option<Page> {
        let given = self.list.objects.len();
        let more = match self.total {
            Some(total) => (given as u64) < total,
            None => self.last.objects >= self.count,
        };
        let bounded = given < Limits::LIST_OBJECTS && self.number < Limits::LIST_PAGES;
        (more && bounded).then_some(Page::From {
            offset: given as u64,
            count: self.count as u64,
        })
    }

    /// Whether a page holds anything new. It may repeat single objects that moved from the page before. A platform that ignores the
    /// offset repeats the whole page; where objects have no ids, only its bytes show that.
    fn adds(&self, page: &Fetched) -> bool {
        let is_new = |object: &ObjectFacts| object.id.is_none_or(|id| !self.seen.contains(&id));
        self.last != Seen::of(page) && page.facts.objects.iter().any(is_new)
    }

    /// Takes a page in, and says whether it held anything new.
    fn take(&mut self, mut page: Fetched) -> bool {
        let adds = self.adds(&page);
        let before = self.list.objects.len();
        let last = Seen::of(&page);
        self.number += 1;
        self.list.failed = self.list.failed.take().or(page.json_failed.take());
        if adds {
            let objects = std::mem::take(&mut page.facts.objects).into_iter();
            let new = objects.filter(|object| object.id.is_none_or(|id| self.seen.insert(id)));
            self.list.objects.extend(new);
        }
        self.list.pages.push(KeptPage {
            objects: before..self.list.objects.len(),
            receipts: page.receipts,
        });
        self.last = last;
        adds
    }

    fn end(mut self) -> FetchedList {
        let given = self.list.objects.len() as u64;
        self.list.shortfall = self.total.filter(|total| given < *total).map(|total| {
            format!("the platform says that there are {total}, but lists only {given}")
        });
        self.list
    }
}

impl Fetch<'_> {
    /// Fetches a list, page after page where the platform caps them.
    pub(crate) async fn list(
        self,
        section: Section,
        resource_of: impl Fn(Page) -> Resource,
        path_of: impl Fn(usize, Representation) -> BagPath,
    ) -> Result<FetchedList, Problem> {
        let path_of = &path_of;
        let resource = resource_of(Page::Whole);
        let first = self.document(section, resource, |form| path_of(1, form));
        let first = match settle(first.await)? {
            Ok(first) => first,
            Err(failed) if failed.is_without_content() => {
                return Ok(FetchedList::of_nothing(resource, failed.attempts));
            }
            Err(failed) => return Err(failed.into()),
        };
        let mut pages = Pages::after(first);
        while section.paging() != Paging::None
            && let Some(from) = pages.next()
        {
            let (resource, number) = (resource_of(from), pages.number + 1);
            let path = |form| path_of(number, form);
            // A page that is in the bag counts, whatever the platform says by now.
            let may_be_none = pages.total.is_none() && !self.is_resumed(resource, path);
            if may_be_none && !self.is_there(section, resource, &pages).await? {
                break;
            }
            match settle(self.document(section, resource, path).await)? {
                Ok(page) => {
                    // A page with nothing new would be repeated for ever.
                    if !pages.take(page) {
                        break;
                    }
                }
                Err(failed) => {
                    pages.list.failed = Some(failed);
                    pages.total = None;
                    break;
                }
            }
        }
        Ok(pages.end())
    }

    /// Whether there is a further page of a list without a total. Nothing of it is kept: mostly there is none.
    async fn is_there(
        self,
        section: Section,
        resource: Resource,
        pages: &Pages,
    ) -> Result<bool, Problem> {
        let path = |form| layout::list_document(section, 1, form);
        let page = self.without_sink().document(section, resource, path);
        match settle(page.await)? {
            Ok(page) => Ok(pages.adds(&page)),
            // A platform that knows no pages has sent all it has.
            Err(failed) if means_no_such_page(&failed.error) => Ok(false),
            // Asked for again, this time to be reported.
            Err(_) => Ok(true),
        }
    }
}

fn means_no_such_page(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Refused { .. }
            | ApiError::NotFound { .. }
            | ApiError::Forbidden { .. }
            | ApiError::Empty { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Facts;

    fn page(ids: &[Option<i64>], total: Option<u64>, bytes: &'static [u8]) -> Fetched {
        let objects = ids.iter().map(|id| ObjectFacts {
            id: *id,
            ..ObjectFacts::default()
        });
        Fetched {
            facts: Facts {
                objects: objects.collect(),
                total,
            },
            sum: Some(Sha256::of(bytes)),
            ..Fetched::default()
        }
    }

    fn offset(page: Option<Page>) -> Option<u64> {
        match page? {
            Page::Whole => None,
            Page::From { offset, .. } => Some(offset),
        }
    }

    #[test]
    fn a_page_repeated_with_objects_that_have_no_ids_does_not_fill_the_list_up() {
        let sent = || page(&[None, None], Some(4), b"the same");
        let mut pages = Pages::after(sent());
        assert_eq!(offset(pages.next()), Some(2));
        assert!(!pages.take(sent()));
        let list = pages.end();
        assert_eq!(list.objects.len(), 2);
        assert_eq!(
            list.shortfall.as_deref(),
            Some("the platform says that there are 4, but lists only 2")
        );
    }

    #[test]
    fn pages_of_objects_without_ids_are_distinguished_by_their_bytes() {
        let mut pages = Pages::after(page(&[None, None], Some(4), b"one"));
        assert!(pages.take(page(&[None, None], Some(4), b"two")));
        assert_eq!(offset(pages.next()), None);
        assert_eq!(pages.end().shortfall, None);
    }

    #[test]
    fn a_list_without_a_total_ends_with_a_page_that_is_not_full() {
        let mut pages = Pages::after(page(&[Some(1), Some(2)], None, b"one"));
        assert_eq!(offset(pages.next()), Some(2));
        assert!(pages.take(page(&[Some(2), Some(3)], None, b"two")));
        assert_eq!(offset(pages.next()), Some(3));
        assert!(pages.take(page(&[Some(4)], None, b"three")));
        assert_eq!(offset(pages.next()), None);
        let list = pages.end();
        assert_eq!(list.objects.len(), 4);
        let on_pages: Vec<_> = list.pages.into_iter().map(|page| page.objects).collect();
        assert_eq!(on_pages, [0..2, 2..3, 3..4]);
        assert_eq!(offset(Pages::after(page(&[], None, b"none")).next()), None);
    }

    #[test]
    fn what_is_listed_twice_on_the_first_page_is_listed_twice() {
        let pages = Pages::after(page(&[Some(1), Some(1)], Some(2), b"one"));
        assert_eq!(offset(pages.next()), None);
        assert_eq!(pages.end().objects.len(), 2);
    }

    #[test]
    fn a_list_without_end_comes_to_one() {
        let mut pages = Pages::after(page(&[None], Some(u64::MAX), b"0"));
        for number in 1.. {
            if pages.next().is_none() {
                assert_eq!(number, Limits::LIST_PAGES);
                break;
            }
            let bytes: &[u8] = if number % 2 == 0 { b"even" } else { b"odd" };
            assert!(pages.take(page(&[None], Some(u64::MAX), bytes)));
        }
    }
}
