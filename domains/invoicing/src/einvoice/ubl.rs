//! The binding of UBL 2.1, invoice and credit note, to the terms of EN 16931.

use chrono::NaiveDate;

use super::ReadError;
use super::model::{
    Address, AllowanceCharge, Attachment, Contact, InvoiceReference, Kind, Line, Note, Party, PaymentMeans,
    Period, ReceivedInvoice, Syntax, TaxDue, Totals, VatGroup,
};
use super::values::{
    AllowanceChargeTerms, DOCUMENT_TERMS, LINE_TERMS, Values, identifier, iso_date, named_seller,
};
use super::xml::Element;

/// Reads the root element, `Invoice` or `CreditNote` as `root_kind` says.
pub(super) fn read(root: &Element, root_kind: Kind) -> Result<ReceivedInvoice, ReadError> {
    let names = Names::of(root_kind);
    let mut values = Values::new(date);
    let number = values.required_text(root, "cbc:ID", "BT-1")?;
    let issue_date = values.required_date(root, "cbc:IssueDate", "BT-2")?;
    values.read_currency(root, "cbc:DocumentCurrencyCode")?;
    let seller = named_seller(party(root.section("cac:AccountingSupplierParty/cac:Party")))?;
    let tax_currency = values.text(root, "cbc:TaxCurrencyCode", "BT-6");
    let totals = totals(&mut values, root, tax_currency.as_deref())?;

    let type_code = values.text(root, names.type_code, "BT-3");
    let (allowances, charges) = allowance_charges(&mut values, root, &DOCUMENT_TERMS);
    let tax_due = root.text("cac:InvoicePeriod/cbc:DescriptionCode");
    Ok(ReceivedInvoice {
        syntax: Syntax::Ubl,
        kind: match root_kind {
            Kind::CreditNote => Kind::CreditNote,
            Kind::Invoice => type_code.as_deref().map_or(Kind::Invoice, Kind::of_type_code),
        },
        type_code,
        number,
        issue_date,
        due_date: due_date(&mut values, root),
        currency: values.currency.clone(),
        tax_point_date: values.date(root, "cbc:TaxPointDate", "BT-7"),
        tax_due: values.code(tax_due.as_deref(), "BT-8", TaxDue::of_code),
        buyer_reference: values.text(root, "cbc:BuyerReference", "BT-10"),
        contract_reference: values.text(root, "cac:ContractDocumentReference/cbc:ID", "BT-12"),
        order_reference: values.text(root, "cac:OrderReference/cbc:ID", "BT-13"),
        accounting_reference: root.text("cbc:AccountingCost"),
        preceding_invoices: preceding_invoices(&mut values, root),
        notes: root.all("cbc:Note").filter_map(Element::value).map(note).collect(),
        payment_terms: payment_terms(root),
        payment_means: root.all("cac:PaymentMeans").map(payment_means).collect(),
        seller,
        buyer: party(root.section("cac:AccountingCustomerParty/cac:Party")),
        delivery_date: values.date(root, "cac:Delivery/cbc:ActualDeliveryDate", "BT-72"),
        period: period(&mut values, root, ["BT-73", "BT-74"]),
        lines: root.all(names.line).map(|item| line(&mut values, item, &names)).collect(),
        allowances,
        charges,
        vat: vat_groups(&mut values, root, tax_currency.as_deref()),
        tax_currency,
        totals,
        attachments: root.all("cac:AdditionalDocumentReference").filter_map(attachment).collect(),
        remarks: values.remarks,
    })
}

/// What invoice and credit note call differently.
struct Names {
    type_code: &'static str,
    line: &'static str,
    quantity: &'static str,
}

impl Names {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Invoice => Self {
                type_code: "cbc:InvoiceTypeCode",
                line: "cac:InvoiceLine",
                quantity: "cbc:InvoicedQuantity",
            },
            Kind::CreditNote => Self {
                type_code: "cbc:CreditNoteTypeCode",
                line: "cac:CreditNoteLine",
                quantity: "cbc:CreditedQuantity",
            },
        }
    }
}

fn date(element: &Element) -> Option<NaiveDate> {
    iso_date(element.value()?)
}

fn totals(values: &mut Values, root: &Element, tax_currency: Option<&str>) -> Result<Totals, ReadError> {
    let sums = root.section("cac:LegalMonetaryTotal");
    let taxes = root.all("cac:TaxTotal").filter_map(|total| total.find("cbc:TaxAmount"));
    let (vat, vat_in_tax_currency) = values.vat_totals(taxes, tax_currency);
    Ok(Totals {
        lines: values.amount(sums, "cbc:LineExtensionAmount", "BT-106"),
        allowances: values.amount(sums, "cbc:AllowanceTotalAmount", "BT-107"),
        charges: values.amount(sums, "cbc:ChargeTotalAmount", "BT-108"),
        without_vat: values.amount(sums, "cbc:TaxExclusiveAmount", "BT-109"),
        vat,
        vat_in_tax_currency,
        with_vat: values.required_amount(sums, "cbc:TaxInclusiveAmount", "BT-112")?,
        prepaid: values.amount(sums, "cbc:PrepaidAmount", "BT-113"),
        rounding: values.amount(sums, "cbc:PayableRoundingAmount", "BT-114"),
        due: values.required_amount(sums, "cbc:PayableAmount", "BT-115")?,
    })
}

