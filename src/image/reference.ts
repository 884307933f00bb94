import { resolve } from 'node:path'
import * as z from 'zod'
import { RaspiError } from '../errors.ts'
import { expandHome } from '../host/paths.ts'
import {
  type DownloadedImage,
  type ImageOption,
  imageOptionSchema,
  type LocalImage,
} from '../image-option.ts'
import { recipeNames } from './catalogue.ts'
import { isRaspios } from './raspios.ts'

/** What the user may add to any image. */
export interface Steps {
  files?: Record<string, string | { content: string; mode: string }> | undefined
  packages?: string[] | undefined
  securityUpdates?: boolean | undefined
}

/** What a user's word for an image means. */
export type Reference =
  | { kind: 'recipe'; name: string; steps: Steps }
  | {
      kind: 'raspios'
      /** As the catalogue has it: `raspios-lite-arm64`. */
      name: string
      /** Its date, `2026-09-15`, or `latest`. */
      release: string
      baseUrl?: string | undefined
      user?: string | undefined
      steps: Steps
    }
  | ({ kind: 'url'; name: string; steps: Steps } & DownloadedImage)
  | ({ kind: 'file'; name: string; steps: Steps } & LocalImage)

/** What tells a path from a name. */
const pathLike = /^(\.{0,2}\/|~\/)|\.(img|xz|zst|gz|zip|raw)$/

/**
 * Reads what the user gave as an image; relative paths are those of `baseDir`. Throws a `RaspiError` in one sentence
 * where it is nothing that there is.
 */
export function parseReference(option: ImageOption, baseDir: string = process.cwd()): Reference {
  const parsed = imageOptionSchema.safeParse(option)
  if (!parsed.success)
    throw new RaspiError('options', `The image is wrong:\n${z.prettifyError(parsed.error)}`, {
      hint: 'It is a name, a URL, a path, or an object: the README tells which.',
    })
  const given = typeof parsed.data === 'string' ? fromText(parsed.data) : parsed.data
  const { files, packages, securityUpdates } = given
  const steps = { files, packages, securityUpdates }
  const reference = referenceOf(given, steps, baseDir)
  if (securityUpdates !== undefined && reference.kind !== 'recipe')
    throw new RaspiError(
      'options',
      `Image ${reference.name} has no security updates to choose: it is not built here.`,
    )
  if (steps.packages && reference.kind !== 'recipe') {
    throw new RaspiError(
      'options',
      `Image ${reference.name} can be given no packages: it is not built here.`,
      {
        hint: `Install them by a playbook, or take an image that is built: ${recipeNames().join(', ')}`,
      },
    )
  }
  return reference
}

/** The image `option` for whoever has another working directory: its path is absolute. Throws as {@link parseReference} does. */
export function imageAt(option: ImageOption, baseDir: string): ImageOption {
  const reference = parseReference(option, baseDir)
  if (reference.kind !== 'file') return option
  return typeof option === 'string' ? reference.file : { ...option, file: reference.file }
}

type Given = Exclude<z.output<typeof imageOptionSchema>, string>

function fromText(text: string): Given {
  if (/^https?:\/\//.test(text)) return { url: text }
  if (pathLike.test(text)) return { file: text }
  return { name: text }
}

function referenceOf(given: Given, steps: Steps, baseDir: string): Reference {
  if ('url' in given) return { ...given, kind: 'url', name: fileNameOf(given.url), steps }
  if ('file' in given) {
    const file = resolve(baseDir, expandHome(given.file))
    return { ...given, kind: 'file', name: file.slice(file.lastIndexOf('/') + 1), file, steps }
  }
  const [named = '', inName] = given.name.split('@', 2)
  const name =
    given.architecture && !named.endsWith(given.architecture) ? `${named}-${given.architecture}` : named
  if (recipeNames().includes(name)) {
    const alien = Object.entries({
      release: inName ?? given.release,
      baseUrl: given.baseUrl,
      user: given.user,
    })
    const wrong = alien.find(([, value]) => value !== undefined)
    if (!wrong) return { kind: 'recipe', name, steps }
    throw new RaspiError('options', `Image ${name} has no ${wrong[0]} to choose: it is built here.`)
  }
  const release = inName ?? given.release ?? 'latest'
  if (!isRaspios(name)) {
    throw new RaspiError('options', `Image "${given.name}" is not known.`, {
      hint: `There is: ${recipeNames().join(', ')}; raspios-lite-arm64, raspios-lite-armhf, raspios-arm64, raspios-full-arm64 and more of Raspberry Pi OS, with @latest or the date of a release; any https:// URL; any path with a / in it.`,
    })
  }
  if (inName && given.release && inName !== given.release)
    throw new RaspiError('options', `Image ${given.name} is asked for as release ${given.release} as well.`)
  if (release !== 'latest' && !/^\d{4}-\d{2}-\d{2}$/.test(release))
    throw new RaspiError('options', `Image ${name} has no release "${release}".`, {
      hint: 'A release is a date, as 2026-09-15, or latest.',
    })
  return { kind: 'raspios', name, release, baseUrl: given.baseUrl, user: given.user, steps }
}

/** The last part of a URL's path, to call the image by. Throws a `RaspiError` where it is no URL. */
function fileNameOf(url: string): string {
  try {
    const { pathname, host } = new URL(url)
    return decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1)) || host
  } catch (cause) {
    throw new RaspiError('options', `The URL of the image is wrong: ${url}`, {
      hint: 'It has a host, and each % in it is followed by two hexadecimal digits.',
      cause,
    })
  }
}
