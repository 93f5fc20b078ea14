import type { conflict as en } from '../en/conflict'
import type { Same } from '../types'

export const conflict = {
  title: 'Quelqu’un d’autre a modifié ceci entre-temps',
  text: 'Pour chaque champ, choisissez ce qui doit rester. Rien n’est enregistré avant votre confirmation.',
  field: 'Champ',
  yours: 'Votre version',
  theirs: 'L’autre version',
  allYours: 'Prendre toute la mienne',
  allTheirs: 'Prendre toute l’autre',
  save: 'Enregistrer ce choix',
} satisfies Same<typeof en>
