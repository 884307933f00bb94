import { RaspiError } from '../errors.ts'
import { getText, type TextOptions } from './http.ts'

/**
 * The SHA-256 that the file at `checksumUrl` gives for the file called `name`; where it is not given a `checksumUrl`, the
 * one beside the image counts: its URL with `.sha256`. Throws a `RaspiError` where there is none.
 */
export async function fetchChecksum(
  url: string,
  checksumUrl: string | undefined,
  options: TextOptions = {},
): Promise<string> {
  const place = checksumUrl ?? besides(url)
  const name = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '')
  const text = await getText(place, options)
  const sum = text === undefined ? undefined : checksumOf(text, name)
  if (sum) return sum
  const why = text === undefined ? `there is nothing at ${place}` : `${place} has no SHA-256 of ${name}`
  throw new RaspiError(
    'image',
    `${url} is not downloaded, because nothing tells whether it is whole: ${why}.`,
    {
      hint: 'Give its checksum: image: { url, sha256 }, or { url, checksumUrl }.',
    },
  )
}

/** Takes the SHA-256 of `name` from what sha256sum writes, with or without --tag; a lone sum is taken for any name. */
export function checksumOf(text: string, name: string): string | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  const [only] = lines
  if (lines.length === 1 && /^[0-9a-f]{64}$/i.test(only?.trim() ?? '')) return only?.trim().toLowerCase()
  for (const line of lines) {
    const [, sum, file] = /^([0-9a-f]{64}) [ *](.+)$/i.exec(line) ?? []
    const [, tagged, tag] = /^SHA256 \((.+)\) = ([0-9a-f]{64})$/i.exec(line) ?? []
    if (file?.split('/').at(-1) === name) return sum?.toLowerCase()
    if (tagged?.split('/').at(-1) === name) return tag?.toLowerCase()
  }
  return undefined
}

/** A query belongs to the image. */
function besides(url: string): string {
  const beside = new URL(url)
  beside.pathname += '.sha256'
  return beside.href
}
