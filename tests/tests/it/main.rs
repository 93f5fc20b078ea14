//! Black-box tests of the running server, and the tests of the architecture itself.
mod architecture;
mod audit;
mod catalogue;
mod contract;
mod edge;
mod faults;
mod house;
mod isolation;
mod main_job;
mod permissions;
mod rating;
mod server;
mod socket;
mod streams;
mod walk;
