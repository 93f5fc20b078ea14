// The sign-ins of the demo, which tells them to everybody; no other server does.

export interface DemoSignIn {
  company: string
  email: string
  password: string
  role: string
}

export async function demoSignIns(): Promise<DemoSignIn[]> {
  try {
    const response = await fetch('/demo.json', { credentials: 'omit', headers: { Accept: 'application/json' } })
    if (!response.ok) return []
    const told = (await response.json()) as { signIns?: DemoSignIn[] }
    return told.signIns ?? []
  } catch {
    return []
  }
}
