// What the palette always knows: where one can go, and what one can do everywhere.
import { t } from '$lib/i18n/index.svelte'
import type { Action } from '$lib/palette.svelte'
import { go } from '$lib/router.svelte'
import { session } from '$lib/session.svelte'
import { settings } from '$lib/settings.svelte'
import { toast } from '$lib/toast.svelte'
import { told } from '$lib/words.svelte'
import type { IconName } from './Icon.svelte'
import { help } from '../shell/help.svelte'
import { places } from '../shell/places'

export interface Entry extends Action {
  icon: IconName
}

export function own(): { name: string; entries: Entry[] }[] {
  const may = (right?: string) => !right || session.can(right)
  const goes: Entry[] = places
    .filter(({ right }) => may(right))
    .map(({ path, name, icon, key }) => ({ id: path, icon, label: t(name), combo: `g ${key}`, run: () => go(path) }))
  const news: Entry[] = [
    { right: 'invoicing.draft', path: '/invoices/new', icon: 'invoice' as const, label: t('palette.newInvoice') },
    { right: 'bills.enter', path: '/bills/new', icon: 'bill' as const, label: t('palette.newBill') },
  ]
    .filter(({ right }) => may(right))
    .map(({ path, icon, label }) => ({ id: path, icon, label, run: () => go(path) }))
  const companies: Entry[] = (session.viewer?.companies ?? [])
    .filter(({ id }) => id !== session.companyId)
    .map(({ id, name, test }) => ({
      id: `switch ${id}`,
      icon: 'company',
      label: t('palette.switchTo', { company: name }),
      hint: test ? t('company.test') : '',
      run: () => change(id),
    }))
  const acts: Entry[] = [
    {
      id: 'theme',
      icon: settings.theme === 'dark' ? 'sun' : 'moon',
      label: settings.theme === 'dark' ? t('palette.light') : t('palette.dark'),
      keywords: t('account.theme'),
      run: () => {
        settings.theme = settings.theme === 'dark' ? 'light' : 'dark'
      },
    },
    {
      id: 'language',
      icon: 'globe',
      label: settings.locale === 'fr' ? 'English' : 'Français',
      keywords: `${t('account.language')} language langue`,
      run: () => {
        settings.locale = settings.locale === 'fr' ? 'en' : 'fr'
      },
    },
    { id: 'keys', icon: 'keyboard', label: t('keys.help'), combo: '?', run: () => void (help.open = true) },
    { id: 'security', icon: 'lock', label: t('account.security'), run: () => go('/settings/security') },
    { id: 'company', icon: 'plus', label: t('company.new'), run: () => go('/companies/new') },
    { id: 'out', icon: 'out', label: t('account.signOut'), run: () => session.signOut() },
  ]
  return [
    { name: t('palette.go'), entries: goes },
    { name: t('palette.act'), entries: [...news, ...companies, ...acts] },
  ]
}

async function change(id: string) {
  const refused = await session.switchTo(id)
  if (refused) toast.error(told(refused))
  else go('/')
}
