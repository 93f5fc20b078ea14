//! What identity changes for who is signed in.

use async_graphql::{Context, Error, InputObject, MaybeUndefined, Object};
use chrono::{DateTime, Utc};
use identity::approval::{Act, Means, Outcome, service as approval};
use identity::company::service::{self as companies, CompanyChange};
use kernel::Permission;
use uuid::Uuid;

use super::approval::AccessRequest;
use super::company::Company;
use super::errors::IdentityUserError;
use crate::graphql::cost::about;
use crate::graphql::guard::Needs;
use crate::graphql::mutation::{Done, mutate};
use crate::graphql::request::InRequest;

/// Changes of a company's settings; what is left out stays.
#[derive(InputObject)]
struct UpdateCompanyInput {
    /// The version that was read; another one is a conflict.
    expected_version: i32,
    /// The legal name.
    name: Option<String>,
    /// The legal form.
    legal_form: Option<String>,
    /// The SIREN, nine digits.
    siren: Option<String>,
    /// The IANA time zone of its calendar days.
    time_zone: Option<String>,
    /// `fr` or `en`.
    locale: Option<String>,
    /// Whether a bill must be approved by somebody else than who entered it.
    four_eyes: Option<bool>,
    /// Whether clients may only send trusted documents, by their hash. Who may register them may send any text.
    documents_only: Option<bool>,
    /// Since when every member needs a second factor: until then is the time of grace, at most 90 days; afterwards who has
    /// none may do nothing here but enrol one. Null to demand it no more.
    second_factor_from: MaybeUndefined<DateTime<Utc>>,
    /// Whether a change of rights (roles of members, invitations, more rights for a role) needs the approval of another
    /// owner than who asks for it. It needs two owners. Turning it off waits for another owner, the other changes do not.
    rights_need_approval: Option<bool>,
}

/// What the mutation did.
struct UpdateCompanyPayload(Done<Option<Uuid>>);

/// What the mutation did.
#[Object]
impl UpdateCompanyPayload {
    /// The company as it is now.
    async fn company(&self, ctx: &Context<'_>) -> Result<Company, Error> {
        Company::load(ctx).await
    }

    /// The request to turn `rightsNeedApproval` off, which waits for another owner; else null.
    async fn access_request(&self, ctx: &Context<'_>) -> Result<Option<AccessRequest>, Error> {
        match self.0.result.flatten() {
            Some(id) => AccessRequest::load(ctx, id).await,
            None => Ok(None),
        }
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

/// The part of the mutation root for the company and its members.
#[derive(Default)]
pub(crate) struct AccessMutation;

#[Object]
impl AccessMutation {
    /// Changes the company's settings.
    #[graphql(guard = "Needs(Permission::CompanyManage)")]
    async fn update_company(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Changes of a company's settings; what is left out stays.")]
        input: UpdateCompanyInput,
    ) -> Result<UpdateCompanyPayload, Error> {
        let expected = input.expected_version;
        let change = CompanyChange {
            name: input.name,
            legal_form: input.legal_form,
            siren: input.siren,
            zone: input.time_zone,
            locale: input.locale,
            four_eyes: input.four_eyes,
            documents_only: input.documents_only,
            second_factor_from: match input.second_factor_from {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(from) => Some(Some(from)),
            },
            rights_four_eyes: input.rights_need_approval.filter(|needed| *needed),
        };
        let turn_off = input.rights_need_approval == Some(false);
        let app = ctx.session()?.app().clone();
        let done = mutate(ctx, move |tx| {
            let (app, change) = (app.clone(), change.clone());
            Box::pin(async move {
                companies::update(tx, expected, change).await?;
                if !turn_off {
                    return Ok(None);
                }
                let means = Means { auth: &app.auth, public_url: &app.public_url };
                match approval::make_or_ask(tx, &Act::TurnOff, means).await? {
                    Outcome::Asked(id) => Ok(Some(id)),
                    Outcome::Done(_) => Ok::<_, identity::Error>(None),
                }
            })
        });
        let done = done.await?;
        ctx.session()?.app().auth.forget();
        Ok(UpdateCompanyPayload(done))
    }
}
