import type { Texts } from '../types'

export const embed = {
  gone: 'This link shows nothing',
  goneText: 'It has expired, was revoked, or was copied in part. Ask whoever gave it to you for another one.',
  until: 'This link works until {when}',
  asOf: 'as of {time}',
  offline: 'No connection. Figures as of {time}; they come up to date by themselves.',
  tiles: 'Figures',
  empty: 'Nothing to show here.',
  hidden: 'Not shown by this link.',
  failed: 'This did not load. It is tried again by itself.',
  language: 'Français',
  loading: 'Loading…',
} as const satisfies Texts
