//! JSON as a tree of names and texts with their places (RFC 8259). Read without recursion, so depth costs no stack.

use std::borrow::Cow;
use std::ops::Range;

use super::document::{Flaw, Node, Tree, Value, Writing};

/// Reads a document. Strict: what it takes, every reader takes.
pub(super) fn read(source: &str) -> Result<Tree<'_>, Flaw> {
    let mut reader = Reader {
        tree: Tree::new(source),
        position: 0,
        open: Vec::new(),
    };
    // Some servers begin with a byte order mark, which RFC 8259 §8.1 lets a reader pass over.
    if source.starts_with('\u{feff}') {
        reader.position = '\u{feff}'.len_utf8();
    }
    reader.document()?;
    Ok(reader.tree)
}

/// An object or an array that is not closed yet.
struct Open<'a> {
    is_object: bool,
    /// The node that holds what is in it: an array's members belong to whoever holds the array.
    holder: usize,
    /// The name of an array's members.
    name: Cow<'a, str>,
    /// Where its node's range is to be ended, for an object.
    node: Option<usize>,
}

struct Reader<'a> {
    tree: Tree<'a>,
    position: usize,
    open: Vec<Open<'a>>,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<(), Flaw> {
        self.value(Cow::Borrowed(""))?;
        while let Some(open) = self.open.last() {
            let (is_object, name) = (open.is_object, open.name.clone());
            let name = if is_object { self.key()? } else { name };
            self.value(name)?;
        }
        self.space();
        if self.position < self.tree.source.len() {
            return Err(self.flaw());
        }
        Ok(())
    }

    /// One value, or the opening of one; then all that closes after it.
    fn value(&mut self, name: Cow<'a, str>) -> Result<(), Flaw> {
        self.space();
        let start = self.position;
        match self.peek() {
            Some(b'{') => return self.enter(name, b'}'),
            Some(b'[') => return self.enter(name, b']'),
            Some(b'"') => {
                let range = self.string()?;
                let text = decoded(self.tree.source.get(range.clone()).unwrap_or_default());
                self.leaf(name, range, text, Writing::Text)?;
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                self.scalar(name, start, Writing::Number)?;
            }
            _ => {
                let rest = self.tree.source.get(start..).unwrap_or_default();
                let word = ["true", "false", "null"]
                    .into_iter()
                    .find(|word| rest.starts_with(word))
                    .ok_or_else(|| self.flaw())?;
                self.position += word.len();
                self.scalar(name, start, Writing::Literal)?;
            }
        }
        self.close_or_go_on()
    }

    fn enter(&mut self, name: Cow<'a, str>, close: u8) -> Result<(), Flaw> {
        let start = self.position;
        self.position += 1;
        let is_object = close == b'}';
        let holder = self.holder();
        let node = if is_object {
            Some(self.tree.push(Node {
                parent: holder,
                name: name.clone(),
                value: Value::Branch,
                range: start..start,
            })?)
        } else {
            None
        };
        self.open.push(Open {
            is_object,
            holder: node.unwrap_or(holder),
            name,
            node,
        });
        self.space();
        if self.peek() == Some(close) {
            self.close();
            return self.close_or_go_on();
        }
        Ok(())
    }

    fn holder(&self) -> usize {
        self.open.last().map_or(0, |open| open.holder)
    }

    fn close(&mut self) {
        self.position += 1;
        let Some(open) = self.open.pop() else { return };
        if let Some(node) = open.node.and_then(|index| self.tree.nodes.get_mut(index)) {
            node.range.end = self.position;
        }
    }

    /// After a value: a comma, or as many closing brackets as there are.
    fn close_or_go_on(&mut self) -> Result<(), Flaw> {
        while let Some(open) = self.open.last() {
            let close = if open.is_object { b'}' } else { b']' };
            self.space();
            match self.peek() {
                Some(b',') => {
                    self.position += 1;
                    return Ok(());
                }
                Some(byte) if byte == close => self.close(),
                _ => return Err(self.flaw()),
            }
        }
        Ok(())
    }

    fn key(&mut self) -> Result<Cow<'a, str>, Flaw> {
        self.space();
        let range = self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.flaw());
        }
        self.position += 1;
        Ok(decoded(self.tree.source.get(range).unwrap_or_default()))
    }

    /// What stands between the quotes.
    fn string(&mut self) -> Result<Range<usize>, Flaw> {
        if self.peek() != Some(b'"') {
            return Err(self.flaw());
        }
        self.position += 1;
        let start = self.position;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(byte) if byte >= b' ' => self.position += 1,
                _ => return Err(self.flaw()),
            }
        }
        let end = self.position;
        self.position += 1;
        Ok(start..end)
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        self.position += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.position += 1,
            Some(b'u') => {
                self.position += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.flaw());
                    }
                    self.position += 1;
                }
            }
            _ => return Err(self.flaw()),
        }
        Ok(())
    }

    /// RFC 8259 §6.
    fn number(&mut self) -> Result<(), Flaw> {
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        if self.peek() == Some(b'0') {
            self.position += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Flaw> {
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        if self.position == start {
            return Err(self.flaw());
        }
        Ok(())
    }

    fn scalar(&mut self, name: Cow<'a, str>, start: usize, writing: Writing) -> Result<(), Flaw> {
        let range = start..self.position;
        let text = Cow::Borrowed(self.tree.source.get(range.clone()).unwrap_or_default());
        self.leaf(name, range, text, writing)
    }

    fn leaf(
        &mut self,
        name: Cow<'a, str>,
        range: Range<usize>,
        text: Cow<'a, str>,
        writing: Writing,
    ) -> Result<(), Flaw> {
        let node = Node {
            parent: self.holder(),
            name,
            value: Value::Leaf { text, writing },
            range,
        };
        self.tree.push(node).map(drop)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.tree.source.as_bytes().get(self.position).copied()
    }

    fn flaw(&self) -> Flaw {
        Flaw(format!("it is not valid JSON (byte {})", self.position))
    }
}

/// What a string's inside says. A lone half of a surrogate pair, which JSON allows and text cannot hold, leaves it as written.
fn decoded(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    serde_json::from_str(&format!("\"{raw}\"")).map_or(Cow::Borrowed(raw), Cow::Owned)
}
