// What the API says when it refuses, in the user's language. Its own words are English; French is known by the code.
import { settings } from '$lib/settings.svelte'

let french = $state.raw<Record<string, string>>({})
let asked = false

function ask() {
  if (asked) return
  asked = true
  import('$lib/i18n/fr/problems').then(
    ({ problems }) => (french = problems),
    () => (asked = false),
  )
}
if (settings.locale === 'fr') ask()

/** A refusal or an error, as a sentence for people. */
export function told({ code, message }: { code: string; message: string }): string {
  if (settings.locale === 'fr') {
    ask()
    const words = french[code]
    if (words) return words
  }
  return sentence(message)
}

/** The API's messages begin in small letters and end without a stop. */
export function sentence(message: string): string {
  const [first = ''] = message
  return first.toUpperCase() + message.slice(1) + (/[.!?…]$/.test(message) ? '' : '.')
}
