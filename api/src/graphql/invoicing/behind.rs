//! Which columns the fields of a page read. A field that is not named here needs the whole row, which is always right.

use entity::invoicing::{invoice, invoice_line, party};

/// Behind a field of an invoice; its id is always read.
pub(super) fn invoice(field: &str) -> Option<&'static [invoice::Column]> {
    use invoice::Column as C;
    Some(match field {
        "__typename" | "id" => &[],
        "version" => &[C::Version],
        "kind" => &[C::Kind],
        "state" => &[C::State],
        "paymentState" => {
            &[C::State, C::Kind, C::DueDate, C::TotalMinor, C::SettledMinor, C::CreditedMinor, C::OpenMinor]
        }
        "number" => &[C::Number],
        "customer" => &[C::CustomerId],
        "issueDate" => &[C::IssueDate],
        "dueDate" => &[C::DueDate],
        "deliveryDate" => &[C::DeliveryDate],
        "buyerReference" => &[C::BuyerReference],
        "orderReference" => &[C::OrderReference],
        "note" => &[C::Note],
        "currency" | "lines" => &[C::Currency],
        "net" => &[C::NetMinor, C::Currency],
        "tax" => &[C::TaxMinor, C::Currency],
        "total" => &[C::TotalMinor, C::Currency],
        "open" => &[C::State, C::OpenMinor, C::Currency],
        "settled" => &[C::SettledMinor, C::Currency],
        "credited" => &[C::CreditedMinor, C::Currency],
        "issuedAt" => &[C::IssuedAt],
        "externalRef" => &[C::ExternalRef],
        "createdAt" => &[C::CreatedAt],
        "updatedAt" => &[C::UpdatedAt],
        _ => return None,
    })
}

/// Behind a field of an invoice's line; its invoice is always read.
pub(super) fn line(field: &str) -> Option<&'static [invoice_line::Column]> {
    use invoice_line::Column as C;
    Some(match field {
        "__typename" => &[],
        "id" => &[C::Id],
        "number" => &[C::LineNo],
        "item" => &[C::ItemId],
        "description" => &[C::Description],
        "quantity" => &[C::Quantity],
        "unit" => &[C::Unit],
        "unitPrice" => &[C::UnitPrice],
        "discountPercent" => &[C::DiscountPercent],
        "net" => &[C::NetMinor],
        "taxCode" => &[C::TaxCodeId],
        "taxCategory" => &[C::Category],
        "taxRate" => &[C::Rate],
        "taxChargeable" => &[C::Chargeable],
        "account" => &[C::AccountId],
        _ => return None,
    })
}

/// Behind a field of a party; its id is always read.
pub(super) fn party(field: &str) -> Option<&'static [party::Column]> {
    use party::Column as C;
    Some(match field {
        "__typename" | "id" => &[],
        "version" => &[C::Version],
        "name" => &[C::Name],
        "isCustomer" => &[C::IsCustomer],
        "isSupplier" => &[C::IsSupplier],
        "legalId" => &[C::LegalId],
        "siret" => &[C::Siret],
        "vatId" => &[C::VatId],
        "email" => &[C::Email],
        "phone" => &[C::Phone],
        "currency" => &[C::Currency],
        "externalRef" => &[C::ExternalRef],
        "archivedAt" => &[C::ArchivedAt],
        _ => return None,
    })
}
