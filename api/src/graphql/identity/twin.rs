//! The test twin of a company in the graph.

use async_graphql::{Context, Error, ID, InputObject, Object};
use identity::company::twin;
use kernel::{Kind, Permission};
use uuid::Uuid;

use super::errors::IdentityUserError;
use crate::founding;
use crate::graphql::cost::about;
use crate::graphql::error::from_domain;
use crate::graphql::guard::Needs;
use crate::graphql::ids::public;
use crate::graphql::mutation::{Done, mutate};
use crate::graphql::request::InRequest;

/// The other one of a live company and its test twin.
pub(crate) struct CompanyTwin(pub(crate) Uuid);

/// The other one of a live company and its test twin.
#[Object]
impl CompanyTwin {
    /// The public id, for `switchCompany`.
    pub(crate) async fn id(&self) -> ID {
        public(Kind::Company, self.0)
    }

    /// Whether this one is the test twin.
    fn test(&self) -> bool {
        kernel::id::is_test(self.0)
    }
}

/// A test twin to found.
#[derive(InputObject)]
struct CreateTestTwinInput {
    /// What it is called: the company's name with ` (test)` when left out. A twin that is there keeps its name.
    name: Option<String>,
}

/// What the mutation did.
struct CreateTestTwinPayload(Done<Uuid>);

/// What the mutation did.
#[Object]
impl CreateTestTwinPayload {
    /// The twin: a company to switch to. Null when refused.
    fn twin(&self) -> Option<CompanyTwin> {
        self.0.result.map(CompanyTwin)
    }

    /// Why it was refused; empty when it was done.
    #[graphql(directive = about::apply(3))]
    fn user_errors(&self) -> Vec<IdentityUserError> {
        self.0.refusals.iter().map(IdentityUserError::from).collect()
    }

    /// Whether this answers from an earlier request with the same idempotency key.
    fn replayed(&self) -> bool {
        self.0.replayed
    }
}

/// The part of the mutation root for test twins.
#[derive(Default)]
pub(crate) struct TwinMutation;

#[Object]
impl TwinMutation {
    /// Founds the company's test twin: a company of its own with the same settings, roles and members, whose ids begin
    /// with `test_` and whose keys with `ck_test_`, and which never mails, charges or transfers. A company has one: asking
    /// again brings in the members and roles that it does not know yet.
    #[graphql(guard = "Needs(Permission::CompanyManage)")]
    async fn create_test_twin(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A test twin to found.")] input: CreateTestTwinInput,
    ) -> Result<CreateTestTwinPayload, Error> {
        let name = input.name.clone();
        let done = mutate(ctx, move |tx| {
            let name = name.clone();
            Box::pin(async move { twin::reserve(tx, name.as_deref()).await })
        });
        let done = done.await?;
        if let Some(id) = done.result {
            let session = ctx.session()?;
            let founded =
                founding::found_twin(&session.app().auth, session.scope()?, id, input.name.as_deref());
            founded.await.map_err(from_domain)?;
        }
        Ok(CreateTestTwinPayload(done))
    }
}
