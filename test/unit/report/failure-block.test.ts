import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { failureBlock } from '../../../src/report/failure-block.ts'
import { aFailureTask } from './samples.ts'

const dir = '/repo/.vitest/raspi/web.test.ts/the-web-role'
const consoles = [{ pi: 'pi', lines: ['[    1.0] usb 1-1', 'Oops'] }]

const block = (...[summary, errors = []]: [Parameters<typeof failureBlock>[1], string[]?]) =>
  stripVTControlCharacters(failureBlock('web.test.ts > the web role', summary, errors, '/repo'))

test('a failed test is told with its task, its diff, the end of the console and where the evidence is', () => {
  const task = aFailureTask({ diff: ['--- before', '+++ after', '-a', '+b'] })
  expect(block({ dir, consoles, tasks: [task] })).toMatchInlineSnapshot(`
    " × web.test.ts > the web role
       TASK [web : Install nginx] failed on pi (roles/web/tasks/main.yml:12)
         No package
         --- before
         +++ after
         -a
         +b
       Console of pi, its last lines:
         [    1.0] usb 1-1
         Oops
       Evidence: .vitest/raspi/web.test.ts/the-web-role"
  `)
})

test('what the error of the test tells is not told again', () => {
  const text = block({ dir, consoles, tasks: [aFailureTask({ told: true })] }, [
    'QEMU ended\n\u001b[31mOops\u001b[39m\n',
  ])
  expect(text).toBe(' × web.test.ts > the web role\n   Evidence: .vitest/raspi/web.test.ts/the-web-role')
})

test('a task that was at work says for how long', () => {
  const { host, ...task } = aFailureTask({ what: 'at work', message: '', durationMs: 4_000 })
  expect(block({ dir, consoles: [], tasks: [task] })).toContain(
    'TASK [web : Install nginx] still at work after 4.0 s (roles/web/tasks/main.yml:12)',
  )
})
