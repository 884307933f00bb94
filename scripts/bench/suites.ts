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

/** The same ten tests, each with a Pi of its own, by Vitest as a user runs it: with thawed Pis, and with cold boots. */
export async function measureSuites(
  results: Results,
  _rounds: number,
  say: (line: string) => void,
): Promise<void> {
  for (const [what, options] of [
    ['suiteFresh', ''],
    ['suiteCold', 'freeze: false'],
  ] as const) {
    const ms = await suite(options)
    keep(results, what, ms)
    say(`${what}: ${seconds(ms)}`)
  }
}

async function suite(options: string): Promise<number> {
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
    writeFileSync(join(dir, 'suite.test.ts'), tests)
    const started = performance.now()
    await execa('vitest', ['run'], { cwd: dir, preferLocal: true, localDir: root, stdin: 'ignore' })
    return performance.now() - started
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
