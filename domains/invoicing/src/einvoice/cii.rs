//! The binding of CII (UN/CEFACT Cross Industry Invoice D16B) to the terms of EN 16931.
//!
//! Steps of paths without prefix are in `ram:`. Elements that EN 16931 does not use, such as those of the
//! extended profile of Factur-X, are passed over.

use chrono::NaiveDate;

use super::ReadError;
use super::model::{
    Address, AllowanceCharge, Attachment, Contact, InvoiceReference, Kind, Line, Note, Party, PaymentMeans,
    Period, ReceivedInvoice, Syntax, TaxDue, Totals, VatGroup,
};
use super::values::{
    AllowanceChargeTerms, DOCUMENT_TERMS, LINE_TERMS, Values, compact_date, identifier, iso_date,
    named_seller,
};
use super::xml::Element;

/// Reads the root element `rsm:CrossIndustryInvoice`.
pub(super) fn read(root: &Element) -> Result<ReceivedInvoice, ReadError> {
    let document = root.section("rsm:ExchangedDocument");
    let trade = root.section("rsm:SupplyChainTradeTransaction");
    let agreement = trade.section("ApplicableHeaderTradeAgreement");
    let delivery = trade.section("ApplicableHeaderTradeDelivery");
    let settlement = trade.section("ApplicableHeaderTradeSettlement");

    let mut values = Values::new(date);
    let number = values.required_text(document, "ID", "BT-1")?;
    let issue_date = values.required_date(document, "IssueDateTime", "BT-2")?;
    values.read_currency(settlement, "InvoiceCurrencyCode")?;
    let seller = named_seller(party(agreement.section("SellerTradeParty")))?;
    let tax_currency = values.text(settlement, "TaxCurrencyCode", "BT-6");
    let totals = totals(&mut values, settlement, tax_currency.as_deref())?;

    let type_code = values.text(document, "TypeCode", "BT-3");
    let (allowances, charges) = allowance_charges(&mut values, settlement, &DOCUMENT_TERMS);
    Ok(ReceivedInvoice {
        syntax: Syntax::Cii,
        kind: type_code.as_deref().map_or(Kind::Invoice, Kind::of_type_code),
        type_code,
        number,
        issue_date,
        due_date: due_date(&mut values, settlement),
        currency: values.currency.clone(),
        tax_currency,
        tax_point_date: tax_point_date(&mut values, settlement),
        tax_due: tax_due(&mut values, settlement),
        buyer_reference: values.text(agreement, "BuyerReference", "BT-10"),
        contract_reference: values.text(agreement, "ContractReferencedDocument/IssuerAssignedID", "BT-12"),
        order_reference: values.text(agreement, "BuyerOrderReferencedDocument/IssuerAssignedID", "BT-13"),
        accounting_reference: settlement.text("ReceivableSpecifiedTradeAccountingAccount/ID"),
        preceding_invoices: preceding_invoices(&mut values, settlement),
        notes: document.all("IncludedNote").filter_map(note).collect(),
        payment_terms: payment_terms(settlement),
        payment_means: payment_means(settlement),
        seller,
        buyer: party(agreement.section("BuyerTradeParty")),
        delivery_date: values.date(delivery, "ActualDeliverySupplyChainEvent/OccurrenceDateTime", "BT-72"),
        period: period(&mut values, settlement, ["BT-73", "BT-74"]),
        lines: trade.all("IncludedSupplyChainTradeLineItem").map(|item| line(&mut values, item)).collect(),
        allowances,
        charges,
        vat: settlement.all("ApplicableTradeTax").map(|tax| vat_group(&mut values, tax)).collect(),
        totals,
        attachments: agreement.all("AdditionalReferencedDocument").filter_map(attachment).collect(),
        remarks: values.remarks,
    })
}

/// `udt:DateTimeString` (or the like) in format 102, or `udt:DateTime` in ISO 8601.
fn date(element: &Element) -> Option<NaiveDate> {
    let strings = ["udt:DateTimeString", "qdt:DateTimeString", "udt:DateString"];
    if let Some(string) = strings.into_iter().find_map(|step| element.find(step)) {
        let is_compact = string.attribute("format").is_none_or(|format| format == "102");
        return if is_compact { compact_date(string.value()?) } else { None };
    }
    let instant = ["udt:DateTime", "udt:Date"].into_iter().find_map(|step| element.find(step))?.value()?;
    iso_date(instant.split_once('T').map_or(instant, |(date, _time)| date))
}

