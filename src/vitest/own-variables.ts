/** A variable of the environment that Vitest sets in its workers, over what the user has given it. */
export interface ReplacedVariable {
  name: string
  /** What Vitest sets it to. */
  by: string[]
  /** What it was before; absent where it was not set. */
  before?: string
}

/**
 * What Vitest replaces in its workers, of which `viteEnv` is Vite's `import.meta.env`: there that is the environment. To be
 * asked in the main process, whose `env` has yet what was before. What the user's `test.env` names is meant to be so.
 * TEST and NODE_ENV are not among them: those Vitest sets in the main process, before anything of ours is there.
 */
export function replacedVariables(
  viteEnv: Readonly<Record<string, unknown>>,
  testEnv: Readonly<Record<string, unknown>> | undefined,
  env: NodeJS.ProcessEnv,
): ReplacedVariable[] {
  const values: Record<string, unknown[]> = {
    ...Object.fromEntries(['BASE_URL', 'MODE', 'DEV', 'PROD'].map((name) => [name, [viteEnv[name]]])),
    // By the environment that a test file wants.
    SSR: [true, false],
  }
  return Object.entries(values)
    .filter(([name]) => testEnv?.[name] === undefined)
    .map(([name, by]) => ({
      ...{ name, by: by.map(textOf) },
      ...(env[name] === undefined ? {} : { before: env[name] }),
    }))
}

/** The environment of a worker as the user has given it; what a test has set since then counts. */
export function ownVariables(
  replaced: readonly ReplacedVariable[],
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const own = { ...env }
  for (const { name, by, before } of replaced) {
    if (!by.includes(own[name] ?? '')) continue
    if (before === undefined) delete own[name]
    else own[name] = before
  }
  return own
}

/** As Vitest writes it: https://vitest.dev/config/env */
const textOf = (value: unknown) => (typeof value === 'boolean' ? (value ? '1' : '') : String(value))
