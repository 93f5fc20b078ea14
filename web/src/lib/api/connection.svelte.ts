// How the live connection is doing, for whoever shows it.
import { reached } from './net.svelte'

export type ConnectionState = 'idle' | 'connecting' | 'live' | 'reconnecting' | 'offline'

class Connection {
  state = $state<ConnectionState>('idle')
  /** When the server was last heard of: what is shown is as of then. */
  asOf = $state<Date | null>(null)

  heard() {
    this.asOf = new Date()
    reached()
  }
}

export const connection = new Connection()
