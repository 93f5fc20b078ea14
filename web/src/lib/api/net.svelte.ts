// Whether the server is within reach, and since when it is not.

class Net {
  online = $state(true)
  /** When the server last answered. */
  asOf = $state<Date | null>(null)
}

export const net = new Net()

/** The server has answered. */
export function reached() {
  net.online = true
  net.asOf = new Date()
}

/** The server could not be reached. */
export function unreached() {
  net.online = false
}

if (typeof addEventListener === 'function') {
  addEventListener('offline', unreached)
  addEventListener('online', () => {
    net.online = true
  })
}