/// An invoice states it on the document, a credit note with the means of payment.
fn due_date(values: &mut Values, root: &Element) -> Option<NaiveDate> {
    values.date(root, "cbc:DueDate", "BT-9").or_else(|| {
        let means = root.all("cac:PaymentMeans").find(|means| means.find("cbc:PaymentDueDate").is_some())?;
        values.date(means, "cbc:PaymentDueDate", "BT-9")
    })
}

fn payment_terms(root: &Element) -> Option<String> {
    let texts = root.all("cac:PaymentTerms").flat_map(|terms| terms.all("cbc:Note"));
    let texts: Vec<_> = texts.filter_map(Element::value).collect();
    if texts.is_empty() { None } else { Some(texts.join("\n")) }
}

fn preceding_invoices(values: &mut Values, root: &Element) -> Vec<InvoiceReference> {
    let references = root.all("cac:BillingReference").filter_map(|reference| {
        let document = reference.find("cac:InvoiceDocumentReference")?;
        let number = document.text("cbc:ID")?;
        let issue_date = values.date(document, "cbc:IssueDate", "BT-26");
        Some(InvoiceReference { number, issue_date })
    });
    references.collect()
}

/// UBL writes the subject code (BT-21) into the text: `#PMT#Text`.
fn note(text: &str) -> Note {
    let coded = text.strip_prefix('#').and_then(|rest| rest.split_once('#'));
    match coded {
        Some((code, text)) if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Note { subject_code: Some(code.to_owned()), text: text.trim().to_owned() }
        }
        _ => Note { subject_code: None, text: text.to_owned() },
    }
}

fn payment_means(means: &Element) -> PaymentMeans {
    let account = means.section("cac:PayeeFinancialAccount");
    PaymentMeans {
        code: means.text("cbc:PaymentMeansCode"),
        remittance: means.text("cbc:PaymentID"),
        iban: account.text("cbc:ID"),
        account_name: account.text("cbc:Name"),
        bic: account.text("cac:FinancialInstitutionBranch/cbc:ID"),
    }
}

fn party(element: &Element) -> Party {
    let registration = |is_wanted: fn(Option<&str>) -> bool| {
        let mut schemes = element.all("cac:PartyTaxScheme");
        let wanted = schemes.find(|scheme| is_wanted(scheme.section("cac:TaxScheme/cbc:ID").value()))?;
        wanted.text("cbc:CompanyID")
    };
    let identifiers = element.all("cac:PartyIdentification").filter_map(|id| id.find("cbc:ID"));
    // The scheme SEPA marks the creditor's identifier for direct debits (BT-90).
    let identifiers = identifiers.filter(|id| id.attribute("schemeID") != Some("SEPA"));
    let contact = element.section("cac:Contact");
    Party {
        name: element.text("cac:PartyLegalEntity/cbc:RegistrationName").unwrap_or_default(),
        trading_name: element.text("cac:PartyName/cbc:Name"),
        identifiers: identifiers.filter_map(identifier).collect(),
        legal_id: element.find("cac:PartyLegalEntity/cbc:CompanyID").and_then(identifier),
        vat_id: registration(|scheme| scheme == Some("VAT")),
        tax_registration: registration(|scheme| scheme != Some("VAT")),
        electronic_address: element.find("cbc:EndpointID").and_then(identifier),
        address: address(element.section("cac:PostalAddress")),
        contact: Contact {
            name: contact.text("cbc:Name"),
            phone: contact.text("cbc:Telephone"),
            email: contact.text("cbc:ElectronicMail"),
        },
    }
}

fn address(element: &Element) -> Address {
    let lines = ["cbc:StreetName", "cbc:AdditionalStreetName", "cac:AddressLine/cbc:Line"];
    Address {
        lines: lines.iter().filter_map(|path| element.text(path)).collect(),
        city: element.text("cbc:CityName"),
        postcode: element.text("cbc:PostalZone"),
        subdivision: element.text("cbc:CountrySubentity"),
        country: element.text("cac:Country/cbc:IdentificationCode"),
    }
}

