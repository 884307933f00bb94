import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { root } from '../step.ts'
import { keep, type Results, seconds } from './results.ts'

const tests = `
import { expect, test } from 'vitest-raspi'
for (let number = 1; number <= 10; number++) {
  test(\`test \${number}\`, async ({ pi }) => {
    await expect(pi).not.toHaveFile('/home/pi/been-here')
    await pi.run('touch been-here')
    await expect(pi).toHaveFile('/home/pi/been-here', { owner: 'pi' })
  })
}
`

/**
 * The same ten tests, each with a Pi of its own, by Vitest as a user runs it: with cold boots, and with thawed Pis before and
 * after those, for they take so long that the machine may be another one meanwhile.
 */
export async function measureSuites(
  results: Results,
  _rounds: number,
  say: (line: string) => void,
): Promise<void> {
  for (const [what, options] of [
    ['suiteFresh', ''],
    ['suiteCold', 'freeze: false'],
    ['suiteFresh', ''],
  ] as const) {
    const { ms } = await runSuite(options, { 'suite.test.ts': tests })
    keep(results, what, ms)
    say(`${what}: ${seconds(ms)}`)
  }
}

/** How a suite went: what it took in ms, and all that was printed. */
interface Suite {
  ms: number
  output: string
}

/** Runs a project of these files by Vitest as a user does, with what is given to `raspi()` as TypeScript. */
export async function runSuite(
  options: string,
  files: Record<string, string>,
  env: NodeJS.ProcessEnv = {},
): Promise<Suite> {
  const dir = mkdtempSync(join(tmpdir(), 'raspi-bench-'))
  try {
    mkdirSync(join(dir, 'node_modules'))
    for (const name of ['vitest', 'vite'])
      symlinkSync(join(root, 'node_modules', name), join(dir, 'node_modules', name))
    symlinkSync(root, join(dir, 'node_modules/vitest-raspi'))
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }')
    writeFileSync(
      join(dir, 'vitest.config.ts'),
      `import { raspi } from 'vitest-raspi/plugin'\nexport default { plugins: [raspi({ ${options} })] }\n`,
    )
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
    const started = performance.now()
    const { all } = await execa('vitest', ['run'], {
      ...{ cwd: dir, env, preferLocal: true, localDir: root, stdin: 'ignore', all: true },
    })
    return { ms: performance.now() - started, output: all }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
