//! Identity's promises, on a real database.
mod access;
mod current;
mod founding;
mod trusted_documents;
mod walls;
