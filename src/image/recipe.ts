import { createHash } from 'node:crypto'
import type { Architecture } from './image.ts'

/** One file of the guest, as text. */
export interface GuestFile {
  /** Absolute path in the guest. */
  path: string
  /** Octal permissions, as install(1) takes them. @default '0644' */
  mode?: string
  text: string
}

/** Where the parts of a card lie. Sectors are of 512 bytes. */
export interface CardLayout {
  /** The MBR's disk id, 8 hexadecimal digits: PARTUUIDs are made of it. */
  diskId: string
  cardBytes: number
  bootStartBytes: number
  bootBytes: number
}

/** All that decides what an image holds, as data: equal recipes are one image in the cache. */
export interface Recipe {
  name: string
  /** Of the programs. */
  architecture: Architecture
  /** Of the kernel, which may be another: a 64-bit one runs 32-bit programs too. */
  kernelArchitecture: Architecture
  /** Debian's code name: `bookworm`. */
  suite: string
  packages: string[]
  /** Whether they come with security updates. @default true */
  securityUpdates?: boolean
  /** Lines of apt.conf(5) and of dpkg.cfg(5), for the build and kept in the guest. */
  aptOptions: string[]
  dpkgOptions: string[]
  /** Files written before `packages` are installed, because their installation reads them. */
  earlyFiles: GuestFile[]
  /** A shell script run in the guest, as root, before `packages` are installed. */
  prepare: string
  /** Files written when everything is installed and `users` has run. */
  files: GuestFile[]
  /** A shell script run in the guest, as root, once everything is installed. */
  users: string
  /** A shell script run in the guest, as root, once `files` are written. */
  finish: string
  layout: CardLayout
  /** The user that `users` makes and that may log in with the cache's key. */
  user: string
}

/** To be raised when the builder changes in a way that the recipe does not show. */
const builderVersion = 1

/** Names what `recipe` says, whatever the image is called: SHA-256, 64 hexadecimal digits. */
export function recipeId(recipe: Recipe): string {
  return createHash('sha256').update(JSON.stringify({ builderVersion, recipe })).digest('hex')
}
