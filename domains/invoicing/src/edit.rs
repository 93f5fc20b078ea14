//! A part of a change: keep what is there, or set it. Optional fields are `Edit<Option<T>>`: setting `None`
//! clears them.

/// What becomes of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It becomes this.
    To(T),
}

impl<T> Edit<T> {
    /// The new value, if there is one.
    pub fn set(self) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::To(value) => Some(value),
        }
    }

    /// What the field becomes, from what it was.
    pub fn or(self, before: T) -> T {
        self.set().unwrap_or(before)
    }
}

impl<T> From<T> for Edit<T> {
    fn from(value: T) -> Self {
        Self::To(value)
    }
}
