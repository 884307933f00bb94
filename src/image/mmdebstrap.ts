import { dirname } from 'node:path'
import { RaspiError } from '../errors.ts'
import type { Log } from '../host/progress.ts'
import { asRoot } from './as-root.ts'
import { BuildProgress } from './build-progress.ts'
import { hintFor } from './hints.ts'
import { aptProxy, sourcesFor } from './host-apt.ts'
import type { Recipe } from './recipe.ts'

/** Executable files that mmdebstrap calls with the path of the guest's root. */
export interface Hooks {
  /** Called when the essential packages are installed and no other yet. */
  essential: string
  /** Called when all packages are installed. */
  customize: string
}

/**
 * Installs Debian as `recipe` says into the directory `root`, which it makes, from Debian's archive; apt checks the
 * signatures. Says what it does through `log`. Throws a `RaspiError` of kind `image`, and the reason of an abort.
 */
export async function installDebian(
  {
    name,
    architecture,
    kernelArchitecture,
    suite,
    packages,
    securityUpdates = true,
    aptOptions,
    dpkgOptions,
  }: Recipe,
  root: string,
  hooks: Hooks,
  { log, signal }: { log: Log; signal?: AbortSignal | undefined },
): Promise<void> {
  const subprocess = asRoot(
    [
      'mmdebstrap',
      // Root of the namespaces that this runs in.
      '--mode=root',
      '--format=directory',
      '--variant=minbase',
      '--verbose',
      `--architectures=${[...new Set([architecture, kernelArchitecture])].join(',')}`,
      `--include=${packages.join(',')}`,
      ...aptOptions.map((option) => `--aptopt=${option}`),
      ...dpkgOptions.map((option) => `--dpkgopt=${option}`),
      // With usr-is-merged among the packages it spares usrmerge, and with that all of Perl.
      '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
      `--essential-hook=${hooks.essential}`,
      `--customize-hook=${hooks.customize}`,
      suite,
      root,
      ...(await sourcesFor(suite, { securityUpdates })),
    ],
    // The kernel's and initramfs-tools' scripts would make an initramfs each; the recipe makes it once, at the end.
    // What it writes beside the guest's root then goes when the build goes, however that ends.
    { signal, env: { INITRD: 'No', TMPDIR: dirname(root), ...(await aptProxy()) } },
  )

  const progress = new BuildProgress(name, log)
  try {
    for await (const line of subprocess.iterable({ from: 'stderr' })) await progress.line(line)
    await subprocess
    await progress.end()
  } catch (error) {
    await progress.end(error)
    signal?.throwIfAborted()
    throw new RaspiError('image', `Image ${name} cannot be built: mmdebstrap failed.`, {
      hint: hintFor(progress.tail),
      evidence: progress.tail,
      cause: error,
    })
  }
}