fn totals(
    values: &mut Values,
    settlement: &Element,
    tax_currency: Option<&str>,
) -> Result<Totals, ReadError> {
    let sums = settlement.section("SpecifiedTradeSettlementHeaderMonetarySummation");
    let (vat, vat_in_tax_currency) = values.vat_totals(sums.all("TaxTotalAmount"), tax_currency);
    Ok(Totals {
        lines: values.amount(sums, "LineTotalAmount", "BT-106"),
        allowances: values.amount(sums, "AllowanceTotalAmount", "BT-107"),
        charges: values.amount(sums, "ChargeTotalAmount", "BT-108"),
        without_vat: values.amount(sums, "TaxBasisTotalAmount", "BT-109"),
        vat,
        vat_in_tax_currency,
        with_vat: values.required_amount(sums, "GrandTotalAmount", "BT-112")?,
        prepaid: values.amount(sums, "TotalPrepaidAmount", "BT-113"),
        rounding: values.amount(sums, "RoundingAmount", "BT-114"),
        due: values.required_amount(sums, "DuePayableAmount", "BT-115")?,
    })
}

fn due_date(values: &mut Values, settlement: &Element) -> Option<NaiveDate> {
    let terms = settlement
        .all("SpecifiedTradePaymentTerms")
        .find(|terms| terms.section("DueDateDateTime").first_text().is_some())?;
    values.date(terms, "DueDateDateTime", "BT-9")
}

fn payment_terms(settlement: &Element) -> Option<String> {
    let texts = settlement.all("SpecifiedTradePaymentTerms").flat_map(|terms| terms.all("Description"));
    let texts: Vec<_> = texts.filter_map(Element::value).collect();
    if texts.is_empty() { None } else { Some(texts.join("\n")) }
}

/// CII states it on a group of the breakdown; EN 16931 has one for the document.
fn tax_point_date(values: &mut Values, settlement: &Element) -> Option<NaiveDate> {
    let tax = settlement.all("ApplicableTradeTax").find(|tax| tax.find("TaxPointDate").is_some())?;
    values.date(tax, "TaxPointDate", "BT-7")
}

/// As [`tax_point_date`], on any group.
fn tax_due(values: &mut Values, settlement: &Element) -> Option<TaxDue> {
    let code = settlement.all("ApplicableTradeTax").find_map(|tax| tax.text("DueDateTypeCode"));
    values.code(code.as_deref(), "BT-8", TaxDue::of_code)
}

fn preceding_invoices(values: &mut Values, settlement: &Element) -> Vec<InvoiceReference> {
    let references = settlement.all("InvoiceReferencedDocument").filter_map(|reference| {
        let number = reference.text("IssuerAssignedID")?;
        let issue_date = values.date(reference, "FormattedIssueDateTime", "BT-26");
        Some(InvoiceReference { number, issue_date })
    });
    references.collect()
}

fn note(element: &Element) -> Option<Note> {
    Some(Note { text: element.text("Content")?, subject_code: element.text("SubjectCode") })
}

/// CII states one remittance text (BT-83) beside all means.
fn payment_means(settlement: &Element) -> Vec<PaymentMeans> {
    let remittance = settlement.text("PaymentReference");
    let account = "PayeePartyCreditorFinancialAccount";
    let means = settlement.all("SpecifiedTradeSettlementPaymentMeans").map(|means| {
        let account = means.section(account);
        PaymentMeans {
            code: means.text("TypeCode"),
            remittance: remittance.clone(),
            iban: account.text("IBANID").or_else(|| account.text("ProprietaryID")),
            account_name: account.text("AccountName"),
            bic: means.text("PayeeSpecifiedCreditorFinancialInstitution/BICID"),
        }
    });
    let means: Vec<_> = means.collect();
    if means.is_empty() && remittance.is_some() {
        return vec![PaymentMeans { remittance, ..PaymentMeans::default() }];
    }
    means
}

fn party(element: &Element) -> Party {
    let registration = |scheme: &str| {
        let mut ids = element.all("SpecifiedTaxRegistration").filter_map(|tax| tax.find("ID"));
        ids.find(|id| id.attribute("schemeID") == Some(scheme)).and_then(Element::value).map(str::to_owned)
    };
    let address = element.section("PostalTradeAddress");
    let contact = element.section("DefinedTradeContact");
    Party {
        name: element.text("Name").unwrap_or_default(),
        trading_name: element.text("SpecifiedLegalOrganization/TradingBusinessName"),
        identifiers: element.all("ID").chain(element.all("GlobalID")).filter_map(identifier).collect(),
        legal_id: element.find("SpecifiedLegalOrganization/ID").and_then(identifier),
        vat_id: registration("VA"),
        tax_registration: registration("FC"),
        electronic_address: element.find("URIUniversalCommunication/URIID").and_then(identifier),
        address: Address {
            lines: ["LineOne", "LineTwo", "LineThree"].iter().filter_map(|step| address.text(step)).collect(),
            city: address.text("CityName"),
            postcode: address.text("PostcodeCode"),
            subdivision: address.text("CountrySubDivisionName"),
            country: address.text("CountryID"),
        },
        contact: Contact {
            name: contact.text("PersonName").or_else(|| contact.text("DepartmentName")),
            phone: contact.text("TelephoneUniversalCommunication/CompleteNumber"),
            email: contact.text("EmailURIUniversalCommunication/URIID"),
        },
    }
}

