import * as z from 'zod'
import { RaspiError } from '../errors.ts'
import { fetchChecksum } from './checksum.ts'
import { getText } from './http.ts'
import type { RemoteImage } from './remote-image.ts'

/** Where Raspberry Pi OS is: https://www.raspberrypi.com/software/operating-systems/ */
const home = 'https://downloads.raspberrypi.com'

/** The list that Raspberry Pi Imager reads. */
const listName = 'os_list_imagingutility_v4.json'

/** An entry of that list: https://github.com/raspberrypi/rpi-imager/blob/main/doc/json-schema/os-list-schema.json */
const entrySchema = z.object({
  url: z.string(),
  release_date: z.string().optional(),
  image_download_size: z.int().positive().optional(),
  image_download_sha256: z.string().optional(),
  extract_size: z.int().positive().optional(),
  extract_sha256: z.string().optional(),
  init_format: z.string().nullish(),
})
type ListEntry = z.output<typeof entrySchema>

interface Context {
  baseUrl?: string | undefined
  signal?: AbortSignal | undefined
  retryMs?: number | undefined
}

/** Whether `name` is one of Raspberry Pi OS: `raspios-lite-arm64`, `raspios-oldstable-full-armhf`, … */
export function isRaspios(name: string): boolean {
  return /^raspios(-oldstable)?(-lite|-full)?-(arm64|armhf)$/.test(name)
}

/**
 * The image of Raspberry Pi OS called `name`, of the release of a date or of `latest`. The list tells of the newest; of
 * older ones their directories do, with a checksum beside each image. The dates in the names of directory and file may
 * differ, so neither is made of the other. Throws a `RaspiError` where there is no such release.
 */
export async function findRaspios(name: string, release: string, context: Context): Promise<RemoteImage> {
  const base = baseOf(context.baseUrl)
  const folder = folderName(name)
  const listed = await fromList(base, folder, release, context)
  if (listed) return listed
  if (release === 'latest') {
    throw new RaspiError('image', `Image ${name}@latest cannot be found: ${base}/${listName} has none.`, {
      hint: 'Give the date of a release, as in raspios-lite-arm64@2026-09-15, or the URL of an image.',
    })
  }
  return fromDirectory(base, name, folder, release, context)
}

async function fromList(
  base: string,
  folder: string,
  release: string,
  context: Context,
): Promise<RemoteImage | undefined> {
  const text = await getText(`${base}/${listName}`, context)
  if (text === undefined) return undefined
  const entry = entriesOf(text, `${base}/${listName}`).find(
    (each) =>
      folderOf(each.url) === folder &&
      (release === 'latest' || datesOf({ url: each.url, release: each.release_date }).includes(release)),
  )
  if (!entry) return undefined
  const url = entry.url.replace(home, base)
  const sha256 = entry.image_download_sha256?.toLowerCase() ?? (await fetchChecksum(url, undefined, context))
  return {
    url,
    sha256,
    bytes: entry.image_download_size,
    extractedSha256: entry.extract_sha256?.toLowerCase(),
    extractedBytes: entry.extract_size,
    initFormat: entry.init_format ?? undefined,
    release: entry.release_date ?? datesOf(entry).at(-1),
  }
}

/** All entries of the list that are images, however deep. What is no image, or no entry that we know, is passed over. */
function entriesOf(text: string, place: string): ListEntry[] {
  const entries: ListEntry[] = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const each of node) visit(each)
    if (typeof node !== 'object' || node === null) return
    const { success, data } = entrySchema.safeParse(node)
    if (success) entries.push(data)
    if ('subitems' in node) visit(node.subitems)
    if ('os_list' in node) visit(node.os_list)
  }
  try {
    visit(JSON.parse(text))
  } catch (error) {
    throw new RaspiError('image', `${place} cannot be read: it is not JSON.`, { cause: error })
  }
  return entries
}

/** `image` of Raspberry Pi OS, which is at its home, as the mirror `baseUrl` has it. What is elsewhere stays there. */
export function atMirror(image: RemoteImage, baseUrl: string | undefined): RemoteImage {
  return moved(image, home, baseOf(baseUrl))
}

/** `image` of Raspberry Pi OS, which is at the mirror `baseUrl`, as its home has it. What is elsewhere stays there. */
export function atHome(image: RemoteImage, baseUrl: string | undefined): RemoteImage {
  return moved(image, baseOf(baseUrl), home)
}

function moved(image: RemoteImage, from: string, to: string): RemoteImage {
  return image.url.startsWith(`${from}/`) ? { ...image, url: `${to}${image.url.slice(from.length)}` } : image
}

const baseOf = (baseUrl: string = home) => baseUrl.replace(/\/$/, '')

const folderName = (name: string) => name.replaceAll('-', '_')

const folderOf = (url: string) => new URL(url).pathname.split('/')[1]

/** The dates by which people may know a release: the list's, the directory's and the file's. */
function datesOf({ url, release }: { url: string; release?: string | undefined }): string[] {
  return [...(release ? [release] : []), ...(url.match(/\d{4}-\d{2}-\d{2}/g) ?? [])]
}

/**
 * Whether `image` is the release of Raspberry Pi OS that {@link findRaspios} would find. An image that somebody named by its
 * URL is none, whatever stands in the URL.
 */
export function isRelease(image: RemoteImage, name: string, release: string): boolean {
  return (
    image.release !== undefined &&
    image.url.includes(`/${folderName(name)}/`) &&
    datesOf(image).includes(release)
  )
}

/** Whether `image` is where one of Raspberry Pi OS is looked for: at its home or at the mirror `baseUrl`. */
export function isWithin(image: RemoteImage, baseUrl: string | undefined): boolean {
  return [home, baseOf(baseUrl)].some((base) => image.url.startsWith(`${base}/`))
}

async function fromDirectory(
  base: string,
  name: string,
  folder: string,
  release: string,
  context: Context,
): Promise<RemoteImage> {
  const images = `${base}/${folder}/images/`
  const imageIn = async (date: string, isIt = (_: string) => true): Promise<RemoteImage | undefined> => {
    const directory = `${images}${folder}-${date}/`
    const links = linksOf((await getText(directory, context)) ?? '')
    const file = links.find((link) => /\.(img\.xz|zip)$/.test(link) && isIt(link))
    if (!file) return undefined
    const url = new URL(file, directory).href
    return { url, sha256: await fetchChecksum(url, undefined, context), release }
  }
  const found = await imageIn(release)
  if (found) return found
  const releases = linksOf((await getText(images, context)) ?? '').flatMap(
    (link) => /\d{4}-\d{2}-\d{2}(?=\/$)/.exec(link) ?? [],
  )
  // A file is made some days before its directory.
  const next = releases.filter((date) => date > release).sort()[0]
  const older = next && (await imageIn(next, (file) => file.includes(release)))
  if (older) return older
  throw new RaspiError('image', `Image ${name}@${release} cannot be found: there is no such release.`, {
    hint: releases.length > 0 ? `There is: ${releases.join(', ')}.` : `Nothing is known of any at ${images}`,
  })
}

/** Where the links of a directory's page lead. */
function linksOf(page: string): string[] {
  return [...page.matchAll(/<a\s[^>]*href="([^"?]+)"/gi)].map(([, link = '']) => link)
}
