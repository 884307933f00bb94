import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dir as tempDir } from 'tmp-promise'
import { test as base, expect, type TestContext } from 'vitest'
import type { EvidenceSource } from '../../../src/report/evidence.ts'
import { concludeHook, concludeTest } from '../../../src/vitest/evidence.ts'
import { aRun, aTask, ended, started } from '../ansible/runs.ts'
import { aLentPi, aRecord } from '../report/samples.ts'

const test = base.extend('root', async ({}, { onCleanup }) => {
  const { path, cleanup } = await tempDir({ unsafeCleanup: true })
  onCleanup(cleanup)
  return path
})

const wishes = (root: string, all = false) => {
  return { place: { evidenceDir: join(root, '.vitest/raspi'), root, project: '' }, all }
}

/** A test of `root`/web.test.ts as Vitest has it when its fixtures end, and what was annotated. */
function aTest(root: string, state: 'pass' | 'fail', more: object = {}) {
  const annotations: string[] = []
  const suite = { name: 'a role', suite: undefined }
  const task = {
    ...{ name: 'the web role', id: 'a_0', file: { filepath: join(root, 'web.test.ts') }, suite, meta: {} },
    result: { state, errors: state === 'fail' ? [{ message: 'Oops' }] : [] },
    ...more,
  } as unknown as TestContext['task']
  const annotate = (async (message: string) => {
    if (task.result?.state !== 'run') throw new Error('Cannot annotate tests outside of the test run.')
    annotations.push(message)
  }) as unknown as TestContext['annotate']
  return { task, annotate, annotations }
}

/** A Pi that is gone, so that nobody asks it, with a console and two runs. */
async function aSource(root: string): Promise<EvidenceSource> {
  const consoleFile = join(root, 'console.log')
  await writeFile(consoleFile, '[    0.0] Booting\n\nwifi_password=hunter22\n')
  const failed = aTask({ status: 'failed', result: { msg: 'No such user tok-4711' } })
  const { run, ...stopped } = aRecord({
    options: { extraVars: { api_token: 'tok-4711' } },
    events: [...started(), ended({ result: { msg: 'tok-4711', stdout_lines: ['twice'] } })],
    error: new Error('site.yml was stopped'),
  })
  return {
    pis: [{ lent: aLentPi(consoleFile), lost: { at: 1, reason: new Error('QEMU ended') } }],
    records: [
      stopped,
      aRecord({ run: aRun({ exitCode: 2, tasks: [failed], stdout: 'PLAY [Web]\n', stderr: 'E' }) }),
    ],
    ...{ askedAt: 0, lentAt: 0, queuedMs: 0, projectDir: root, vars: {} },
  }
}

const files = async (dir: string) => {
  const names = await readdir(dir)
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(dir, name), 'utf8')])),
  )
}

test('a failed test leaves its console, runs and timeline as files, with secrets masked', async ({
  root,
}) => {
  const context = aTest(root, 'fail')
  const source = await aSource(root)
  await concludeTest(context, source, source.records, wishes(root))
  const evidence = await files(join(root, '.vitest/raspi/web.test.ts/a-role-the-web-role'))
  expect(Object.keys(evidence).sort()).toEqual([
    ...['1-site.yml.events.jsonl', '1-site.yml.failure.txt', '2-site.yml.failure.txt', '2-site.yml.log'],
    ...['pi.console.log', 'pi.lost.txt', 'timeline.txt'],
  ])
  expect(evidence['pi.console.log']).toBe('[    0.0] Booting\nwifi_password=***')
  expect(evidence['pi.lost.txt']).toBe('QEMU ended')
  expect(evidence['2-site.yml.log']).toBe('$ ansible-playbook site.yml\n\nPLAY [Web]\n\n\n--- stderr ---\nE')
  expect(evidence['1-site.yml.failure.txt']).toContain('site.yml was stopped\n')
  expect(evidence['2-site.yml.failure.txt']).toContain(
    'TASK [web : Install nginx]\n  at roles/web/tasks/main.yml:12',
  )
  expect(JSON.parse(evidence['1-site.yml.events.jsonl']?.trim().split('\n').at(-1) ?? '').result).toEqual({
    msg: '***',
  })
  expect(JSON.stringify(evidence)).not.toMatch(/hunter22|tok-4711/)
})

test('Vitest is shown the files although the test has ended, and its state stays', async ({ root }) => {
  const context = aTest(root, 'fail')
  await concludeTest(context, await aSource(root), [], wishes(root))
  expect(context.annotations).toContain('pi.console.log')
  expect(context.task.result?.state).toBe('fail')
})

test('what went through the networks last is among the evidence; a network that cannot tell is no hindrance', async ({
  root,
}) => {
  const context = aTest(root, 'fail')
  const networks = [
    {
      name: 'mgmt',
      saveRecent: async (file: string) => {
        await writeFile(file, 'frames')
        return 1
      },
    },
    { name: 'ext', saveRecent: () => Promise.reject(new Error('The lease has ended.')) },
  ]
  await concludeTest(context, { ...(await aSource(root)), networks }, [], wishes(root))
  const evidence = await files(join(root, '.vitest/raspi/web.test.ts/a-role-the-web-role'))
  expect(evidence['mgmt.pcap']).toBe('frames')
  expect(evidence).not.toHaveProperty(['ext.pcap'])
  expect(context.annotations).toContain('mgmt.pcap')
})

