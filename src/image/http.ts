import { type Agent, type Dispatcher, errors, request } from 'undici'
import { messageOf, RaspiError } from '../errors.ts'
import { ByProxies } from './proxies.ts'

/** How long a server may take to answer, in ms. */
const answerTimeout = 30_000

/** An answer that may be another one in a while. */
export class TransientError extends Error {
  /** How long the server asks to wait, in ms. */
  readonly retryAfterMs: number | undefined
  constructor(
    message: string,
    { retryAfterMs, cause }: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * The way to the servers of images: follows redirections, takes proxies from `http_proxy`, `https_proxy` and `no_proxy`,
 * and none to this host. To be destroyed after use. Throws a `RaspiError` where a proxy is none.
 */
export function httpClient(): Dispatcher {
  // A body that trickles is watched by whoever reads it.
  const options: Agent.Options = {
    headersTimeout: answerTimeout,
    bodyTimeout: 0,
    connect: { timeout: 10_000 },
  }
  const { http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY } = process.env
  try {
    const http = withScheme(http_proxy ?? HTTP_PROXY ?? '')
    const https = withScheme(https_proxy ?? HTTPS_PROXY ?? '')
    return new ByProxies({ http, https }, options)
  } catch (error) {
    // It may have a password in it, which would be in the cause as well.
    throw new RaspiError(
      'image',
      `The proxy that http_proxy or https_proxy names is none: ${messageOf(error)}`,
      { hint: 'Write it as http://proxy.example:3128.' },
    )
  }
}

/** The URL of a proxy; curl and others take one without a scheme as well. */
const withScheme = (proxy: string) => (proxy === '' || proxy.includes('://') ? proxy : `http://${proxy}`)

/**
 * Asks for `url`. Gives answers below 400 and 416; throws a {@link TransientError} where asking again may help, a
 * `RaspiError` where it does not, and the reason of an abort.
 */
export async function get(
  url: string,
  dispatcher: Dispatcher,
  { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal | undefined } = {},
): Promise<Dispatcher.ResponseData> {
  const response = await request(url, {
    dispatcher,
    headers: { 'user-agent': 'vitest-raspi', 'accept-encoding': 'identity', ...headers },
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw new TransientError(reasonOf(error), { cause: error })
  })
  const { statusCode } = response
  if (statusCode < 400 || statusCode === 416) return response
  response.body.on('error', () => {})
  response.body.destroy()
  if (statusCode >= 500 || [408, 425, 429].includes(statusCode)) {
    const seconds = Number(response.headers['retry-after'])
    throw new TransientError(`the server answers ${statusCode}`, {
      retryAfterMs: Number.isFinite(seconds) ? Math.min(seconds, 60) * 1000 : undefined,
    })
  }
  throw new HttpError(url, statusCode)
}

/** A server's final no. */
export class HttpError extends RaspiError {
  readonly statusCode: number
  constructor(url: string, statusCode: number) {
    super('image', `${url} cannot be had: the server answers ${statusCode}.`, {
      hint:
        statusCode === 404
          ? 'Check the address: there is nothing at it.'
          : 'The server does not let us have it.',
    })
    this.statusCode = statusCode
  }
}

export interface TextOptions {
  signal?: AbortSignal | undefined
  retryMs?: number | undefined
  /** Asks once, and waits so long at most. */
  onceWithinMs?: number | undefined
}

/** The text at `url`, at most 16 MiB of it; undefined where there is nothing (404, 403). Tries three times. */
export async function getText(
  url: string,
  { signal, retryMs = 1_000, onceWithinMs }: TextOptions = {},
): Promise<string | undefined> {
  const dispatcher = httpClient()
  try {
    return await retrying(
      async () => {
        const within = AbortSignal.any([
          AbortSignal.timeout(onceWithinMs ?? 60_000),
          ...(signal ? [signal] : []),
        ])
        const { body } = await get(url, dispatcher, { signal: within })
        const chunks: Buffer[] = []
        let bytes = 0
        for await (const chunk of body) {
          bytes += chunk.length
          if (bytes > 16 * 2 ** 20)
            throw new RaspiError('image', `${url} is no list: it is larger than 16 MiB.`)
          chunks.push(chunk)
        }
        return Buffer.concat(chunks).toString('utf8')
      },
      { times: onceWithinMs === undefined ? 3 : 1, retryMs, signal },
    )
  } catch (error) {
    if (error instanceof HttpError && [403, 404, 410].includes(error.statusCode)) return undefined
    if (error instanceof RaspiError) throw error
    signal?.throwIfAborted()
    throw new RaspiError('image', `${url} cannot be read: ${messageOf(error)}.`, {
      hint: 'Check the network; a proxy is taken from https_proxy.',
      cause: error,
    })
  } finally {
    await dispatcher.destroy().catch(() => {})
  }
}

async function retrying<T>(
  work: () => Promise<T>,
  { times, retryMs, signal }: { times: number; retryMs: number; signal: AbortSignal | undefined },
): Promise<T> {
  for (let time = 1; ; time++) {
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof RaspiError || time === times) throw error
      await new Promise((resolve) => setTimeout(resolve, retryMs * time))
    }
  }
}

/** Why a connection failed, for people. Where a name has several addresses, Node has an error for each. */
export function reasonOf(error: unknown): string {
  if (error instanceof errors.HeadersTimeoutError) return `no answer within ${answerTimeout / 1000} s`
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  const cause = error instanceof Error ? error.cause : undefined
  return cause === undefined ? messageOf(error) : `${messageOf(error)} (${reasonOf(cause)})`
}
