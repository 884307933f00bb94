import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { isRaspiError, RaspiError } from '../errors.ts'
import { fileDigest } from '../host/file-digest.ts'
import { privateDir } from '../host/paths.ts'
import { type Log, phase } from '../host/progress.ts'
import { scratchName } from '../host/scratch.ts'
import { downloadFile, downloadsDir, fileIn, readDownload } from './downloads.ts'
import { checkSpace, megabytes, writeError } from './free-space.ts'
import { get, httpClient, reasonOf, TransientError } from './http.ts'
import { PartFile } from './part-file.ts'
import type { RemoteImage } from './remote-image.ts'
import { Transfer } from './transfer.ts'

/** When a server is given up. */
export interface Patience {
  /** How often it may fail in a row without a byte of progress. @default 5 */
  failures: number
  /** The wait before it is asked again, in ms; doubled each time, up to 30 s. @default 1_000 */
  retryMs: number
  /** How long it may stay below {@link slowest} before the connection is dropped, in ms. @default 30_000 */
  stallMs: number
}

const defaultPatience: Patience = { failures: 5, retryMs: 1_000, stallMs: 30_000 }

/** In bytes per second: what is slower than this has stalled. */
const slowest = 1024

export interface DownloadContext {
  cacheDir: string
  log: Log
  signal?: AbortSignal | undefined
  patience?: Partial<Patience> | undefined
}

/**
 * The file of `image` in the cache, downloaded where it is not there; `name` is what to call it. A broken download is
 * gone on with where it broke, also by another process; what is there under its name is whole and has its SHA-256.
 * Throws a `RaspiError` of kind `image`, and the reason of an abort.
 */
export async function download(name: string, image: RemoteImage, context: DownloadContext): Promise<string> {
  const { cacheDir, log, signal } = context
  const found = await readDownload(cacheDir, image.sha256)
  if (found) return found.path
  const dir = downloadsDir(cacheDir)
  let part: PartFile | undefined
  try {
    privateDir(dir)
    part = await PartFile.open(dir, image.url)
    const transfer = new Transfer()
    const title = `Image ${name}: downloading it${image.bytes ? ` (${megabytes(image.bytes)})` : ''}`
    const open = part
    await phase(
      log,
      title,
      () => fetchAll(name, image, open, transfer, context),
      () => `${transfer}`,
    )
    const sum = await fileDigest(part.path, signal)
    if (sum !== image.sha256) {
      throw new RaspiError(
        'image',
        `Image ${name} is not used: what ${image.url} gave has the SHA-256 ${sum}, and should have ${image.sha256}.`,
        {
          hint: 'Nothing of it was kept. Try again; where it stays, the checksum is wrong or the server is.',
        },
      )
    }
    return await keep(image, part, cacheDir)
  } catch (error) {
    signal?.throwIfAborted()
    const told = writeError(name, dir, error)
    // What broke off may be gone on with. What is wrong, or fills the disk, may not.
    if (isRaspiError(told) && !(told instanceof Interrupted)) await part?.remove().catch(() => {})
    throw told
  }
}

/** A server that was given up, and may go on later. */
class Interrupted extends RaspiError {}

async function fetchAll(
  name: string,
  image: RemoteImage,
  part: PartFile,
  transfer: Transfer,
  { log, signal, patience: given }: DownloadContext,
): Promise<void> {
  const patience = { ...defaultPatience, ...given }
  const dispatcher = httpClient()
  try {
    for (let failures = 0; ; ) {
      const before = part.bytes
      try {
        return await fetchRest(name, image, part, transfer, { dispatcher, signal, stallMs: patience.stallMs })
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof TransientError)) throw error
        failures = part.bytes > before ? 1 : failures + 1
        if (failures > patience.failures) {
          throw new Interrupted(
            'image',
            `Image ${name} cannot be downloaded from ${image.url}: ${error.message}.`,
            {
              hint:
                `It was tried ${failures} times${part.bytes > 0 ? `, and ${megabytes(part.bytes)} are kept: the next download goes on there` : ''}.` +
                ' Check the network; a proxy is taken from https_proxy.',
              cause: error,
            },
          )
        }
        const wait = error.retryAfterMs ?? Math.min(patience.retryMs * 2 ** (failures - 1), 30_000)
        log(`Image ${name}: the download broke off at ${transfer} (${error.message}), going on`)
        await delay(wait, undefined, signal ? { signal } : {})
      }
    }
  } finally {
    await dispatcher.destroy().catch(() => {})
  }
}

