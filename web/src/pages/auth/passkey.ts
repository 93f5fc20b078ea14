// Signing in by a passkey: the browser's own reading and writing of the JSON forms of Web Authentication Level 3.

/** Whether this browser can; it does so in secure contexts only. */
export function canUsePasskeys(): boolean {
  return typeof PublicKeyCredential !== 'undefined' && typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function'
}

/** The browser's answer to the options, as JSON; null when the person called it off, or it took too long. */
export async function askPasskey(options: string): Promise<string | null> {
  const asked = JSON.parse(options) as PublicKeyCredentialRequestOptionsJSON & {
    publicKey?: PublicKeyCredentialRequestOptionsJSON
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey ?? asked)
  try {
    const credential = await navigator.credentials.get({ publicKey })
    return credential instanceof PublicKeyCredential ? JSON.stringify(credential.toJSON()) : null
  } catch (error) {
    if (error instanceof DOMException) return null
    throw error
  }
}
