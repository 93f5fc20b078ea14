// Electronic invoices from the user's disk: announced, sent, imported, with a result for each file.
import { CreateUploadDocument, ImportBillsDocument, type ImportBillsMutation } from '$gql/lib/api/upload'
import { ApiError, asApiError, mutate } from './client'

/** As many as `importBills` takes at once. */
const BATCH = 20
const LARGEST = 20 * 1024 * 1024
const AT_ONCE = 3

type Imported = ImportBillsMutation['importBills']['files'][number]

/** What became of a file. */
export interface FileResult {
  name: string
  /** `waiting` → `sending` → `importing` → one of the others. */
  state: 'waiting' | 'sending' | 'importing' | 'imported' | 'duplicate' | 'refused' | 'failed'
  bill?: NonNullable<Imported['bill']>
  duplicateOf?: NonNullable<Imported['duplicateOf']>
  /** Why it was refused or failed. */
  error?: { code: string; message: string }
}

/** Sends files and answers their ids, in their order; a file that failed has an error instead. */
export async function sendFile(file: File): Promise<string> {
  if (file.size > LARGEST) throw new ApiError({ kind: 'invalid', code: 'TOO_LARGE', message: 'The file is larger than 20 MiB.' })
  if (file.size === 0) throw new ApiError({ kind: 'invalid', code: 'EMPTY', message: 'The file is empty.' })
  const input = { name: file.name, mediaType: mediaType(file), size: file.size }
  const { createUpload } = await mutate(CreateUploadDocument, { input })
  const [wrong] = createUpload.userErrors
  if (wrong) throw new ApiError({ kind: 'invalid', code: wrong.code, message: wrong.message })
  const { uploadUrl } = createUpload
  if (!createUpload.file || !uploadUrl) {
    throw new ApiError({ kind: 'fault', code: 'NO_UPLOAD', message: 'The server gave no address to send the file to.' })
  }
  // The console is served by the server itself: whatever its public name, the path is ours.
  const { pathname, search } = new URL(uploadUrl, location.href)
  const response = await fetch(pathname + search, { method: 'PUT', body: file, credentials: 'omit' }).catch(() => null)
  if (!response) throw new ApiError({ kind: 'offline', code: 'OFFLINE', message: 'The server is out of reach.' })
  if (!response.ok) {
    const body = (await response.json().catch(() => null)) as { error?: { code: string; message: string } } | null
    const { code = String(response.status), message = `The server answered ${response.status}.` } = body?.error ?? {}
    throw new ApiError({ kind: 'fault', code, message })
  }
  return createUpload.file.id
}

/** Imports files as bills. `onChange` gets all results whenever one of them changes. */
export async function importBills(files: File[], onChange: (results: FileResult[]) => void): Promise<FileResult[]> {
  const results: FileResult[] = files.map(({ name }) => ({ name, state: 'waiting' }))
  const ids: (string | null)[] = files.map(() => null)
  const set = (index: number, change: Partial<FileResult>) => {
    Object.assign(results[index] as FileResult, change)
    onChange(results.map((result) => ({ ...result })))
  }
  let next = 0
  const worker = async () => {
    for (let index = next++; index < files.length; index = next++) {
      set(index, { state: 'sending' })
      try {
        ids[index] = await sendFile(files[index] as File)
        set(index, { state: 'importing' })
      } catch (error) {
        const { code, message } = asApiError(error)
        set(index, { state: 'failed', error: { code, message } })
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, files.length) }, worker))
  const sent = ids.flatMap((id, index) => (id ? [{ id, index }] : []))
  for (let from = 0; from < sent.length; from += BATCH) {
    await importBatch(sent.slice(from, from + BATCH), set)
  }
  return results
}

async function importBatch(
  batch: { id: string; index: number }[],
  set: (index: number, change: Partial<FileResult>) => void,
) {
  const failed = (error: { code: string; message: string }) => {
    for (const { index } of batch) set(index, { state: 'failed', error: { code: error.code, message: error.message } })
  }
  try {
    const { importBills } = await mutate(ImportBillsDocument, { input: { uploadIds: batch.map(({ id }) => id) } })
    const [wrong] = importBills.userErrors
    if (wrong) return failed(wrong)
    for (const { id, index } of batch) {
      const told = importBills.files.find(({ uploadId }) => uploadId === id)
      if (told?.bill) set(index, { state: 'imported', bill: told.bill })
      else if (told?.duplicateOf) set(index, { state: 'duplicate', duplicateOf: told.duplicateOf, error: told.userError ?? undefined })
      else set(index, { state: 'refused', error: told?.userError ?? { code: 'UNKNOWN', message: 'The file was refused.' } })
    }
  } catch (error) {
    failed(asApiError(error))
  }
}

function mediaType(file: File): string {
  if (file.type) return file.type
  const ending = file.name.split('.').pop()?.toLowerCase() ?? ''
  return { xml: 'application/xml', pdf: 'application/pdf', csv: 'text/csv', png: 'image/png' }[ending] ?? 'application/xml'
}
