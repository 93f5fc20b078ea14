// The open alerts, live: for the count beside the navigation, and to tell the page when to look anew.
import { live } from '$lib/api/live'
import { OpenAlertsDocument, type OpenAlertsSubscription } from '$gql/pages/alerts/open'

type Open = OpenAlertsSubscription['kpiAlerts']['alerts'][number]

class OpenAlerts {
  byId: Readonly<Record<string, Open>> = $state.raw({})
  /** Grows with each change. */
  revision = $state(0)

  /** Those that nobody has seen yet, and that nobody has put off. */
  get waiting(): number {
    const now = new Date().toISOString()
    return Object.values(this.byId).filter(
      ({ acknowledgedAt, snoozedUntil }) => acknowledgedAt === null && (snoozedUntil === null || snoozedUntil < now),
    ).length
  }

  get critical(): boolean {
    return Object.values(this.byId).some(({ level, acknowledgedAt }) => level === 'CRITICAL' && acknowledgedAt === null)
  }

  /** Follows them; answers what ends it. */
  follow(): () => void {
    const stop = live(
      OpenAlertsDocument,
      {},
      {
        next: ({ kpiAlerts }) => {
          const next: Record<string, Open> = kpiAlerts.snapshot ? {} : { ...this.byId }
          for (const alert of kpiAlerts.alerts) next[alert.id] = alert
          for (const id of kpiAlerts.closed) delete next[id]
          this.byId = next
          this.revision = kpiAlerts.revision
        },
        gap: () => (this.byId = {}),
      },
    )
    return () => {
      stop()
      this.byId = {}
    }
  }
}

export const openAlerts = new OpenAlerts()
