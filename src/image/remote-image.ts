import * as z from 'zod'

/** An image that can be downloaded, with all that is known of it. */
export const remoteImageSchema = z.object({
  url: z.string(),
  /** SHA-256 of what the URL gives. */
  sha256: z.string(),
  /** The size of what the URL gives. */
  bytes: z.int().positive().optional(),
  /** SHA-256 and size of what is in it. */
  extractedSha256: z.string().optional(),
  extractedBytes: z.int().positive().optional(),
  /** How its first boot is set up, in the words of Raspberry Pi Imager. */
  initFormat: z.string().optional(),
  /** The date of a release, where it is one. */
  release: z.string().optional(),
})

export type RemoteImage = z.output<typeof remoteImageSchema>
