//! Black-box tests of the running server, and the tests of the architecture itself.
mod architecture;
mod catalogue;
mod edge;
mod faults;
mod house;
mod isolation;
mod permissions;
mod server;
mod streams;
mod walk;
