import { gunzipSync } from 'node:zlib'
import { RaspiError } from '../errors.ts'
import { readBytes, readText, withPart } from './card-edit.ts'
import type { Architecture } from './image.ts'

/** Programs that every image has one of, and that are none of a script. */
const programs = ['/usr/bin/dpkg', '/bin/bash', '/usr/bin/bash', '/bin/sh']

/** The architecture of a card's programs. Throws a `RaspiError` where they are none of a Pi. */
export async function architectureOf(name: string, card: string): Promise<Architecture> {
  const found = await withPart(card, 2, 'read', async (fs) => {
    for (const program of programs) {
      const content = await readBytes(fs, program)
      if (content) return elfArchitecture(content)
    }
    return 'without a shell'
  })
  if (found === 'arm64' || found === 'armhf' || found === 'armel') return found
  throw new RaspiError('image', `Image ${name} is none of a Raspberry Pi: its programs are ${found}.`, {
    hint: 'Take the image for 64-bit or 32-bit Arm.',
  })
}

/** What an ELF file runs on: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
function elfArchitecture(content: Buffer): string {
  if (content.toString('latin1', 0, 4) !== '\x7fELF') return 'no programs'
  const machine = content.readUInt16LE(18)
  if (machine === 183) return 'arm64'
  // EF_ARM_ABI_FLOAT_HARD: https://github.com/ARM-software/abi-aa/blob/main/aaelf32/aaelf32.rst
  if (machine === 40) return content.readUInt32LE(36) & 0x400 ? 'armhf' : 'armel'
  return machine === 62 ? 'of x86-64' : `of ELF machine ${machine}`
}

/** What can be seen on a card without booting it. */
export interface GuestFacts {
  /** As /etc/os-release has it: `Debian GNU/Linux 12 (bookworm)`. */
  system: string | undefined
  /** What the image says of itself, as Raspberry Pi OS does in issue.txt. */
  issue: string | undefined
  /** The files of the boot part, with their sizes in bytes. */
  bootFiles: { name: string; bytes: number }[]
  /** The versions of its kernels, by their files. */
  kernels: Record<string, string>
  config: string | undefined
  commandLine: string | undefined
}

/** Reads from a card with a boot part and a root part what one wants to know of it first. */
export async function readGuestFacts(card: string): Promise<GuestFacts> {
  const boot = await withPart(card, 1, 'read', async (fs) => {
    const bootFiles: GuestFacts['bootFiles'] = []
    const kernels: GuestFacts['kernels'] = {}
    for (const name of (await fs.readdir('/')).map(shown).sort()) {
      const content = await readBytes(fs, `/${name}`)
      if (!content) continue
      bootFiles.push({ name, bytes: content.length })
      const version = /^kernel.*\.img$/.test(name) && kernelVersion(content)
      if (version) kernels[name] = version
    }
    return {
      ...{ bootFiles, kernels, issue: await readText(fs, '/issue.txt') },
      ...{ config: await readText(fs, '/config.txt'), commandLine: await readText(fs, '/cmdline.txt') },
    }
  })
  const release = await withPart(card, 2, 'read', (fs) => readText(fs, '/etc/os-release'))
  return { ...boot, system: /^PRETTY_NAME="?([^"\n]*)/m.exec(release ?? '')?.[1] }
}

/** A name that fits in 8.3 is kept in capitals. */
const shown = (name: string) => (name === name.toUpperCase() ? name.toLowerCase() : name)

/** A kernel says what it is in its first message, which is among its strings; an arm64 one may be gzipped. */
function kernelVersion(content: Buffer): string | undefined {
  const image = content.readUInt16BE(0) === 0x1f8b ? gunzipSync(content) : content
  const at = image.indexOf('Linux version ')
  return at < 0 ? undefined : image.toString('latin1', at + 14, at + 14 + 100).split(' ')[0]
}
