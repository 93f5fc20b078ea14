// The texts of invoices and bills, in one translator for the pages that share their parts.
import { area } from '$lib/i18n/index.svelte'
import { bills as billsEn } from '$lib/i18n/en/bills'
import { documents as documentsEn } from '$lib/i18n/en/documents'
import { invoices as invoicesEn } from '$lib/i18n/en/invoices'
import { bills as billsFr } from '$lib/i18n/fr/bills'
import { documents as documentsFr } from '$lib/i18n/fr/documents'
import { invoices as invoicesFr } from '$lib/i18n/fr/invoices'

export const t = area({
  en: { ...documentsEn, ...invoicesEn, ...billsEn },
  fr: { ...documentsFr, ...invoicesFr, ...billsFr },
})
