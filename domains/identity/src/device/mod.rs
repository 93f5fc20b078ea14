//! The devices on which people have signed in. A device is known by a secret of its own, which its program keeps: guesses
//! from strangers never lock out who comes from a known one, and a sign-in from an unknown one is told by letter.

pub mod service;
