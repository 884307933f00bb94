import { FileDisk, withOpenFile } from 'file-disk'
import { cardFiles } from './card-files.ts'

/** The part of `node:fs/promises` that a file system on a card has. */
export type PartFs = Pick<
  typeof import('node:fs/promises'),
  | 'writeFile'
  | 'readdir'
  | 'mkdir'
  | 'unlink'
  | 'rename'
  | 'symlink'
  | 'readlink'
  | 'lstat'
  | 'chmod'
  | 'chown'
> & { readFile(path: string): Promise<Buffer> }

/** Lets `use` work on the file system of a card's part. Nothing is mounted, and no root is needed. */
export async function withPart<T>(
  card: string,
  part: 1 | 2,
  mode: 'read' | 'write',
  use: (fs: PartFs) => Promise<T>,
): Promise<T> {
  const { interact } = await cardFiles()
  return withOpenFile(card, mode === 'read' ? 'r' : 'r+', (handle) =>
    interact(new FileDisk(handle, mode === 'read'), part, ({ promises: fs }) =>
      use(part === 1 ? fs : { ...fs, readFile: (path: string) => readExtFile(fs, path) }),
    ),
  )
}

/** The readFile of ext2fs decodes all it reads as UTF-8, whatever it is told. */
async function readExtFile(fs: typeof import('node:fs/promises'), path: string): Promise<Buffer> {
  const file = await fs.open(path, 'r')
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw Object.assign(new Error(`${path} is no file`), { code: 'EISDIR' })
    const content = Buffer.alloc(stats.size)
    for (let offset = 0; offset < content.length; ) {
      const { bytesRead } = await file.read(content, offset, content.length - offset, offset)
      if (bytesRead === 0) throw new Error(`${path} ends too early`)
      offset += bytesRead
    }
    return content
  } finally {
    await file.close()
  }
}

/** How fatfs and ext2fs say that there is no such file. */
const absent = ['ENOENT', 'ENOTDIR', 'EISDIR', 'NOENT', 'NOTDIR', 'ISDIR']

/** What `work` gives; undefined where there is no such file. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error) => {
    if (absent.includes(error.code)) return undefined
    throw error
  })
}

/** The content of a file, or undefined where there is none. */
export async function readBytes(fs: PartFs, path: string): Promise<Buffer | undefined> {
  return ifThere(fs.readFile(path))
}

/** The text of a file, or undefined where there is none. */
export async function readText(fs: PartFs, path: string): Promise<string | undefined> {
  return (await readBytes(fs, path))?.toString('utf8')
}
