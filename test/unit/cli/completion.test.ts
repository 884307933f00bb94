import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { repositoryOf } from '../init/repositories.ts'
import { run } from './run.ts'

/** What bash completes at the end of `words`, where `boreas` is up. */
async function complete(...words: string[]): Promise<string[]> {
  const { out } = await run(['completion', 'bash'])
  const script = [
    out,
    'vitest-raspi() { [[ $* == "ls -q" ]] && echo boreas; }',
    `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vitest_raspi; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join('\n')
  const { stdout } = await execa('bash', ['-c', script, 'bash', 'vitest-raspi', ...words])
  return stdout.split('\n')
}

test('bash completes commands, options and names of Pis', async () => {
  expect(await complete('re')).toEqual(['reset', 'report'])
  expect(await complete('up', '--in')).toEqual(['--inventory'])
  expect(await complete('cache-key', '--no-')).toEqual(['--no-config'])
  expect(await complete('ssh', '')).toEqual(['boreas'])
  expect(await complete('reset', '--a')).toEqual(['--all'])
})

test('every command of the program is in both', async () => {
  const { out } = await run(['--help'])
  const [list = ''] = /\nCommands:\n.*?\n\n/s.exec(out) ?? []
  const commands = [...list.matchAll(/^ {2}([\w-]+)/gm)].map(([, name]) => name)
  expect(commands).toContain('completion')
  for (const shell of ['bash', 'zsh']) {
    const { out: script } = await run(['completion', shell])
    for (const command of commands.filter((name) => name !== 'help'))
      expect(script).toMatch(new RegExp(`^ +${command}\\)`, 'm'))
  }
})

test('another shell is refused', async () => {
  expect(await run(['completion', 'fish'])).toMatchObject({
    exitCode: 2,
    err: expect.stringContaining('bash, zsh'),
  })
})

// Not every host has a zsh; where there is one, it has to understand its script.
test('zsh reads its script', async ({ skip }) => {
  const { out } = await run(['completion', 'zsh'])
  const file = join(repositoryOf({ '_vitest-raspi': `${out}\n` }), '_vitest-raspi')
  const { exitCode, stderr, code } = await execa('zsh', ['-n', file], { reject: false })
  skip(code === 'ENOENT', 'there is no zsh')
  expect(stderr).toBe('')
  expect(exitCode).toBe(0)
})
