import { execa } from 'execa'
import { expect, test } from 'vitest'
import { quotedRuns, root, scale } from '../../support/scale-doc.ts'

// The runs of 100,000 tests are compared by a system test: they take their time.
const large = '100000'
const small = quotedRuns().filter(({ args }) => args && !args.includes(large))

test('the document quotes what the script prints for so many tests as a unit test can bear', async () => {
  const [whole] = quotedRuns().filter(({ args }) => !args)
  const lines = (await scale('--tests 10,1000')).split('\n')
  expect(whole?.text.split('\n').slice(0, -1)).toEqual(lines)
  expect(small.length).toBeGreaterThan(1)
  for (const { args, text } of small) expect(await scale(args), args).toContain(text)
})

test('a wrong number is refused, and help names every option', async () => {
  const script = (...args: string[]) =>
    execa(process.execPath, ['scripts/scale.ts', ...args], { cwd: root, reject: false })
  expect(await script('--cores', 'many')).toMatchObject({
    ...{ exitCode: 2, stderr: '--cores takes numbers above 0, and not "many".' },
  })
  expect((await script('--help')).stdout).toContain('--bandwidth')
})
