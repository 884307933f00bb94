import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { execa } from 'execa'
import yauzl from 'yauzl'
import { RaspiError } from '../errors.ts'

/** What an image may come as. */
export type Compression = 'none' | 'xz' | 'zstd' | 'gzip' | 'zip'

/** How files of each kind begin. */
const magics: [Compression, Buffer][] = [
  ['xz', Buffer.from('fd377a585a00', 'hex')],
  ['zstd', Buffer.from('28b52ffd', 'hex')],
  ['gzip', Buffer.from('1f8b', 'hex')],
  ['zip', Buffer.from('504b0304', 'hex')],
]

/** How the file `path` is compressed: by what is in it, whatever it is called. */
export async function compressionOf(path: string): Promise<Compression> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(6), 0, 6, 0)
    return magics.find(([, magic]) => buffer.subarray(0, magic.length).equals(magic))?.[0] ?? 'none'
  } finally {
    await file.close()
  }
}

/** What is in a compressed file, on its way. */
export interface Unpacking {
  stream: Readable
  /** Settles when the unpacking has ended; rejects with why it failed. */
  ended: Promise<void>
}

/**
 * Unpacks `path`. xz is left to xz(1), which every Linux has, uses all cores, and bounds its memory; what Node and yauzl
 * can do needs no program. Destroying the stream ends everything.
 */
export async function unpacking(path: string, compression: Compression): Promise<Unpacking> {
  switch (compression) {
    case 'xz':
      return unxz(path)
    case 'zip':
      return unzip(path)
    case 'none':
      return through(createReadStream(path, { highWaterMark: 2 ** 20 }))
    default: {
      const decompress = compression === 'zstd' ? createZstdDecompress() : createGunzip()
      const file = createReadStream(path, { highWaterMark: 2 ** 20 })
      file.on('error', (error) => decompress.destroy(error))
      decompress.on('close', () => file.destroy())
      return through(file.pipe(decompress))
    }
  }
}

const through = (stream: Readable): Unpacking => ({ stream, ended: Promise.resolve() })

function unxz(path: string): Unpacking {
  const subprocess = execa('xz', ['--decompress', '--stdout', '--threads=0', '--', path], {
    stdin: 'ignore',
    buffer: { stdout: false },
    env: { LC_ALL: 'C', XZ_OPT: '', XZ_DEFAULTS: '' },
  })
  const ended = subprocess.then(
    () => {},
    (error) => {
      // "xz: FILE: Unexpected end of input"
      const why = String(error.stderr ?? '')
        .split('\n')[0]
        ?.split(`${path}: `)
        .at(-1)
      throw new Error(why || error.shortMessage, { cause: error })
    },
  )
  // Whoever reads the stream may give up before it asks how this ended.
  ended.catch(() => {})
  const stream = subprocess.stdout
  // One that has given all its output is about to end by itself, and tells then whether it is whole.
  stream.on('close', () => stream.readableEnded || subprocess.kill('SIGKILL'))
  return { stream, ended }
}

/** A zip may have a text beside the image; it must have one image. */
async function unzip(path: string): Promise<Unpacking> {
  const zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false })
  try {
    const images: yauzl.Entry[] = []
    for await (const entry of zip.eachEntry()) if (/\.(img|raw)$/i.test(entry.fileName)) images.push(entry)
    const [image] = images
    if (!image || images.length > 1) {
      throw new RaspiError(
        'image',
        `${path} is no image: it has ${images.length || 'no'} files called .img.`,
        {
          hint: 'Give the path or the URL of the image alone.',
        },
      )
    }
    const stream = await zip.openReadStreamPromise(image)
    stream.on('close', () => zip.close())
    return through(stream)
  } catch (error) {
    zip.close()
    throw error
  }
}
