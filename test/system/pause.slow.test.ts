import { execa } from 'execa'
import { expect, test } from 'vitest'
import { Project } from '../support/project.ts'

test('a test that pauses is looked into by what it prints, and Enter ends the pause and not the run', {
  timeout: 600_000,
}, async () => {
  using project = new Project({
    files: {
      'look.test.ts': `
import { expect, test } from 'vitest-raspi'
test('is looked at', async ({ pi }) => {
  await pi.pause('look')
  await expect(pi).toHaveFile('/home/pi/seen')
})`,
    },
  })
  const run = project.watch([], { CI: '' })
  await run.says(/Enter goes on\. The test's timeout comes in/, 300_000)
  const [, config = ''] = /Look: ssh -F (\S+) pi/.exec(run.output) ?? []
  await execa('ssh', ['-F', config, 'pi', 'touch seen'], { timeout: 60_000 })
  run.type('\r')
  await run.says(/Tests +1 passed[\s\S]*press q to quit/, 60_000)
  run.type('q')
  expect((await run.finished(60_000)).code).toBe(0)
  expect(project.leftovers()).toEqual([])
})
