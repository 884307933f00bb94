import * as z from 'zod'

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, 'expected a SHA-256: 64 hexadecimal digits')
  .toLowerCase()
const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
const guestPath = z
  .string()
  .refine(
    (path) =>
      path.startsWith('/') && !path.endsWith('/') && !path.split('/').some((part) => /^\.\.?$/.test(part)),
    'expected an absolute path of a file in the Pi, without . and ..',
  )

/** What the user may add to any image. */
const steps = {
  /** Files to put, by their absolute paths in the Pi: text, or text with an octal mode. They belong to root. */
  files: z
    .record(
      guestPath,
      z.union([
        z.string(),
        z.strictObject({
          content: z.string(),
          mode: z
            .string()
            .regex(/^0?[0-7]{3}$/)
            .default('0644'),
        }),
      ]),
    )
    .optional(),
  /** Debian packages to have. Only for images that are built: `debian-12-…`. */
  packages: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+(:[a-z0-9]+)?$/, 'expected the name of a Debian package'))
    .optional(),
  /**
   * Whether it is built with Debian's security updates: a mirror may not have them. The Pi itself looks for them in any
   * case. Only for images that are built. @default true
   */
  securityUpdates: z.boolean().optional(),
}

/** What may be said about an image that somebody else made. */
const facts = {
  /** SHA-256 of the file as it is downloaded, or as it lies there. */
  sha256: sha256.optional(),
  /** SHA-256 of what is in it, once it is unpacked. */
  extractedSha256: sha256.optional(),
  /** The size of what is in it, in bytes: more is refused. @default at most 32 GiB */
  extractedBytes: z.int().positive().optional(),
  /** How its first boot is set up, as Raspberry Pi Imager calls it. @default what its boot part shows */
  initFormat: z.enum(['none', 'systemd', 'cloudinit', 'cloudinit-rpi']).optional(),
  /** The user that logs in; where there is none of this name, its first user gets it. @default 'pi' */
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'expected the name of a Linux user')
    .optional(),
}

const named = z.strictObject({
  /** `raspios-lite-arm64@latest`, `raspios-lite-arm64@2026-09-15`, `debian-12-arm64`. */
  name: z.string().min(1),
  /** Which release, where the name does not say: its date, or `latest`. @default 'latest' */
  release: z.string().optional(),
  /** `arm64` or `armhf`, where the name does not say. */
  architecture: z.enum(['arm64', 'armhf']).optional(),
  /** A mirror of https://downloads.raspberrypi.com. */
  baseUrl: httpUrl.optional(),
  user: facts.user,
  ...steps,
})

const downloaded = z.strictObject({
  /** An `.img`, plain or as `.img.xz`, `.img.zst`, `.img.gz` or `.zip`. */
  url: httpUrl,
  /** A file that has its SHA-256, as sha256sum writes it. @default the URL with `.sha256` */
  checksumUrl: httpUrl.optional(),
  ...facts,
  ...steps,
})

const local = z.strictObject({
  /** The path of such a file, relative to the project. */
  file: z.string().min(1),
  ...facts,
  ...steps,
})

/** What a user may give as an image: a name, a URL, a path, or one of them with more about it. */
export const imageOptionSchema = z.union([z.string().min(1), named, downloaded, local], {
  error: 'expected a name, a URL, a path, or an object with one of name, url and file',
})

export type ImageOption = z.input<typeof imageOptionSchema>
export type DownloadedImage = z.output<typeof downloaded>
export type LocalImage = z.output<typeof local>

/** What people call an image: its name, its URL or its path. */
export function nameOfImage(image: ImageOption): string {
  if (typeof image === 'string') return image
  if ('name' in image) return image.name
  return 'url' in image ? image.url : image.file
}
