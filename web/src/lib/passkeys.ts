// Passkeys: the browser's own reading and writing of the JSON forms of Web Authentication Level 3.

/** Whether this browser can make them and sign in by them; it does so in secure contexts only. */
export function canUsePasskeys(): boolean {
  return (
    typeof PublicKeyCredential !== 'undefined' &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function' &&
    typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function'
  )
}

/** Signs in: the browser's answer to the options, as JSON; null when the person called it off, or it took too long. */
export async function askPasskey(options: string): Promise<string | null> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(opened(options))
  return answer(() => navigator.credentials.get({ publicKey }))
}

/** Makes one; answers as `askPasskey` does. */
export async function makePasskey(options: string): Promise<string | null> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(opened(options))
  return answer(() => navigator.credentials.create({ publicKey }))
}

/** Servers may wrap the options as the argument of the browser's call. */
function opened<Options>(json: string): Options {
  const asked = JSON.parse(json) as Options & { publicKey?: Options }
  return asked.publicKey ?? asked
}

async function answer(act: () => Promise<Credential | null>): Promise<string | null> {
  try {
    const credential = await act()
    return credential instanceof PublicKeyCredential ? JSON.stringify(credential.toJSON()) : null
  } catch (error) {
    if (error instanceof DOMException) return null
    throw error
  }
}
