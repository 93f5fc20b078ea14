/** A tile's place on the board: columns and rows from 0, sizes from 1. */
export interface Place {
  id: string
  x: number
  y: number
  width: number
  height: number
}

export const COLUMNS = 12
/** A tile narrower than this cannot show an amount. */
export const LEAST_WIDTH = 2
export const MOST_HEIGHT = 6

const overlap = (a: Place, b: Place): boolean =>
  a.id !== b.id && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

export const reading = (a: Place, b: Place): number => a.y - b.y || a.x - b.x

function within<T extends Place>(place: T): T {
  const width = Math.min(COLUMNS, Math.max(LEAST_WIDTH, place.width))
  const height = Math.min(MOST_HEIGHT, Math.max(1, place.height))
  const x = Math.min(COLUMNS - width, Math.max(0, place.x))
  return { ...place, width, height, x, y: Math.max(0, place.y) }
}

/** Lets every tile rise as far as it can, in reading order; `held` keeps its place and the others make way. */
export function settle<T extends Place>(places: T[], held?: string): T[] {
  const first = places.filter((place) => place.id === held)
  const others = places.filter((place) => place.id !== held).sort(reading)
  const done: T[] = first.map(within)
  for (const other of others) {
    const place = within(other)
    while (done.some((taken) => overlap(taken, place))) place.y += 1
    while (place.y > 0 && !done.some((taken) => overlap(taken, { ...place, y: place.y - 1 }))) {
      place.y -= 1
    }
    done.push(place)
  }
  if (held === undefined) return done.sort(reading)
  // The held tile itself rises last, so that no row stays empty above it.
  return settle(done)
}

/** The layout after one tile has another place or size. */
export function put<T extends Place>(places: T[], id: string, change: Partial<Place>): T[] {
  return settle(
    places.map((place) => (place.id === id ? within({ ...place, ...change }) : place)),
    id,
  )
}

/** A free place for one more tile, at the end of the board. */
export function room(places: Place[], width: number, height: number): Omit<Place, 'id'> {
  const bottom = Math.max(0, ...places.map((place) => place.y + place.height))
  for (let y = 0; y <= bottom; y += 1) {
    for (let x = 0; x + width <= COLUMNS; x += 1) {
      const place = { id: '', x, y, width, height }
      if (!places.some((taken) => overlap(taken, place))) return { x, y, width, height }
    }
  }
  return { x: 0, y: bottom, width, height }
}
