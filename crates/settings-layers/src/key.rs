//! Keys by which values are asked for.

/// A key of a program's settings: its name in a file, and the field of a layer that has it.
#[derive(Debug)]
pub struct Key<L, T> {
    name: &'static str,
    field: fn(&L) -> &Option<T>,
}

impl<L, T> Key<L, T> {
    /// The key of this name, in this field.
    pub const fn new(name: &'static str, field: fn(&L) -> &Option<T>) -> Self {
        Self { name, field }
    }

    /// Its name: the long name of the flag.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// What this layer says.
    pub fn of(self, layer: &L) -> Option<&T> {
        (self.field)(layer).as_ref()
    }
}

impl<L, T> Clone for Key<L, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L, T> Copy for Key<L, T> {}
