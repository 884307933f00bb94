import { expect, test } from 'vitest'
import { exampleFiles } from '../support/example.ts'
import { Project } from '../support/project.ts'

test('a role’s scenario with prepare, handlers, loops and verify runs unchanged', {
  timeout: 1_200_000,
}, async () => {
  const files = exampleFiles('molecule-role')
  using project = new Project({ files })
  const { code, output } = await project.vitest(['--reporter=verbose']).finished(1_100_000)
  const passed = [...output.matchAll(/✓ test\/molecule\.test\.ts > molecule default > (\S+)/g)].map(
    ([, name]) => name,
  )
  expect(passed, output).toEqual([
    'syntax',
    'prepare',
    'converge',
    'idempotence',
    'side_effect',
    'verify',
    'cleanup',
  ])
  expect(output.match(/this does not apply: .*/g)).toEqual([
    'this does not apply: the driver docker; image, pre_build_image of the platform board.',
  ])
  expect(code).toBe(0)
  expect(project.leftovers()).toEqual([])
})

test('a scenario of several hosts has its groups and host_vars, and is judged', {
  timeout: 1_200_000,
}, async () => {
  const files = exampleFiles('molecule-cluster')
  using project = new Project({ files })
  const good = await project.vitest(['--reporter=verbose']).finished(600_000)
  expect(good.output).toMatch(/Tests +3 passed/)
  expect(good.code).toBe(0)

  // Another place than is expected of the attic, and a task that always changes something.
  const vars = 'molecule/default/inventory/host_vars/attic.yml'
  project.write({ [vars]: 'relay_place: nowhere\n' })
  const tasks = 'roles/relay/tasks/main.yml'
  project.write({ [tasks]: `${files[tasks]}\n- name: Say so each time\n  ansible.builtin.command: "true"\n` })
  const bad = await project.vitest(['--reporter=verbose']).finished(600_000)
  expect(bad.output).toMatch(/✓ .*> converge/)
  expect(bad.output).toMatch(/× .*> idempotence/)
  expect(bad.output).toContain('TASK [relay : Say so each time]')
  expect(bad.output).toMatch(/× .*> verify/)
  expect(bad.output).toContain('It knows its own part')
  expect(bad.code).toBe(1)
})
