import type { Texts } from '../types'

export const settings = {
  title: 'Settings',
  'tab.company': 'Company',
  'tab.people': 'People',
  'tab.roles': 'Roles',
  'tab.api-keys': 'API keys',
  'tab.security': 'Security',
} as const satisfies Texts
