import type { embed as en } from '../en/embed'
import type { Same } from '../types'

export const embed = {
  gone: 'Ce lien ne montre rien',
  goneText: 'Il a expiré, a été révoqué, ou n’a été copié qu’en partie. Demandez-en un autre à qui vous l’a donné.',
  until: 'Ce lien fonctionne jusqu’au {when}',
  asOf: 'à {time}',
  offline: 'Pas de connexion. Chiffres à {time} ; ils se remettent à jour d’eux-mêmes.',
  tiles: 'Indicateurs',
  empty: 'Rien à montrer ici.',
  hidden: 'Non montré par ce lien.',
  failed: 'Le chargement a échoué. Il est retenté de lui-même.',
  language: 'English',
  loading: 'Chargement…',
} satisfies Same<typeof en>