fn period(values: &mut Values, at: &Element, [start, end]: [&'static str; 2]) -> Option<Period> {
    let element = at.find("cac:InvoicePeriod")?;
    let period = Period {
        start: values.date(element, "cbc:StartDate", start),
        end: values.date(element, "cbc:EndDate", end),
    };
    (period.start.is_some() || period.end.is_some()).then_some(period)
}

fn line(values: &mut Values, element: &Element, names: &Names) -> Line {
    let item = element.section("cac:Item");
    let price = element.section("cac:Price");
    let tax = vat_of(item, "cac:ClassifiedTaxCategory");
    let unit_code = element.find(names.quantity).and_then(|quantity| quantity.attribute("unitCode"));
    let id = element.text("cbc:ID");
    values.line.clone_from(&id);
    let (allowances, charges) = allowance_charges(values, element, &LINE_TERMS);
    let read = Line {
        id,
        note: values.text(element, "cbc:Note", "BT-127"),
        quantity: values.decimal(element, names.quantity, "BT-129"),
        unit_code: unit_code.map(str::to_owned),
        net_amount: values.amount(element, "cbc:LineExtensionAmount", "BT-131"),
        accounting_reference: element.text("cbc:AccountingCost"),
        period: period(values, element, ["BT-134", "BT-135"]),
        allowances,
        charges,
        net_price: values.amount(price, "cbc:PriceAmount", "BT-146"),
        price_base_quantity: values.decimal(price, "cbc:BaseQuantity", "BT-149"),
        vat_category: tax.text("cbc:ID"),
        vat_rate: values.decimal(tax, "cbc:Percent", "BT-152"),
        name: values.text(item, "cbc:Name", "BT-153"),
        description: item.text("cbc:Description"),
        seller_item_id: item.text("cac:SellersItemIdentification/cbc:ID"),
    };
    values.line = None;
    read
}

/// The category of the scheme VAT among several, or else the first.
fn vat_of<'a>(at: &'a Element, step: &str) -> &'a Element {
    let is_vat = |tax: &&Element| tax.section("cac:TaxScheme/cbc:ID").value() == Some("VAT");
    at.all(step).find(is_vat).unwrap_or_else(|| at.section(step))
}

fn allowance_charges(
    values: &mut Values,
    at: &Element,
    terms: &AllowanceChargeTerms,
) -> (Vec<AllowanceCharge>, Vec<AllowanceCharge>) {
    let (mut allowances, mut charges) = (Vec::new(), Vec::new());
    for element in at.all("cac:AllowanceCharge") {
        let is_charge = values.flag(element, "cbc:ChargeIndicator", terms[0][0]);
        let [amount, base, percent, rate] = terms[usize::from(is_charge)];
        let tax = vat_of(element, "cac:TaxCategory");
        let read = AllowanceCharge {
            amount: values.amount(element, "cbc:Amount", amount),
            base: values.amount(element, "cbc:BaseAmount", base),
            percent: values.decimal(element, "cbc:MultiplierFactorNumeric", percent),
            vat_category: tax.text("cbc:ID"),
            vat_rate: values.decimal(tax, "cbc:Percent", rate),
            reason: element.text("cbc:AllowanceChargeReason"),
            reason_code: element.text("cbc:AllowanceChargeReasonCode"),
        };
        if is_charge { charges.push(read) } else { allowances.push(read) }
    }
    (allowances, charges)
}

/// The breakdown stands in the total in the currency of the document, not in that of accounting.
fn vat_groups(values: &mut Values, root: &Element, tax_currency: Option<&str>) -> Vec<VatGroup> {
    let is_for_accounting = |total: &Element, document_currency: &str| {
        let currency = total.find("cbc:TaxAmount").and_then(|amount| amount.attribute("currencyID"));
        currency.is_some() && currency == tax_currency && currency != Some(document_currency)
    };
    let document_currency = values.currency.clone();
    let totals = root.all("cac:TaxTotal").filter(|total| !is_for_accounting(total, &document_currency));
    totals.flat_map(|total| total.all("cac:TaxSubtotal")).map(|group| vat_group(values, group)).collect()
}

fn vat_group(values: &mut Values, group: &Element) -> VatGroup {
    let category = group.section("cac:TaxCategory");
    VatGroup {
        base: values.amount(group, "cbc:TaxableAmount", "BT-116"),
        tax: values.amount(group, "cbc:TaxAmount", "BT-117"),
        category: category.text("cbc:ID"),
        rate: values.decimal(category, "cbc:Percent", "BT-119"),
        exemption_reason: category.text("cbc:TaxExemptionReason"),
        exemption_reason_code: category.text("cbc:TaxExemptionReasonCode"),
    }
}

/// A reference with type code 50 or 130 is not a supporting document but one of another kind.
fn attachment(element: &Element) -> Option<Attachment> {
    if matches!(element.section("cbc:DocumentTypeCode").value(), Some("50" | "130")) {
        return None;
    }
    let file = element.find("cac:Attachment/cbc:EmbeddedDocumentBinaryObject");
    let of_file = |name: &str| file.and_then(|file| file.attribute(name)).map(str::to_owned);
    Some(Attachment {
        reference: element.text("cbc:ID"),
        description: element.text("cbc:DocumentDescription"),
        location: element.text("cac:Attachment/cac:ExternalReference/cbc:URI"),
        filename: of_file("filename"),
        mime_code: of_file("mimeCode"),
    })
}
