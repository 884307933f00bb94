import { realpathSync } from 'node:fs'
import { isSource, type SourcePaths } from '../ansible/sources.ts'

/** Which test files have used which parts of the repository, for as long as this process lives. */
interface Uses {
  byTestFile: Map<string, { files: Set<string>; dirs: Set<string> }>
  /** Told of each use. */
  listener?: ((sources: SourcePaths) => void) | undefined
}

// Where Vite transforms this package (it is linked, not installed), the plugin and the global setup have a module each.
const key = Symbol.for('vitest-raspi.used-files')
const holder = globalThis as { [key]?: Uses }
holder[key] ??= { byTestFile: new Map() }
const uses = holder[key]

/** Notes that `testFile` has used `sources`, besides what it has used before. */
export function noteUse(testFile: string, sources: SourcePaths): void {
  const known = uses.byTestFile.get(testFile) ?? { files: new Set(), dirs: new Set() }
  for (const file of sources.files) known.files.add(file)
  for (const dir of sources.dirs) known.dirs.add(dir)
  uses.byTestFile.set(testFile, known)
  uses.listener?.(sources)
}

/** Lets `listener` know of every use. There is one. */
export function whenUsed(listener: (sources: SourcePaths) => void): void {
  uses.listener = listener
}

/** The test files that have used the file at `path`, also where a link leads to it; none where nobody has. */
export function testFilesUsing(path: string): string[] {
  const paths = new Set([path, real(path)])
  return [...uses.byTestFile].flatMap(([testFile, { files, dirs }]) => {
    const sources = { files: [...files], dirs: [...dirs] }
    return [...paths].some((each) => isSource(each, sources)) ? [testFile] : []
  })
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
