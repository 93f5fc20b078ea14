//! Identity's promises, on a real database.
mod access;
mod founding;
mod walls;
