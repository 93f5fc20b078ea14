//! Identity's promises, on a real database.
mod access;
mod api_keys;
mod approvals;
mod changes;
mod current;
mod factors;
mod founding;
mod invitations;
mod mailbox;
mod oauth;
mod review;
mod roles;
mod sign_in;
mod throttle;
mod trusted_documents;
mod twins;
mod walls;