/** Asks for what `part` lacks, and appends it. */
async function fetchRest(
  name: string,
  { url, bytes: declared }: RemoteImage,
  part: PartFile,
  transfer: Transfer,
  {
    dispatcher,
    signal,
    stallMs,
  }: { dispatcher: Dispatcher; signal: AbortSignal | undefined; stallMs: number },
): Promise<void> {
  if (declared && part.bytes === declared) return
  const resume = part.bytes > 0 && part.validator && !(declared && part.bytes > declared)
  const stalled = new AbortController()
  const stop = AbortSignal.any([stalled.signal, ...(signal ? [signal] : [])])
  const headers: Record<string, string> = resume
    ? { range: `bytes=${part.bytes}-`, 'if-range': part.validator as string }
    : {}
  const response = await get(url, dispatcher, { headers, signal: stop })
  const { statusCode, body } = response
  body.on('error', () => {})

  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header(response, 'content-range') ?? '')
  const goesOn = resume && statusCode === 206 && Number(range?.[1]) === part.bytes
  if (!goesOn && statusCode !== 200) {
    body.destroy()
    // A process died when it had everything.
    if (resume && header(response, 'content-range') === `bytes */${part.bytes}`) return
    await part.remove()
    throw new TransientError(`the server answers ${statusCode} to the wish for the rest`)
  }
  if (!goesOn) await part.restart(validatorOf(response))
  const length = goesOn ? Number(range?.[2]) : Number(header(response, 'content-length') ?? Number.NaN)
  const total = Number.isFinite(length) ? length : undefined
  if (declared && total && total !== declared) {
    body.destroy()
    throw new RaspiError(
      'image',
      `Image ${name} is not used: ${url} has ${total} bytes, and should have ${declared}.`,
      {
        hint: 'The server has something else than the list of images says. Try again later, or take another release.',
      },
    )
  }
  const expected = total ?? declared
  transfer.start(part.bytes, expected)
  let watch: NodeJS.Timeout | undefined
  try {
    if (expected) await checkSpace(name, join(part.path, '..'), expected - part.bytes, 'the download needs')
    let seen = transfer.bytes
    watch = setInterval(() => {
      if (transfer.bytes - seen < (stallMs / 1000) * slowest)
        stalled.abort(new TransientError(`it came slower than 1 kB/s for ${stallMs / 1000} s`))
      seen = transfer.bytes
    }, stallMs)
    await part.append(counted(body, transfer, () => overlong(name, url, expected)))
  } catch (error) {
    signal?.throwIfAborted()
    if (stalled.signal.aborted) throw stalled.signal.reason
    if (isRaspiError(error) || isFileError(error)) throw error
    throw new TransientError(`the connection broke: ${reasonOf(error)}`, { cause: error })
  } finally {
    clearInterval(watch)
    body.destroy()
  }
  if (expected && part.bytes < expected)
    throw new TransientError(`it ended ${expected - part.bytes} bytes too early`)
}

async function* counted(body: AsyncIterable<Buffer>, transfer: Transfer, overlong: () => RaspiError) {
  for await (const chunk of body) {
    transfer.add(chunk.length)
    if (transfer.total && transfer.bytes > transfer.total) throw overlong()
    yield chunk
  }
}

function overlong(name: string, url: string, expected: number | undefined): RaspiError {
  return new RaspiError(
    'image',
    `Image ${name} is not used: ${url} gives more than the ${expected} bytes it should have.`,
  )
}

/** Puts a part that has proved right where it is found from now on. */
async function keep(image: RemoteImage, part: PartFile, cacheDir: string): Promise<string> {
  const dir = privateDir(cacheDir, 'tmp', scratchName('download'))
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await rename(part.path, join(dir, fileIn(image)))
    await writeFile(join(dir, downloadFile), `${JSON.stringify(image, undefined, 2)}\n`)
    const place = join(downloadsDir(cacheDir), image.sha256)
    // What is there already is as good, unless it is damaged.
    await rename(place, join(dir, 'damaged')).catch(() => {})
    await rename(dir, place).catch((error) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    await part.remove()
    await rm(join(place, 'damaged'), { recursive: true, force: true })
    return join(place, fileIn(image))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Only a strong validator tells that the bytes are the same: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5 */
function validatorOf(response: Dispatcher.ResponseData): string | undefined {
  const etag = header(response, 'etag')
  return etag && !etag.startsWith('W/') ? etag : header(response, 'last-modified')
}

function header({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** An error of our disk, and not of the connection. */
function isFileError(error: unknown): boolean {
  const { syscall, code } = (error ?? {}) as NodeJS.ErrnoException
  if (syscall === 'open') return true
  return syscall === 'write' && code !== 'EPIPE' && code !== 'ECONNRESET'
}