fn period(values: &mut Values, settlement: &Element, [start, end]: [&'static str; 2]) -> Option<Period> {
    let element = settlement.find("BillingSpecifiedPeriod")?;
    let period = Period {
        start: values.date(element, "StartDateTime", start),
        end: values.date(element, "EndDateTime", end),
    };
    (period.start.is_some() || period.end.is_some()).then_some(period)
}

fn line(values: &mut Values, item: &Element) -> Line {
    let document = item.section("AssociatedDocumentLineDocument");
    let product = item.section("SpecifiedTradeProduct");
    let price = item.section("SpecifiedLineTradeAgreement/NetPriceProductTradePrice");
    let delivery = item.section("SpecifiedLineTradeDelivery");
    let settlement = item.section("SpecifiedLineTradeSettlement");
    let tax = vat_of(settlement, "ApplicableTradeTax");
    let id = document.text("LineID");
    values.line.clone_from(&id);
    let (allowances, charges) = allowance_charges(values, settlement, &LINE_TERMS);
    let read = Line {
        id,
        note: values.text(document, "IncludedNote/Content", "BT-127"),
        quantity: values.decimal(delivery, "BilledQuantity", "BT-129"),
        unit_code: unit_code(delivery.find("BilledQuantity")),
        net_amount: values.amount(
            settlement,
            "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
            "BT-131",
        ),
        accounting_reference: settlement.text("ReceivableSpecifiedTradeAccountingAccount/ID"),
        period: period(values, settlement, ["BT-134", "BT-135"]),
        allowances,
        charges,
        net_price: values.amount(price, "ChargeAmount", "BT-146"),
        price_base_quantity: values.decimal(price, "BasisQuantity", "BT-149"),
        vat_category: tax.text("CategoryCode"),
        vat_rate: values.decimal(tax, "RateApplicablePercent", "BT-152"),
        name: values.text(product, "Name", "BT-153"),
        description: product.text("Description"),
        seller_item_id: product.text("SellerAssignedID"),
    };
    values.line = None;
    read
}

fn unit_code(quantity: Option<&Element>) -> Option<String> {
    quantity?.attribute("unitCode").map(str::to_owned)
}

/// The tax of type VAT among several, or else the first.
fn vat_of<'a>(at: &'a Element, step: &str) -> &'a Element {
    let is_vat = |tax: &&Element| tax.section("TypeCode").value() == Some("VAT");
    at.all(step).find(is_vat).unwrap_or_else(|| at.section(step))
}

fn allowance_charges(
    values: &mut Values,
    settlement: &Element,
    terms: &AllowanceChargeTerms,
) -> (Vec<AllowanceCharge>, Vec<AllowanceCharge>) {
    let (mut allowances, mut charges) = (Vec::new(), Vec::new());
    for element in settlement.all("SpecifiedTradeAllowanceCharge") {
        let is_charge = values.flag(element, "ChargeIndicator/udt:Indicator", terms[0][0]);
        let [amount, base, percent, rate] = terms[usize::from(is_charge)];
        let tax = vat_of(element, "CategoryTradeTax");
        let read = AllowanceCharge {
            amount: values.amount(element, "ActualAmount", amount),
            base: values.amount(element, "BasisAmount", base),
            percent: values.decimal(element, "CalculationPercent", percent),
            vat_category: tax.text("CategoryCode"),
            vat_rate: values.decimal(tax, "RateApplicablePercent", rate),
            reason: element.text("Reason"),
            reason_code: element.text("ReasonCode"),
        };
        if is_charge { charges.push(read) } else { allowances.push(read) }
    }
    (allowances, charges)
}

fn vat_group(values: &mut Values, tax: &Element) -> VatGroup {
    VatGroup {
        base: values.amount(tax, "BasisAmount", "BT-116"),
        tax: values.amount(tax, "CalculatedAmount", "BT-117"),
        category: tax.text("CategoryCode"),
        rate: values.decimal(tax, "RateApplicablePercent", "BT-119"),
        exemption_reason: tax.text("ExemptionReason"),
        exemption_reason_code: tax.text("ExemptionReasonCode"),
    }
}

/// A supporting document has type code 916, or a file in it; 50 and 130 are references of other kinds.
fn attachment(element: &Element) -> Option<Attachment> {
    let file = element.find("AttachmentBinaryObject");
    if element.section("TypeCode").value() != Some("916") && file.is_none() {
        return None;
    }
    let of_file = |name: &str| file.and_then(|file| file.attribute(name)).map(str::to_owned);
    Some(Attachment {
        reference: element.text("IssuerAssignedID"),
        description: element.text("Name"),
        location: element.text("URIID"),
        filename: of_file("filename"),
        mime_code: of_file("mimeCode"),
    })
}
