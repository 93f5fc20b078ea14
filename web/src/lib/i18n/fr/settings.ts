import type { settings as en } from '../en/settings'
import type { Same } from '../types'

export const settings = {
  title: 'Settings',
  'tab.company': 'Société',
  'tab.people': 'Personnes',
  'tab.roles': 'Rôles',
  'tab.api-keys': 'Clés d’API',
  'tab.security': 'Sécurité',
} satisfies Same<typeof en>
