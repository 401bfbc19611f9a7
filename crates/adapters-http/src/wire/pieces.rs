//! A long list read piece by piece: what is around its items, then one item after the other.
//!
//! A tree takes several times the memory of its document. A list of ten thousand objects is tens of megabytes, and its tree would be
//! hundreds: no more than one item's is made at a time. The pieces are well-formed where the document is, and only there: the items
//! are cut out at tags, and each is parsed between the start tags that were around it, so that its prefixes keep their meaning.

/// The parts of a list's text.
pub(super) struct Pieces<'a> {
    /// The document without its items.
    pub(super) frame: String,
    /// The items, in their order.
    pub(super) items: Vec<Piece<'a>>,
}

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

/// Takes a list apart. `None` where its tags do not match as those of a list do: then only the whole says what is wrong.
///
/// An item is an element of this name in the wrapper or, where that is missing, in the root itself.
pub(super) fn pieces<'a>(text: &'a str, wrapper: &str, item: &str) -> Option<Pieces<'a>> {
    let mut found = Pieces {
        frame: String::new(),
        items: Vec::new(),
    };
    let mut open: Vec<&'a str> = Vec::new();
    let mut cut: Option<(usize, usize)> = None;
    let mut framed = 0;
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|offset| at + offset) {
        let tag = Tag::at(text, start)?;
        at = tag.end;
        match tag.kind {
            Kind::Other => continue,
            Kind::End => {
                open.pop()?;
            }
            Kind::Start | Kind::Empty => {
                let name = local(name_of(tag.text));
                let is_inside = match open.as_slice() {
                    [_] => true,
                    [_, around] => local(name_of(around)) == wrapper,
                    _ => false,
                };
                if cut.is_none() && is_inside && name != wrapper && name.eq_ignore_ascii_case(item)
                {
                    cut = Some((open.len(), start));
                }
                if tag.kind == Kind::Start {
                    open.push(tag.text);
                }
            }
        }
        if let Some((depth, start)) = cut
            && open.len() == depth
        {
            found.frame.push_str(&text[framed..start]);
            framed = at;
            found.items.push(Piece {
                text: &text[start..at],
                around: [open.first().copied(), open.get(1).copied()],
            });
            cut = None;
        }
    }
    found.frame.push_str(&text[framed..]);
    (open.is_empty() && cut.is_none()).then_some(found)
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
    end: usize,
}

impl<'a> Tag<'a> {
    /// The tag, or what stands in place of one, that begins here.
    fn at(text: &'a str, start: usize) -> Option<Self> {
        let rest = &text[start..];
        let until = |end: &str| rest.find(end).map(|at| at + end.len());
        let (kind, length) = if rest.starts_with("<!--") {
            (Kind::Other, until("-->")?)
        } else if rest.starts_with("<![CDATA[") {
            (Kind::Other, until("]]>")?)
        } else if rest.starts_with("<?") {
            (Kind::Other, until("?>")?)
        } else if rest.starts_with("</") {
            (Kind::End, until(">")?)
        } else {
            let length = length_of_start(rest)?;
            let is_empty = rest[..length].ends_with("/>");
            (if is_empty { Kind::Empty } else { Kind::Start }, length)
        };
        Some(Self {
            kind,
            text: &rest[..length],
            end: start + length,
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
