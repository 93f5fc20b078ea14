//! Why figures refuse, typed.

use crate::graphql::mutation::error_codes;

error_codes!(KpiErrorCode, KpiUserError, kpi::CODES, "the figures", {
    /// No such KPI in this company.
    NotFound = "NOT_FOUND",
    /// It has changed since it was read.
    Conflict = "CONFLICT",
    /// A value that cannot be.
    Invalid = "INVALID",
    /// There are too many already.
    Limit = "LIMIT",
});
