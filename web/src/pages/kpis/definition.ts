import type { DefinitionFragment, SpecFragment } from '$gql/pages/kpis/kpi'

export type Definition = DefinitionFragment
export type Spec = SpecFragment
