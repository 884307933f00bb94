import { posix } from 'node:path'
import { ifThere, type PartFs, readText } from './card-edit.ts'

interface Owner {
  uid: number
  gid: number
}

const root: Owner = { uid: 0, gid: 0 }

/** The root file system of a card: its files with the owners and modes that they should have. */
export class GuestRoot {
  readonly #fs: PartFs

  constructor(fs: PartFs) {
    this.#fs = fs
  }

  read(path: string): Promise<string | undefined> {
    return readText(this.#fs, path)
  }

  async exists(path: string): Promise<boolean> {
    return (await ifThere(this.#fs.lstat(path))) !== undefined
  }

  /** Where a link leads, or undefined where it is none. */
  async linkOf(path: string): Promise<string | undefined> {
    const stats = await ifThere(this.#fs.lstat(path))
    return stats?.isSymbolicLink() ? this.#fs.readlink(path) : undefined
  }

  /** Writes a file. One that is there keeps its mode and owner where none is given. */
  async write(path: string, text: string, mode?: number, owner?: Owner): Promise<void> {
    const before = await ifThere(this.#fs.lstat(path))
    // A link would be followed by nothing: it is replaced by what is wanted at its place.
    if (before?.isSymbolicLink()) await this.#fs.unlink(path)
    const kept = before && !before.isSymbolicLink() ? before : undefined
    await this.makeDir(posix.dirname(path))
    await this.#fs.writeFile(path, text)
    const { uid, gid } = owner ?? kept ?? root
    await this.#fs.chown(path, uid, gid)
    await this.#fs.chmod(path, mode ?? (kept ? kept.mode & 0o7777 : 0o644))
  }

  /** Makes a directory and those above it. One that is there stays as it is. */
  async makeDir(
    path: string,
    { mode = 0o755, ...owner }: Partial<Owner> & { mode?: number } = {},
  ): Promise<void> {
    if (path === '/' || (await this.exists(path))) return
    await this.makeDir(posix.dirname(path))
    await this.#fs.mkdir(path)
    await this.#fs.chown(path, owner.uid ?? 0, owner.gid ?? 0)
    await this.#fs.chmod(path, mode)
  }

  /** Makes `path` a link to `target`, whatever it was before. */
  async link(target: string, path: string): Promise<void> {
    if ((await this.linkOf(path)) === target) return
    await this.remove(path)
    await this.makeDir(posix.dirname(path))
    await this.#fs.symlink(target, path)
  }

  async move(from: string, to: string): Promise<void> {
    await this.#fs.rename(from, to)
  }

  async remove(path: string): Promise<void> {
    await ifThere(this.#fs.unlink(path))
  }
}