test('a passed test tells the reporter what it took, and leaves no files', async ({ root }) => {
  const { task, annotate } = aTest(root, 'pass')
  const source = await aSource(root)
  await concludeTest({ task, annotate }, source, source.records, wishes(root))
  expect(await readdir(root)).toEqual(['console.log'])
  expect(task.meta.raspi).toMatchObject({
    pis: [{ number: 1, origin: 'thawed', startMs: 2_900 }],
    runs: [
      { ok: false, tasks: 1 },
      {
        ok: false,
        tasks: 1,
        slowest: [{ name: 'web : Install nginx', place: 'roles/web/tasks/main.yml:12' }],
      },
    ],
  })
})

test('a passed test leaves files where that is asked for, one that is to fail does not', async ({ root }) => {
  const source = await aSource(root)
  await concludeTest(aTest(root, 'fail', { fails: true }), source, [], wishes(root))
  expect(await readdir(root)).toEqual(['console.log'])
  await concludeTest(aTest(root, 'pass'), source, [], wishes(root, true))
  expect(await readdir(root)).toContain('.vitest')
})

test('each attempt adds to what the reporter is told, and replaces the files', async ({ root }) => {
  const context = aTest(root, 'fail')
  const source = await aSource(root)
  await concludeTest(context, source, source.records, wishes(root))
  await concludeTest(context, { ...source, records: [] }, [], wishes(root))
  expect(context.task.meta.raspi?.pis).toHaveLength(2)
  expect(await readdir(join(root, '.vitest/raspi/web.test.ts/a-role-the-web-role'))).toEqual([
    ...['pi.console.log', 'pi.lost.txt', 'timeline.txt'],
  ])
})

test('tests of the same name have directories of their own', async ({ root }) => {
  const source = await aSource(root)
  await concludeTest(aTest(root, 'fail'), source, [], wishes(root))
  await concludeTest(aTest(root, 'fail', { id: 'a_1' }), source, [], wishes(root))
  expect(await readdir(join(root, '.vitest/raspi/web.test.ts'))).toEqual([
    'a-role-the-web-role',
    'a-role-the-web-role-2',
  ])
})

test('files whose paths differ by a slash have directories of their own', async ({ root }) => {
  const source = await aSource(root)
  const paths = ['test/web/site.test.ts', 'test/web-site.test.ts']
  for (const [index, path] of paths.entries()) {
    const file = { filepath: join(root, path) }
    await concludeTest(aTest(root, 'fail', { id: `${index}_0`, file }), source, [], wishes(root))
  }
  const dirs = (await readdir(join(root, '.vitest/raspi'))).filter((name) => name !== '.gitignore')
  expect(dirs.sort()).toEqual(['test-web--site.test.ts', 'test-web-site.test.ts'])
  for (const dir of dirs)
    expect(await readdir(join(root, '.vitest/raspi', dir, 'a-role-the-web-role'))).toContain('pi.console.log')
})

test('evidence that cannot be kept fails no test', async ({ root }) => {
  await writeFile(join(root, '.vitest'), 'in the way')
  const { task, annotate } = aTest(root, 'fail')
  await concludeTest({ task, annotate }, await aSource(root), [], wishes(root))
  expect(task.meta.raspi?.pis).toHaveLength(1)
})

test('a playbook that failed in a hook leaves files, one that succeeded does not', async ({ root }) => {
  const source = await aSource(root)
  const file = join(root, 'web.test.ts')
  expect(await concludeHook(file, { ...source, records: [aRecord()] }, wishes(root))).toBeUndefined()
  const dir = await concludeHook(file, source, wishes(root))
  expect(dir).toBe(join(root, '.vitest/raspi/web.test.ts/hooks'))
  expect(await readdir(join(root, '.vitest/raspi/web.test.ts/hooks'))).toContain('timeline.txt')
})

test('what vaults hold is masked in all evidence', async ({ root }) => {
  const source = await aSource(root)
  const records = source.records.map((record) => ({ ...record, secrets: ['Booting', 'No such user'] }))
  await concludeTest(aTest(root, 'fail'), { ...source, records }, records, wishes(root))
  const evidence = await files(join(root, '.vitest/raspi/web.test.ts/a-role-the-web-role'))
  expect(evidence['pi.console.log']).toMatch(/^\[ {4}0\.0\] \*\*\*\n/)
  expect(JSON.stringify(evidence)).not.toContain('No such user')
})

test('where coverage is wanted the reporter is told which tasks ran, over all attempts', async ({ root }) => {
  const { task, annotate } = aTest(root, 'pass')
  const source = await aSource(root)
  await concludeTest({ task, annotate }, source, source.records, wishes(root))
  expect(task.meta.raspi).not.toHaveProperty('covered')
  for (let attempt = 0; attempt < 2; attempt++)
    await concludeTest({ task, annotate }, source, source.records, { ...wishes(root), coverage: true })
  // One run stopped after its task, one failed at it.
  expect(task.meta.raspi?.covered).toEqual({ 'roles/web/tasks/main.yml': { 12: [2, 2, 0] } })
})
