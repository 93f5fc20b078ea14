// Making a passkey: the browser's own reading and writing of the JSON forms of Web Authentication Level 3.

/** Whether this browser can make passkeys here; it does so in secure contexts only. */
export function canMakePasskeys(): boolean {
  return (
    typeof PublicKeyCredential !== 'undefined' && typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function'
  )
}

/** The browser's answer to the options, as JSON; null when the person called it off, or it took too long. */
export async function makePasskey(options: string): Promise<string | null> {
  const asked = JSON.parse(options) as PublicKeyCredentialCreationOptionsJSON & {
    publicKey?: PublicKeyCredentialCreationOptionsJSON
  }
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.publicKey ?? asked)
  try {
    const made = await navigator.credentials.create({ publicKey })
    return made instanceof PublicKeyCredential ? JSON.stringify(made.toJSON()) : null
  } catch (error) {
    if (error instanceof DOMException) return null
    throw error
  }
}
