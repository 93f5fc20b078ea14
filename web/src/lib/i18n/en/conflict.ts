import type { Texts } from '../types'

export const conflict = {
  title: 'Somebody else has changed this meanwhile',
  text: 'For each field, choose what is to stand. Nothing is saved before you confirm.',
  field: 'Field',
  yours: 'Yours',
  theirs: 'Theirs',
  allYours: 'Take all of mine',
  allTheirs: 'Take all of theirs',
  save: 'Save this choice',
} as const satisfies Texts
