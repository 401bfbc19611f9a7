//! A long list taken apart while its text arrives: one item after the other, and what is around them.
//!
//! A tree takes several times the memory of its document. A list of ten thousand objects is tens of megabytes, and its tree would be
//! hundreds: no more than one item's is made at a time. The pieces are well-formed where the document is, and only there: the items
//! are cut out at tags, and each is parsed between the start tags that were around it, so that its prefixes keep their meaning.

/// One item.
pub(super) struct Piece<'a> {
    text: &'a str,
    /// The start tags around it, outermost first.
    around: [Option<&'a str>; 2],
}

impl Piece<'_> {
    /// A document that holds this item as the innermost of the elements around it.
    pub(super) fn document(&self) -> String {
        let around = || self.around.iter().flatten();
        let mut document = String::with_capacity(self.text.len() + 512);
        around().for_each(|tag| document.push_str(tag));
        document.push_str(self.text);
        for tag in around().rev() {
            document.push_str("</");
            document.push_str(name_of(tag));
            document.push('>');
        }
        document
    }

    /// How deep in that document the item is.
    pub(super) fn depth(&self) -> usize {
        self.around.iter().flatten().count()
    }
}

/// The tags of a document do not match as those of a list do.
#[derive(Debug)]
pub(super) struct Mismatch;

/// A list that is being taken apart.
///
/// An item is an element of this name in the wrapper or, where that is missing, in the root itself.
pub(super) struct Pieces {
    wrapper: &'static str,
    item: &'static str,
    /// The document without its items, so far.
    frame: String,
    /// The item that has begun, so far.
    begun: String,
    /// How deep that item is; `None` between items.
    cut: Option<usize>,
    /// Elements that are open.
    open: usize,
    /// The start tags of the outermost of them.
    around: [Option<String>; 2],
    /// A tag whose end has not arrived.
    rest: String,
    /// It is looked at again when there is so much of it: twice as much as the last time, or a long one would be read for ever.
    look_at: usize,
}

impl Pieces {
    pub(super) fn of(wrapper: &'static str, item: &'static str) -> Self {
        Self {
            wrapper,
            item,
            frame: String::new(),
            begun: String::new(),
            cut: None,
            open: 0,
            around: [None, None],
            rest: String::new(),
            look_at: 0,
        }
    }

    /// Takes more of the text, and shows every item that ends in it. An error of `see` ends the work.
    pub(super) fn take<E: From<Mismatch>>(
        &mut self,
        text: &str,
        see: impl FnMut(&Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.rest.is_empty() {
            let used = self.scan(text, see)?;
            self.let_wait(&text[used..]);
            return Ok(());
        }
        self.rest.push_str(text);
        if self.rest.len() >= self.look_at {
            let text = std::mem::take(&mut self.rest);
            let used = self.scan(&text, see)?;
            self.let_wait(&text[used..]);
        }
        Ok(())
    }

    /// The document without its items, once all of it was taken.
    pub(super) fn end<E: From<Mismatch>>(
        mut self,
        see: impl FnMut(&Piece<'_>) -> Result<(), E>,
    ) -> Result<String, E> {
        let text = std::mem::take(&mut self.rest);
        let is_whole = self.scan(&text, see)? == text.len();
        if is_whole && self.open == 0 && self.cut.is_none() {
            Ok(self.frame)
        } else {
            Err(Mismatch.into())
        }
    }

    fn let_wait(&mut self, rest: &str) {
        rest.clone_into(&mut self.rest);
        self.look_at = 2 * rest.len();
    }

    /// Goes through the tags in this text. How much of it was used: all but a tag that does not end in it.
    fn scan<E: From<Mismatch>>(
        &mut self,
        text: &str,
        mut see: impl FnMut(&Piece<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut at = 0;
        while let Some(start) = text[at..].find('<').map(|offset| at + offset) {
            self.keep(&text[at..start]);
            let Some(tag) = Tag::at(&text[start..]) else {
                return Ok(start);
            };
            self.pass(&tag)?;
            self.keep(tag.text);
            at = start + tag.text.len();
            if self.cut == Some(self.open) {
                self.cut = None;
                see(&Piece {
                    text: &self.begun,
                    around: self.around.each_ref().map(Option::as_deref),
                })?;
                self.begun.clear();
            }
        }
        self.keep(&text[at..]);
        Ok(text.len())
    }

    fn keep(&mut self, text: &str) {
        match self.cut {
            Some(_) => self.begun.push_str(text),
            None => self.frame.push_str(text),
        }
    }

    /// Notes which elements are open after this tag, and whether an item begins with it.
    fn pass(&mut self, tag: &Tag<'_>) -> Result<(), Mismatch> {
        match tag.kind {
            Kind::Other => {}
            Kind::End => {
                self.open = self.open.checked_sub(1).ok_or(Mismatch)?;
                if let Some(ended) = self.around.get_mut(self.open) {
                    *ended = None;
                }
            }
            Kind::Start | Kind::Empty => {
                if self.cut.is_none() && self.is_item(local(name_of(tag.text))) {
                    self.cut = Some(self.open);
                }
                if tag.kind == Kind::Start {
                    if let Some(begun) = self.around.get_mut(self.open) {
                        *begun = Some(tag.text.to_owned());
                    }
                    self.open += 1;
                }
            }
        }
        Ok(())
    }

    /// Whether an element of this name is an item where it stands.
    fn is_item(&self, name: &str) -> bool {
        let is_inside = match (self.open, &self.around) {
            (1, _) => true,
            (2, [_, Some(around)]) => local(name_of(around)) == self.wrapper,
            _ => false,
        };
        is_inside && name != self.wrapper && name.eq_ignore_ascii_case(self.item)
    }
}

/// The name as written, with its prefix, of a start tag.
fn name_of(tag: &str) -> &str {
    let name = tag.trim_start_matches('<');
    let end = name.find(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'));
    end.map_or(name, |end| &name[..end])
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Start,
    Empty,
    End,
    /// A comment, a CDATA section or a processing instruction.
    Other,
}

struct Tag<'a> {
    kind: Kind,
    text: &'a str,
}

impl<'a> Tag<'a> {
    /// The tag, or what stands in place of one, that this text begins with; `None` where it does not end in it.
    fn at(text: &'a str) -> Option<Self> {
        let until = |end: &str| text.find(end).map(|at| at + end.len());
        let (kind, length) = if text.starts_with("<!--") {
            (Kind::Other, until("-->")?)
        } else if text.starts_with("<![CDATA[") {
            (Kind::Other, until("]]>")?)
        } else if text.starts_with("<?") {
            (Kind::Other, until("?>")?)
        } else if text.starts_with("</") {
            (Kind::End, until(">")?)
        } else {
            let length = length_of_start(text)?;
            let is_empty = text[..length].ends_with("/>");
            (if is_empty { Kind::Empty } else { Kind::Start }, length)
        };
        Some(Self {
            kind,
            text: &text[..length],
        })
    }
}

/// How long a start tag is. A `>` in a quoted value does not end it.
fn length_of_start(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) => quote = quote.filter(|_| open != byte),
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'>') => return Some(at + 1),
            (None, _) => {}
        }
    }
    None
}
